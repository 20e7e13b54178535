/**
 * Stretches of a block log that hold no intact fragment of it, before it is known what follows
 * them.
 */
import type { Mend } from '../../damage.ts';

/** A fragment's header as it stands in the file, whatever it is worth. */
export interface FragmentHead {
  readonly type: number;
  readonly length: number;
  /** By the type; 0 when that is unknown. */
  readonly headerBytes: number;
  /**
   * The checksum as stored, and as it should be stored; undefined where `length` leads out of the
   * block.
   */
  readonly stored: number;
  readonly computed: number | undefined;
  /**
   * Bytes from the header to the end of its block, and to the end of the file if that comes first.
   */
  readonly blockBytes: number;
  readonly available: number;
}

/**
 * `damage`: bytes that should be a fragment. `zeros`: nothing but zeros up to the end of a block.
 * `stale`: intact fragments with the number of another log, left from before the file was
 * recycled.
 */
export interface Gap {
  readonly kind: 'damage' | 'zeros' | 'stale';
  readonly offset: number;
  end: number;
  /**
   * True where the damage is one fragment with an intact frame: what stands behind it bears out
   * its length.
   */
  framed: boolean;
  /**
   * True where a recyclable header carries the number of this very log: new data, not the file's
   * old content.
   */
  readonly own: boolean;
  /** Absent where there is no room for a header. */
  readonly head?: FragmentHead;
  /** How many operations a framed fragment can have held. */
  readonly records: number;
  readonly diagnosis?: string;
  /** With these bytes it is whole again, and it is a record of its own. */
  readonly mend?: Mend;
  /** What it seems to hold. */
  readonly subject?: string;
  /** Of stale fragments: the number of the log that they were written to. */
  readonly logNumber?: number;
}

/** What the reader of fragments yields, in file order. */
export interface FragmentSink {
  /**
   * An intact fragment of this log: its data is `bytes[start, end)`, its header of `headerBytes`
   * lies at file offset `offset`. `statedLength`: what its length field says where the checksum
   * proves that it ends elsewhere; -1 where it is right.
   */
  fragment(
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    headerBytes: number,
    type: number,
    statedLength: number,
  ): void;
  gap(gap: Gap): void;
  /** Bytes that mean nothing: a block's trailer. `damage`: they should be zeros and are not. */
  filler(offset: number, length: number, damage: boolean): void;
  /** The end of the file. */
  end(size: number): void;
  /** True once nothing more is wanted. */
  readonly stopped: boolean;
  /** True while a gap lies behind the last intact fragment. */
  readonly inGap: boolean;
}
