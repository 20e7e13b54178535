/**
 * Node's own modules that take milliseconds to load and that many runs never need: fetched at the
 * first use. On the way of nearly every command, so the start feels it.
 */
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

export const crypto = (): typeof import('node:crypto') => load('node:crypto');
export const zlib = (): typeof import('node:zlib') => load('node:zlib');
