/**
 * Chains of records, as their sizes tell them. Without checksums a record is as good as what stands
 * where it ends: the end of the file, or another header.
 */
import { ChainWindow, CUT, FILE_END, MORE, NO_RECORD } from '../../bytes/chain-window.ts';
import type { Window } from '../../bytes/window.ts';
import {
  HEADER_BYTES,
  KEY_BYTES_PLAUSIBLE,
  KEY_SIZE_AT,
  TIMESTAMP_AT,
  VALUE_SIZE_AT,
} from './layout.ts';

export class Chain extends ChainWindow {
  constructor(window: Window, recordBytesMax: number) {
    super(window, recordBytesMax, KEY_BYTES_PLAUSIBLE);
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
