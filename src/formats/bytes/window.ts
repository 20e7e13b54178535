/**
 * A window on a ByteSource: a reused buffer that slides forward over the file. Scanners parse
 * synchronously inside it and come back here, rarely, for more.
 *
 *     file    ...........[ base                       base + count ).........
 *     buffer             [ 0                                 count )   capacity
 */
import { Turns } from '../../shared/turns.ts';
import type { ByteSource, ScanContext } from '../format.ts';

export class Window {
  bytes: Uint8Array;
  view: DataView;
  /** File offset of bytes[0]. */
  base = 0;
  /** Valid bytes in the buffer. */
  count = 0;
  /** True when the window reaches the end of the file. */
  atEnd = false;
  /** Grows by one whenever `bytes` is moved or replaced: indices from before are void. */
  generation = 0;
  readonly #turns: Turns;

  constructor(
    readonly source: ByteSource,
    readonly context: ScanContext,
    readonly capacityStart = context.limits.windowBytes,
  ) {
    // A small file needs no large window; one byte more lets the end be seen in the same read.
    this.#turns = new Turns(context);
    const size = source.size;
    const capacity = size === undefined ? capacityStart : Math.min(capacityStart, size + 64);
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** File offset just past the valid bytes. */
  get end(): number {
    return this.base + this.count;
  }

  /**
   * Makes `length` bytes from file offset `position` available, or as many as the file has, and
   * drops all before `position`. Positions never go down. Afterwards bytes[position - base] is the
   * first of them. Throws the signal's reason when aborted. `length` must be bounded by the caller.
   */
  async fill(position: number, length: number): Promise<void> {
    const { context } = this;
    context.signal?.throwIfAborted();
    this.#slide(position, length);
    context.progress?.(this.source.name, position, this.source.size);
    while (!this.atEnd && this.end < position + length) {
      const room = this.bytes.length - this.count;
      const pending = this.source.read(this.bytes, this.count, room, this.end);
      let got: number;
      if (typeof pending === 'number') got = pending;
      else {
        context.idle?.();
        got = await pending;
        context.signal?.throwIfAborted();
      }
      if (got <= 0) this.atEnd = true;
      this.count += Math.max(0, got);
    }
    const size = this.source.size;
    if (size !== undefined && this.end >= size) this.atEnd = true;
    if (this.#turns.due) await this.#turns.take();
  }

  #slide(position: number, length: number): void {
    const skip = position - this.base;
    if (skip >= this.count) {
      // Everything is behind us. A stream must still read what lies between.
      if (this.source.forwardOnly && skip > this.count) {
        throw new Error(`window asked to skip from ${this.end} to ${position} on a stream`);
      }
      this.base = position;
      this.count = 0;
    } else if (skip > 0 && (skip + length > this.bytes.length || skip * 2 > this.bytes.length)) {
      this.bytes.copyWithin(0, skip, this.count);
      this.base = position;
      this.count -= skip;
    }
    if (length > this.bytes.length) {
      const size = this.source.size;
      const rest = size === undefined ? Number.POSITIVE_INFINITY : Math.max(0, size - position);
      // A quarter more than asked for: a long look ahead that moves on byte by byte then slides,
      // and copies, once in that many bytes, so the cost of copying stays linear.
      const capacity = Math.min(length + (length >>> 2), rest) + 64;
      if (capacity > this.bytes.length) {
        const grown = new Uint8Array(capacity);
        grown.set(this.bytes.subarray(0, this.count));
        this.bytes = grown;
        this.view = new DataView(grown.buffer);
      }
    }
    this.generation++;
  }
}
