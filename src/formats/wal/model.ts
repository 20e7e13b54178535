/**
 * The logical model of the family `wal`: a log of operations in order. A dialect's scan yields
 * records and damage alike, in file order; every verb of the family consumes that one stream.
 */
import { seqText } from '../../shared/u64.ts';
import type { Damage } from '../damage.ts';
import type {
  ByteSource,
  Dialect,
  FileEntry,
  FileSet,
  Finding,
  Opened,
  ScanContext,
  Span,
} from '../format.ts';

/**
 * The operations that every log knows. Dialects add their own: `merge`, `delete-range`, `new-file`.
 */
export type WalOp = 'put' | 'delete' | 'commit' | 'checkpoint' | (string & {});

/** One operation. The scanner reuses the object and the buffer: copy what you keep. */
export class WalRecord {
  file = '';
  /** Where the record lies that holds the operation: byte offset in the file, and bytes. */
  offset = 0;
  length = 0;
  /** Sequence number, an unsigned 64-bit integer in two halves; see WalDialect.hasSeq. */
  seqHigh = 0;
  seqLow = 0;
  op: WalOp = 'put';
  /** Column family id; -1 where the dialect has none. */
  columnFamily = -1;
  /**
   * Position of the operation among those that were written as one, from 0; and how many those are.
   */
  index = 0;
  batchSize = 1;
  /** Key and value as spans of `bytes`; start -1: there is none. */
  bytes: Uint8Array = EMPTY;
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;
  /** Fields beyond these, by name, as they are to be printed (MANIFEST edits, page numbers). */
  extra: Record<string, unknown> | undefined = undefined;
  /**
   * Whether seq is a number of the record's own; undefined: it is, unless there are extra fields.
   */
  sequenced: boolean | undefined = undefined;
  /** Sequence number less the last one known to be durable when this was written; -1: not told. */
  synced = -1;
  /**
   * True when damage of this very record is told right behind it: its bytes were mended while
   * reading, or it is not to be trusted.
   */
  salvaged = false;

  /** True where seq takes part in the log's sequence. */
  get numbered(): boolean {
    return this.sequenced ?? this.extra === undefined;
  }
  /** Exact up to 2^53 - 1; beyond that only fit for comparison by halves. */
  get seq(): number {
    return this.seqHigh * 0x1_0000_0000 + this.seqLow;
  }
  /** Decimal digits, exact. */
  get seqText(): string {
    return seqText(this.seqHigh, this.seqLow);
  }
}

const EMPTY = new Uint8Array(0);

/** Damage of a log; whether its end is a torn tail, a later segment decides. */
export type WalDamage = Damage;

export interface WalVisitor {
  record(record: WalRecord): void;
  damage(damage: WalDamage): void;
  /**
   * A segment vouches that numbering goes on at `base` where it had reached `previous`: after a
   * crash numbers are left out so that none is given twice.
   */
  resume?(previous: bigint, base: bigint): void;
  /**
   * Given to those who only count: told, where a dialect can, in place of `record` of puts and
   * deletes that were written one by one, lie in [start, end) without a gap, and are numbered on
   * from the record visited before. The last of them lies at `last`. Like a record, it is told of
   * before more is read.
   */
  run?(count: number, start: number, last: number, end: number): void;
  /** Asked between records; true ends the scan. */
  done?(): boolean;
}

/** What a scan of one segment is told about the others. */
export interface WalScanContext extends ScanContext {
  /** The set that the segment is part of, for siblings that say something about it. */
  readonly set: FileSet;
  /**
   * What a dialect hands from one segment to the next: absent where segments are looked at alone.
   */
  readonly carry?: Map<string, unknown> | undefined;
  /**
   * Where to begin in the first segment: the end of a record that was read before. A layout of
   * blocks begins at the block that holds it. Default 0.
   */
  readonly from?: number | undefined;
}

/**
 * What the file `file` says: a segment up to this one was made, a record up to this one is durable.
 */
export interface LogReach {
  readonly file: string;
  readonly segment: number;
  readonly seq: bigint;
}

export interface WalDialect extends Dialect {
  readonly family: 'wal';
  /**
   * True where records carry sequence numbers that continue from record to record and across
   * segments.
   */
  readonly hasSeq: boolean;
  /**
   * What a gap in the sequence means: an error, or nothing unusual (RocksDB with unlogged writes).
   */
  readonly gapSeverity: 'error' | 'info';
  /** The first sequence number of the first segment, where that is fixed. */
  readonly firstSeq?: number;
  /** How operations that belong together are marked. */
  readonly batches: 'none' | 'commit-record' | 'batch-record';
  /** Bytes of the smallest record: how many records a damaged span can have held. */
  readonly recordBytesMin: number;
  /**
   * The segment's number by its file name, undefined for a name that is no segment. `continuous`
   * numbers leave no hole between segments.
   */
  segmentNumber(name: string): number | undefined;
  readonly segmentsContinuous: boolean;
  /** Visits the records and the damage of one segment in order. Throws only what reading throws. */
  scan(source: ByteSource, context: WalScanContext, visitor: WalVisitor): Promise<void>;
  /**
   * The first offset from `from` on at which a scan can begin within a segment and find nothing
   * wrong with that; undefined: there is none in `source`. With it a dialect promises that scans
   * which begin in different places are in the same state once both have yielded the same record,
   * and told of no damage: a big log is then verified by two threads.
   */
  seek?(source: ByteSource, from: number, context: ScanContext): Promise<number | undefined>;
  /** See Family.layout. */
  layout(
    source: ByteSource,
    context: WalScanContext,
    visit: (span: Span) => boolean,
  ): Promise<void>;
  /** Files beside the segments that belong to the log, and go along when it is copied. */
  readonly companions?: readonly string[];
  /** The number of the log's first segment, where a file says it: those before are leftovers. */
  firstSegment?(set: FileSet): number | undefined;
  /** How far the log reaches at least, where a file says it. */
  reached?(set: FileSet): LogReach | undefined;
  /** What only the set of files shows: a manifest against the segments, leftovers. */
  verifySet?(input: WalOpened, context: WalScanContext): Promise<Finding[]>;
  /** The inverse of scan; absent where this project does not write the dialect. */
  readonly encoder?: WalEncoder;
  /**
   * Opens a writer of repaired segments that takes records in order and yields bytes. The default
   * copies each record's bytes as they lie in the file, which fits wherever records stand alone.
   */
  readonly rewrite?: WalRewrite;
}

/** An operation to be written. */
export interface WalOperation {
  op: WalOp;
  key: Uint8Array;
  value: Uint8Array;
  columnFamily?: number;
}

export interface WalEncoder {
  /** Operations that can be written. */
  readonly ops: readonly WalOp[];
  readonly segmentBytesDefault: number;
  /** 1 → `000001.wal`. */
  segmentName(number: number): string;
  /**
   * Bytes of one record, where records stand alone; else `open`. Throws a DdiaError when the layout
   * cannot hold it.
   */
  encode?(seqHigh: number, seqLow: number, operation: WalOperation): Uint8Array;
  /** Begins a log whose segments have headers, blocks or checksums that continue. */
  open?(): LogEncoder;
  /** The operation that seals a batch, if the layout marks it so. */
  readonly batchSeal?: WalOperation;
}

/** Writes the segments of one log in order. Returned bytes are valid until the next call. */
export interface LogEncoder {
  /** Begins a segment whose first record is to be numbered so. Returns its first bytes. */
  begin(segment: number, seq: bigint): Uint8Array;
  /** Bytes of a record: one operation, or several that are one batch. */
  record(seqHigh: number, seqLow: number, operations: readonly WalOperation[]): Uint8Array;
  /** Ends the segment. `last`: no other follows; the next record would be numbered `nextSeq`. */
  end(last: boolean, nextSeq: bigint): Uint8Array;
}

/** Repair of segments whose records do not stand alone (blocks, fragments, chains). */
export interface WalRewrite {
  /**
   * True where a segment continues the one before, so that all behind a mended one are written anew
   * too.
   */
  readonly chained?: boolean;
  /** Begins the output; segments in order. */
  open(): {
    /** A segment begins; `number` as in its name. */
    segment(number: number): void;
    /**
     * Called for each operation that is kept, in order; returns bytes to append (possibly none).
     */
    record(record: WalRecord): Uint8Array;
    /** The segment ends; returns bytes to append. */
    end(last: boolean): Uint8Array;
    /** Files that go with the segments, in place of the old log's companions. */
    companions?(set: FileSet): { name: string; bytes: Uint8Array }[];
  };
}

export type WalOpened = Opened<WalDialect> & { files: readonly FileEntry[] };
