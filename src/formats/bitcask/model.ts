/**
 * The logical model of the family `bitcask`: data files of records, the newest record of a key
 * counts; beside them, optional hint files that tell where the records lie without their values. A
 * dialect's scan yields records and damage alike, in file order; every verb consumes that stream.
 */
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

const EMPTY = new Uint8Array(0);

/** One physical record. The scanner reuses the object and the buffer: copy what you keep. */
export class BitcaskRecord {
  file = '';
  /** Where the record lies: byte offset in the file, and bytes. */
  offset = 0;
  length = 0;
  /** Seconds since the epoch; NaN where the layout has none. */
  timestamp = Number.NaN;
  /** The write's number, where the layout has one; else -1. Exact up to 2^53 - 1. */
  seq = -1;
  /** Milliseconds since the epoch after which the record counts as deleted; 0: never. */
  expires = 0;
  deleted = false;
  /**
   * True where the next record was written in one with this one. Of what was written in one, a scan
   * yields all records or none.
   */
  continued = false;
  /** seq less the last one known to be durable when this was written; -1: not told. */
  unsynced = -1;
  /** Key and value as spans of `bytes`. A deletion has an empty value, whatever marks it. */
  bytes: Uint8Array = EMPTY;
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  valueEnd = 0;
  /** Fields beyond these, by name, as they are to be printed (which tombstone it is). */
  extra: Record<string, unknown> | undefined = undefined;
  /** Damage of this very record is told right behind it: its bytes were mended while reading. */
  salvaged = false;
}

/** What a hint file says of one record. Reused like the record. */
export class HintEntry {
  /** The hint file, and where the entry lies in it. */
  file = '';
  offset = 0;
  length = 0;
  /** The data file's number, and where in it the record begins. */
  dataFile = 0;
  position = 0;
  /** Bytes of the whole record; -1: not told. */
  size = -1;
  /** NaN, -1 and 0: not told; see BitcaskRecord. */
  timestamp = Number.NaN;
  seq = -1;
  expires = 0;
  deleted = false;
  /** False where the hint file is of a version in which `deleted` is not told. */
  tellsDeletion = true;
  bytes: Uint8Array = EMPTY;
  keyStart = 0;
  keyEnd = 0;
}

/** Damage of a store. What the lost record was is told as far as it can be read. */
export interface BitcaskDamage extends Damage {
  /** A copy of its key, where sizes or a hint vouch for where the key is. */
  key?: Uint8Array | undefined;
  /** Whether it deleted its key; undefined: not known. */
  deleted?: boolean | undefined;
}

export interface BitcaskVisitor {
  record(record: BitcaskRecord): void;
  damage(damage: BitcaskDamage): void;
  /** Asked between records; true ends the scan. */
  done?(): boolean;
}

export interface HintVisitor {
  entry(entry: HintEntry): void;
  /** `hint-corrupt`, and whatever else is wrong with the hint file by itself. */
  damage(finding: Finding): void;
  done?(): boolean;
}

/** What a scan of one file is told about the others. */
export interface BitcaskScanContext extends ScanContext {
  readonly set: FileSet;
  /** What a dialect hands from one file to the next. */
  readonly carry?: Map<string, unknown> | undefined;
  /**
   * Offsets at which a hint says that records begin, ascending: what a layout without checksums
   * finds its way back by.
   */
  readonly anchors?: Float64Array | undefined;
  /** Where to begin: the end of a record that was read before. Default 0. */
  readonly from?: number | undefined;
}

export interface BitcaskDialect extends Dialect {
  readonly family: 'bitcask';
  /**
   * What makes a record of a key newer than another: its place (number of the file, then offset),
   * or its number.
   */
  readonly newest: 'position' | 'seq';
  /** Bytes of the smallest record: how many records a damaged span can have held. */
  readonly recordBytesMin: number;
  /** The file's number by its name; undefined for a name that is none. */
  dataFile(name: string): number | undefined;
  hintFile(name: string): number | undefined;
  /** The inverse: 1 → `000001.data`. */
  dataName(number: number): string;
  hintName(number: number): string;
  /** Which records a whole hint file tells of. */
  readonly hints: HintRule;
  /** Visits records and damage of one data file in order. Throws only what reading throws. */
  scan(source: ByteSource, context: BitcaskScanContext, visitor: BitcaskVisitor): Promise<void>;
  /** The same of a hint file. Entries behind damage are not to be trusted and are left out. */
  scanHint(source: ByteSource, context: BitcaskScanContext, visitor: HintVisitor): Promise<void>;
  /** See Family.layout; of a data file, a hint file or a companion, told apart by name. */
  layout(
    source: ByteSource,
    context: BitcaskScanContext,
    visit: (span: Span) => boolean,
  ): Promise<void>;
  /** Files beside data and hints that belong to the store. */
  readonly companions?: readonly string[];
  /** The numbers of the live data files, where a file says it (the manifest); else all are. */
  liveFiles?(set: FileSet): ReadonlySet<number> | undefined;
  /**
   * For layouts whose records are bound to their place: what the files of a store have in common,
   * and which data files are merged ones. Such a store is repaired by writing all of it anew.
   */
  identity?(set: FileSet): StoreIdentity;
  /** What only the set of files shows: a manifest against the files, leftovers. */
  verifySet?(input: BitcaskOpened, context: BitcaskScanContext): Promise<Finding[]>;
  /** The inverse of scan; absent where this project does not write the dialect. */
  readonly encoder?: BitcaskEncoder;
}

export interface StoreIdentity {
  readonly storeId: bigint;
  /** Numbers of data files whose records are copies. */
  readonly merged: ReadonlySet<number>;
}

export interface HintRule {
  /**
   * `all`: every record has an entry; `newest`: the newest record of each key in the data file, at
   * least where no later file has a newer one.
   */
  readonly records: 'all' | 'newest';
  /** Whether deletions have entries. */
  readonly deletions: boolean;
  /**
   * Whether the layout's own software reads a hint instead of the data file, so that a key without
   * an entry is gone for it.
   */
  readonly trusted: boolean;
  /** Whether a checksum covers the entries: what a whole hint file says was true once. */
  readonly checked: boolean;
  /** What else that software needs a hint for, in words; absent where it only saves reading. */
  readonly needed?: string;
}

/** A record to be written. */
export interface BitcaskPut {
  key: Uint8Array;
  /** Undefined: a deletion. */
  value: Uint8Array | undefined;
  /** Seconds since the epoch; for layouts that have one. */
  timestamp: number;
  seq: number;
  expires: number;
  /** The next record is written in one with this one. */
  continued: boolean;
  /** See BitcaskRecord; 0 for copies. */
  unsynced: number;
}

export interface BitcaskEncoder {
  /** A data file at or over this size is closed, before the next write. */
  readonly fileBytesDefault: number;
  /**
   * Begins a store's files. `storeId` where the layout has one; a textbook layout takes no notice.
   */
  open(storeId: bigint): BitcaskWriter;
}

/** Writes one store's files. Returned bytes are valid until the next call. */
export interface BitcaskWriter {
  /** Begins a data file. Returns its first bytes. `merged`: its records are copies. */
  data(number: number, merged: boolean): Uint8Array;
  /**
   * Bytes of a record that begins at `offset` of the data file begun last. Throws a DdiaError when
   * the layout cannot hold it: `not-storable`, with the reason.
   */
  record(put: BitcaskPut, offset: number): Uint8Array;
  /** Ends the data file. */
  dataEnd(): Uint8Array;
  /** Begins the hint file of a data file of `dataBytes` bytes, of which `records` are hinted. */
  hint(number: number, dataBytes: number, records: number): Uint8Array;
  /** Entries in ascending order of position. */
  entry(entry: HintEntry): Uint8Array;
  hintEnd(): Uint8Array;
  /** Files that name all the others, written last. */
  companions?(): { name: string; bytes: Uint8Array }[];
}

export type BitcaskOpened = Opened<BitcaskDialect> & { files: readonly FileEntry[] };
