/** A table's index lies at its end: what can be read forward only is taken into memory first. */

import { DdiaError } from '../../shared/errors.ts';
import { MemorySource } from '../bytes/memory-source.ts';
import type { ByteSource, FileEntry, Limits } from '../format.ts';
import type { TableOpened } from './model.ts';

const PIECE_BYTES = 256 * 1024;

/** Sources of standard input that were read whole, by the source they came from. */
const held = new WeakMap<ByteSource, MemorySource>();

/** Opens a file of the set so that it can be read at any place. */
export async function openSeekable(
  input: TableOpened,
  file: FileEntry,
  limits: Limits,
): Promise<ByteSource> {
  const source = input.set.open(file.name);
  return source.forwardOnly ? inMemory(source, limits) : source;
}

export async function inMemory(source: ByteSource, limits: Limits): Promise<ByteSource> {
  if (!source.forwardOnly) return source;
  const known = held.get(source);
  if (known) return known;
  const pieces: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const piece = new Uint8Array(PIECE_BYTES);
    const got = await source.read(piece, 0, PIECE_BYTES, total);
    if (got <= 0) break;
    pieces.push(piece.subarray(0, got));
    total += got;
    if (total > limits.recordBytes) {
      throw new DdiaError(
        'not-seekable',
        `a table on standard input of over ${limits.recordBytes} bytes: its index lies at its end`,
        'give it as a file, or raise --max-record-bytes',
      );
    }
  }
  const memory = new MemorySource(source.name, Buffer.concat(pieces, total));
  held.set(source, memory);
  return memory;
}
