/** SHA-256 of files, for plans that must only be applied to what they were made from. */

import { createHash } from 'node:crypto';
import type { ByteSource } from '../formats/format.ts';
import { turn } from '../shared/turns.ts';

const CHUNK_BYTES = 1024 * 1024;

/** Hex digest of all bytes. Reads in large pieces; the signal ends it between two. */
export async function sha256Of(source: ByteSource, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let position = 0; ; ) {
    signal?.throwIfAborted();
    const got = await source.read(chunk, 0, CHUNK_BYTES, position);
    if (got <= 0) return hash.digest('hex');
    hash.update(chunk.subarray(0, got));
    position += got;
    if (position % (64 * CHUNK_BYTES) === 0) await turn({ signal });
  }
}
