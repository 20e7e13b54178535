/**
 * Where an item's bits lie: `(h1 + i * h2) mod m`, the two little-endian halves of its MD5 (Kirsch
 * and Mitzenmacher, "Less Hashing, Same Performance", 2006). The numbers are those of integers of
 * any size, so both halves may be reduced first.
 */
import { createHash } from 'node:crypto';
import type { Size } from './theory.ts';

/** Fills `into` with k positions below m. */
export function positionsOf(item: Uint8Array, { m, k }: Size, into: Float64Array): void {
  const digest = createHash('md5').update(item).digest();
  const first = half(digest, 0, m);
  const second = half(digest, 8, m);
  let position = first;
  for (let i = 0; i < k; i++) {
    into[i] = position;
    position += second;
    if (position >= m) position -= m;
  }
}

/** A number of 64 bits, modulo m, which has 32 at most: in steps of 16 bits all stays exact. */
function half(digest: Buffer, at: number, m: number): number {
  let rest = 0;
  for (let i = 6; i >= 0; i -= 2) rest = (rest * 0x1_0000 + digest.readUInt16LE(at + i)) % m;
  return rest;
}
