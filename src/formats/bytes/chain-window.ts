/**
 * For layouts without checksums, whose records are as good as what stands where they end: the
 * window that chains of records are followed in, and what may stand there.
 */
import type { Window } from './window.ts';

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

export class ChainWindow {
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
    /** Grows with the longest key that was seen in an intact record. */
    public keyBytesMax: number,
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
}
