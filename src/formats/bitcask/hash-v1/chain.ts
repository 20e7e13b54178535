/**
 * Chains of records, as their sizes tell them. Without checksums a record is as good as what stands
 * where it ends: the end of the file, or another header.
 */
import type { Window } from '../../bytes/window.ts';
import {
  HEADER_BYTES,
  KEY_BYTES_PLAUSIBLE,
  KEY_SIZE_AT,
  TIMESTAMP_AT,
  VALUE_SIZE_AT,
} from './layout.ts';

/**
 * What stands at an offset, where it is not a record that ends inside the file. All are negative.
 */
export const NO_RECORD = -1;
/** The file ends in what may be the beginning of a record. */
export const CUT = -2;
/** The window must reach to `needed` to tell. */
export const MORE = -3;
/** The file ends here. */
export const FILE_END = -4;

export class Chain {
  /** Grows with the longest key that was seen in an intact record. */
  keyBytesMax = KEY_BYTES_PLAUSIBLE;
  /** File offset up to which the window must reach, after MORE. */
  needed = 0;

  // The window as the last fill left it.
  bytes: Uint8Array;
  view: DataView;
  base = 0;
  /** File offset behind the bytes in the window. */
  end = 0;
  /** Where the file ends; infinite while that is not known. */
  fileEnd = Number.POSITIVE_INFINITY;

  constructor(
    readonly window: Window,
    readonly recordBytesMax: number,
  ) {
    this.bytes = window.bytes;
    this.view = window.view;
  }

  /** As Window.fill. */
  async fill(position: number, length: number): Promise<void> {
    const { window } = this;
    await window.fill(position, length);
    this.bytes = window.bytes;
    this.view = window.view;
    this.base = window.base;
    this.end = window.end;
    this.fileEnd = window.atEnd ? window.end : (window.source.size ?? Number.POSITIVE_INFINITY);
  }

  /** The whole header at `at` is in the window. */
  hasHeader(at: number): boolean {
    return at + HEADER_BYTES <= this.end;
  }

  timestamp(at: number): number {
    return this.view.getFloat64(at - this.base + TIMESTAMP_AT, true);
  }

  keySize(at: number): number {
    return this.view.getUint32(at - this.base + KEY_SIZE_AT, true);
  }

  valueSize(at: number): number {
    return this.view.getUint32(at - this.base + VALUE_SIZE_AT, true);
  }

  /** Where the record at `at` ends by its sizes, or one of the negative answers above. */
  next(at: number): number {
    if (at + HEADER_BYTES > this.end) return this.#short(at);
    const keySize = this.keySize(at);
    if (keySize > this.keyBytesMax) return NO_RECORD;
    const valueSize = this.valueSize(at);
    const total = HEADER_BYTES + keySize + valueSize;
    if (total > this.recordBytesMax) return NO_RECORD;
    // Sixteen zero bytes: a deletion of the empty key in 1970, or rather nothing at all.
    if (total === HEADER_BYTES && this.timestamp(at) === 0) return NO_RECORD;
    return at + total > this.fileEnd ? CUT : at + total;
  }

  #short(at: number): number {
    if (at === this.fileEnd) return FILE_END;
    if (at > this.fileEnd) return NO_RECORD;
    if (this.end >= this.fileEnd) return CUT;
    this.needed = Math.min(at + HEADER_BYTES, this.fileEnd);
    return MORE;
  }
}
