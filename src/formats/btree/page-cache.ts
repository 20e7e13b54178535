/**
 * Pages of a file by number: a bounded cache of aligned chunks, read synchronously. A walk in file
 * order reads whole chunks; one that jumps about reads the one page that it asks for, and the rest
 * of its chunk only when it comes back to it.
 *
 * `load` puts the page in view: `bytes[start, start + pageSize)`. It stays valid until the next
 * load, no longer: copy what is kept, or load again.
 */
import { DdiaError } from '../../shared/errors.ts';
import type { ByteSource } from '../format.ts';

const CHUNK_BYTES = 64 * 1024;
/** 8 MB of pages up to 64 KiB: more would only wear the processor's cache. */
const CHUNKS_MAX = 128;
/** Pages that lie in another file, a log, and were looked at last. */
const OVERLAID_MAX = 256;

/** Pages that a log beside the file has newer images of. */
export interface Overlay {
  has(page: number): boolean;
  /** Fills target[0, pageSize). */
  read(page: number, target: Uint8Array): void;
}

interface Chunk {
  index: number;
  /** The part that is read: [from, to). */
  from: number;
  to: number;
  bytes: Uint8Array;
  view: DataView;
  /** Looked at since the clock's hand was here. */
  used: boolean;
  /** Kept where it is, however many others are looked at meanwhile. */
  pins: number;
}

/** A page that is kept. */
export interface Pin {
  pins: number;
}

export class PageCache {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  start = 0;
  readonly #chunkBytes: number;
  readonly #chunks: Chunk[] = [];
  readonly #byIndex = new Map<number, Chunk>();
  readonly #overlaid = new Map<number, Chunk>();
  #current: Chunk | undefined;
  #shown: Chunk | undefined;
  #hand = 0;
  /** The chunk that was read last; the first page of a file begins a walk in order. */
  #lastRead = -1;

  constructor(
    readonly source: ByteSource,
    readonly size: number,
    readonly pageSize: number,
    /** Number of the page at offset 0: 1 in SQLite. */
    readonly first = 0,
    readonly overlay?: Overlay,
  ) {
    this.#chunkBytes = Math.max(CHUNK_BYTES, pageSize);
  }

  /** False if the file does not hold the whole of it. */
  load(page: number): boolean {
    if (this.overlay?.has(page)) {
      this.#show(this.#overlay(page), 0);
      return true;
    }
    const offset = (page - this.first) * this.pageSize;
    if (offset < 0 || offset + this.pageSize > this.size) return false;
    const chunkBytes = this.#chunkBytes;
    const index = Math.floor(offset / chunkBytes);
    const at = offset - index * chunkBytes;
    let chunk = this.#current;
    if (chunk === undefined || chunk.index !== index || at < chunk.from || at >= chunk.to) {
      const known = this.#byIndex.get(index);
      if (known && at >= known.from && at < known.to) chunk = known;
      else if (known) chunk = this.#fill(known, 0, this.#lengthOf(index));
      else chunk = this.#read(index, at);
      if (chunk === undefined) return false;
      chunk.used = true;
      this.#current = chunk;
    }
    this.#show(chunk, at);
    return true;
  }

  #lengthOf(index: number): number {
    return Math.min(this.#chunkBytes, this.size - index * this.#chunkBytes);
  }

  /**
   * Keeps the page in view where it lies until unpin(): a long chain of other pages would otherwise
   * take its place.
   */
  pin(): Pin {
    const chunk = this.#shown!;
    chunk.pins++;
    return chunk;
  }

  unpin(pin: Pin): void {
    pin.pins--;
  }

  #show(chunk: Chunk, start: number): void {
    this.#shown = chunk;
    this.bytes = chunk.bytes;
    this.view = chunk.view;
    this.start = start;
  }

  /** A chunk that is not there yet: whole if the one before it was the last to be read. */
  #read(index: number, at: number): Chunk | undefined {
    const chunk = this.#room();
    if (chunk.index >= 0) this.#byIndex.delete(chunk.index);
    chunk.index = index;
    this.#byIndex.set(index, chunk);
    const inOrder = index === this.#lastRead + 1;
    this.#lastRead = index;
    return inOrder
      ? this.#fill(chunk, 0, this.#lengthOf(index))
      : this.#fill(chunk, at, at + this.pageSize);
  }

  /** Reads bytes [from, to) of the chunk; undefined if the file does not have them any more. */
  #fill(chunk: Chunk, from: number, to: number): Chunk | undefined {
    const { index, bytes } = chunk;
    const position = index * this.#chunkBytes + from;
    chunk.from = from;
    chunk.to = to;
    if (readSync(this.source, bytes, to - from, position, from) === to - from) return chunk;
    chunk.index = -1;
    this.#byIndex.delete(index);
    return undefined;
  }

  /** A new chunk, or the first that nobody looked at since the hand passed it. */
  #room(): Chunk {
    if (this.#chunks.length < CHUNKS_MAX) {
      const chunk = newChunk(this.#chunkBytes);
      this.#chunks.push(chunk);
      return chunk;
    }
    for (;;) {
      this.#hand = (this.#hand + 1) % CHUNKS_MAX;
      const chunk = this.#chunks[this.#hand]!;
      if (chunk.pins > 0) continue;
      if (!chunk.used) return chunk;
      chunk.used = false;
    }
  }

  #overlay(page: number): Chunk {
    const known = this.#overlaid.get(page);
    if (known) return known;
    let chunk: Chunk;
    if (this.#overlaid.size < OVERLAID_MAX) chunk = newChunk(this.pageSize);
    else {
      const [oldest, its] = [...this.#overlaid].find(([, one]) => one.pins === 0)!;
      this.#overlaid.delete(oldest);
      chunk = its;
    }
    this.overlay!.read(page, chunk.bytes);
    this.#overlaid.set(page, chunk);
    return chunk;
  }
}

function newChunk(bytes: number): Chunk {
  const buffer = new Uint8Array(bytes);
  return {
    index: -1,
    from: 0,
    to: 0,
    bytes: buffer,
    view: new DataView(buffer.buffer),
    used: false,
    pins: 0,
  };
}

/** Reads at any position, at once. Throws a DdiaError for a stream. */
export function readSync(
  source: ByteSource,
  target: Uint8Array,
  length: number,
  position: number,
  start = 0,
): number {
  if (source.forwardOnly) throw randomAccess(source.name);
  let done = 0;
  while (done < length) {
    const got = source.read(target, start + done, length - done, position + done);
    if (typeof got !== 'number') throw randomAccess(source.name);
    if (got <= 0) break;
    done += got;
  }
  return done;
}

function randomAccess(name: string): DdiaError {
  return new DdiaError(
    'needs-a-file',
    `${name}: a B+tree is read page by page, in no fixed order, and a stream goes by once`,
    'give a file, or redirect one: ddia … - < FILE',
  );
}
