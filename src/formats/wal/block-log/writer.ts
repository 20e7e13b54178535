/**
 * Writes a block log: cuts records into fragments and fills blocks up, as the reader expects them.
 */
import {
  BLOCK_BYTES,
  FIRST_TYPE,
  FULL_TYPE,
  HEADER_BYTES,
  LAST_TYPE,
  LENGTH_AT,
  LOG_NUMBER_AT,
  MIDDLE_TYPE,
  RECYCLABLE_FULL_TYPE,
  RECYCLABLE_HEADER_BYTES,
  TYPE_AT,
} from './constants.ts';
import { computeCrc, isRecyclable, mask } from './header.ts';

const EMPTY = new Uint8Array(0);

export class BlockLogWriter {
  readonly #headerBytes: number;
  #used = 0;

  /**
   * `logNumber`: writes the recyclable form with it. `used`: bytes that the file has already, for
   * a writer that goes on where another stopped.
   */
  constructor(
    readonly logNumber?: number,
    used = 0,
  ) {
    this.#headerBytes = logNumber === undefined ? HEADER_BYTES : RECYCLABLE_HEADER_BYTES;
    this.#used = used % BLOCK_BYTES;
  }

  /** The bytes to append for a record with this payload, empty ones included. */
  add(payload: Uint8Array, start = 0, end = payload.length): Uint8Array {
    const header = this.#headerBytes;
    const bytes = new Uint8Array(this.#size(end - start));
    const view = new DataView(bytes.buffer);
    let at = 0;
    let from = start;
    let first = true;
    do {
      if (BLOCK_BYTES - this.#used < header) at += this.#fillBlock();
      const room = BLOCK_BYTES - this.#used - header;
      const size = Math.min(room, end - from);
      const last = from + size === end;
      const plain = first ? (last ? FULL_TYPE : FIRST_TYPE) : last ? LAST_TYPE : MIDDLE_TYPE;
      const type = this.logNumber === undefined ? plain : plain - FULL_TYPE + RECYCLABLE_FULL_TYPE;
      at = this.#emit(bytes, view, at, type, payload, from, size);
      from += size;
      first = false;
    } while (from < end);
    return bytes;
  }

  /** Bytes that a payload takes here: itself, a header for each fragment, trailers. */
  #size(length: number): number {
    const header = this.#headerBytes;
    let size = length;
    let used = this.#used;
    let left = length;
    do {
      const room = BLOCK_BYTES - used;
      if (room < header) {
        size += room;
        used = 0;
      }
      size += header;
      const data = Math.min(left, BLOCK_BYTES - used - header);
      used += header + data;
      left -= data;
    } while (left > 0);
    return size;
  }

  /** A record of a type that is never split: the block is filled up when it does not fit. */
  addWhole(type: number, payload: Uint8Array, start = 0, end = payload.length): Uint8Array {
    const header = isRecyclable(type) ? RECYCLABLE_HEADER_BYTES : HEADER_BYTES;
    const size = end - start;
    if (header + size > BLOCK_BYTES) return EMPTY;
    const left = BLOCK_BYTES - this.#used;
    const padding = left < header + size ? this.#fillBlock() : 0;
    const bytes = new Uint8Array(padding + header + size);
    this.#emit(bytes, new DataView(bytes.buffer), padding, type, payload, start, size);
    return bytes;
  }

  /** Begins a new block; returns how many zeros that takes. */
  #fillBlock(): number {
    const left = BLOCK_BYTES - this.#used;
    this.#used = 0;
    return left;
  }

  #emit(
    bytes: Uint8Array,
    view: DataView,
    at: number,
    type: number,
    payload: Uint8Array,
    from: number,
    size: number,
  ): number {
    const header = isRecyclable(type) ? RECYCLABLE_HEADER_BYTES : HEADER_BYTES;
    const next = at + header + size;
    view.setUint16(at + LENGTH_AT, size, true);
    bytes[at + TYPE_AT] = type;
    if (header === RECYCLABLE_HEADER_BYTES) {
      view.setUint32(at + LOG_NUMBER_AT, (this.logNumber ?? 0) >>> 0, true);
    }
    bytes.set(payload.subarray(from, from + size), at + header);
    view.setUint32(at, mask(computeCrc(bytes, view, at, next)), true);
    this.#used += header + size;
    return next;
  }
}
