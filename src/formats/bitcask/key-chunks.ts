/**
 * The keys of a key directory: bytes back to back, in chunks of at most 1 MiB; a longer key has a
 * chunk of its own. The place of a key is a u32: number of the chunk, and where in it it begins.
 */
import { DdiaError } from '../../shared/errors.ts';

export const CHUNK_BITS = 20;
export const CHUNK_BYTES = 1 << CHUNK_BITS;
const CHUNKS_MAX = 2 ** (32 - CHUNK_BITS);
const CHUNK_BYTES_MIN = 4096;

export class KeyChunks {
  readonly chunks: Uint8Array[] = [];
  /** Bytes of all keys that were added. */
  bytes = 0;
  /** Where the next key goes in the last chunk. */
  #end = 0;

  /** Copies the key bytes[start, end) and returns its place. */
  add(bytes: Uint8Array, start: number, end: number): number {
    const { chunks } = this;
    const length = end - start;
    const last = chunks.length - 1;
    if (last < 0 || this.#end + length > chunks[last]!.length) {
      if (!this.#growFirst(length)) {
        if (chunks.length === CHUNKS_MAX) throw tooMany();
        const first = chunks.length === 0 ? CHUNK_BYTES_MIN : CHUNK_BYTES;
        chunks.push(new Uint8Array(allocate(Math.max(length, first))));
        this.#end = 0;
      }
    }
    const index = chunks.length - 1;
    const chunk = chunks[index]!;
    const at = this.#end;
    for (let i = 0; i < length; i++) chunk[at + i] = bytes[start + i]!;
    this.#end += length;
    this.bytes += length;
    // A place within a chunk has 20 bits: a chunk that is full to the brim begins a new one.
    if (this.#end >= CHUNK_BYTES) this.#end = Number.POSITIVE_INFINITY;
    return index * CHUNK_BYTES + at;
  }

  /** Throws `directory-full` where keys of so many bytes in all might not find room. */
  checkRoom(bytes: number): void {
    // What does not fit in the rest of a chunk begins another: two hold more than one's worth.
    const more = 1 + Math.ceil((2 * bytes) / CHUNK_BYTES);
    if (this.chunks.length + more > CHUNKS_MAX) throw tooMany();
  }

  /** The first chunk begins small, so that a small store takes little memory. */
  #growFirst(length: number): boolean {
    const chunk = this.chunks[0];
    const bytes = this.#end + length;
    if (this.chunks.length !== 1 || !chunk || chunk.length >= CHUNK_BYTES) return false;
    if (bytes > CHUNK_BYTES) return false;
    const grown = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(chunk.length * 2, bytes)));
    grown.set(chunk);
    this.chunks[0] = grown;
    return true;
  }
}

const tooMany = (): DdiaError => directoryFull('4 GiB of keys');

/** Memory for the directory; throws `directory-full` where there is none. */
export function allocate(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch {
    throw directoryFull(`what fits in memory: ${bytes} bytes more are not to be had`);
  }
}

export function directoryFull(most: string): DdiaError {
  return new DdiaError(
    'directory-full',
    `the key directory is full: at most ${most}`,
    'split the store, or keep it in one whose index is on disk (an LSM tree, a B+tree)',
  );
}
