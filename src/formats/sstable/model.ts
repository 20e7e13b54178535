/**
 * The logical model of the family `sstable`: an immutable file of entries in the order of their
 * keys, in blocks, with an index. A dialect's scan yields blocks and damage alike, in file order;
 * dump, verify, stat and repair consume that one stream. For a point or a range a dialect opens a
 * table at its index instead and reads the blocks that are asked for.
 */
import type {
  ByteSource,
  Dialect,
  FileEntry,
  Finding,
  Opened,
  ScanContext,
  Span,
} from '../format.ts';
import type { EntryBlock } from './entry-block.ts';

/** Something wrong at a place, and what it costs. */
export interface TableDamage extends Finding {
  /** True where the entries of the span are lost; false where it is index, filter, footer, … */
  lost: boolean;
  /** How many entries the span can have held at most; Infinity where nothing is known. */
  entriesAtMost?: number;
}

/** The finding alone, without what only the family needs. */
export function findingOf(damage: TableDamage): Finding {
  const { lost: _lost, entriesAtMost: _most, ...finding } = damage;
  return finding;
}

/**
 * How far a scan looks: what is there; checksums and framing too; or everything against all else.
 */
export type Depth = 'read' | 'quick' | 'full';

export interface TableScanContext extends ScanContext {
  readonly depth: Depth;
  /**
   * A table that two read (second-reader.ts): the first asks, before the first block behind the
   * joint, whether the rest is read, and stops there if it is.
   */
  readonly second?: { readonly joint: number; ask(): Promise<RestOfTable | undefined> };
  /** The second one reads from the block in front of this joint on, and no frames. */
  readonly part?: number;
  /** A table that two dump by turns (turns.ts). */
  readonly turns?: Turns;
}

/** Who reads what of a table whose blocks are read by turns. */
export interface Turns {
  /** A block belongs to the stretch of so many bytes that it begins in. */
  readonly stretchBytes: number;
  /** Before the first block of a stretch: false if its blocks are not for this one. */
  turn(stretch: number): Promise<boolean>;
  /** This one reads blocks only: the other one comes to all else. */
  readonly blocksOnly: boolean;
}

/** What the blocks behind the joint hold, of which there is nothing to tell. Plain data. */
export interface RestOfTable {
  records: number;
  blocks: number;
  /** Where the last one ends. */
  end: number;
  /** What the dialect counts at depth `full`. */
  counts: Readonly<Record<string, number>> | undefined;
}

export interface TableVisitor {
  /** At depth `quick` blocks may come without their entries (count 0): they were not unpacked. */
  block(block: EntryBlock): void;
  damage(damage: TableDamage): void;
  /** Bytes that were understood and hold no entries: header, index, filter, properties, footer. */
  frame?(name: string, offset: number, length: number, damage?: string): void;
  /** Asked between blocks; true ends the scan. */
  done?(): boolean;
  /** The blocks behind the joint: the other one's, or those of the part that was asked for. */
  rest?(rest: RestOfTable): void;
}

/** A table that was opened at its index. Blocks are numbered in the order of their keys. */
export interface OpenTable {
  readonly order: 1 | -1 | 0;
  readonly blocks: number;
  /** The first block that can hold `key` or what comes behind it; `blocks` if there is none. */
  seek(key: Uint8Array): number;
  /** Reads a block into `into`. Returns the damage that leaves it empty or shorter, if any. */
  read(number: number, into: EntryBlock): Promise<TableDamage[]>;
  /** What the filter says of a key; undefined where there is none that is understood. */
  mayContain(key: Uint8Array): Promise<boolean | undefined>;
  /** Range deletions of the table, if it has any. */
  readRangeDeletions?(into: EntryBlock): Promise<boolean>;
  /** Which table it is, where the layout says so: the checksum of its header. */
  readonly identity?: number | undefined;
  /** What was wrong with index or footer when the table was opened. */
  readonly damage: readonly TableDamage[];
}

/** An entry to be written. */
export interface TableEntry {
  type: number;
  key: Uint8Array;
  value: Uint8Array | undefined;
  seqHigh: number;
  seqLow: number;
  timestamp: number | undefined;
}

/** Where a table goes: bytes in order. */
export interface TableTarget {
  write(bytes: Uint8Array, start: number, end: number): void;
  /** Puts bytes in place of those written before: v1 has its count in the front. */
  patch?(offset: number, bytes: Uint8Array): void;
}

export interface TableWriteOptions {
  /** Bytes of entries after which a block is closed; absent: the layout's own. */
  readonly blockBytes?: number | undefined;
  /** Every how many entries the sparse index of a flat table has one. */
  readonly indexEvery?: number | undefined;
  /** How many entries there will be, where that is known. */
  readonly entries?: number | undefined;
  readonly compression?: string | undefined;
  /** Eight bytes that name the table; absent: chosen at random. */
  readonly tableId?: Uint8Array | undefined;
}

/** Takes entries in order; refuses, with a DdiaError, what is not, and what it cannot hold. */
export interface TableWriter {
  /** Adds entry `index` of `block`. */
  add(block: EntryBlock, index: number): void;
  /** Writes what follows the entries. Returns the size of the file. */
  finish(): number;
  /** Bytes of the file so far, about. */
  readonly size: number;
  readonly entries: number;
}

export interface TableEncoder {
  /** `000001.sst` for 1. */
  fileName(number: number): string;
  readonly hasSeq: boolean;
  readonly hasTimestamp: boolean;
  open(target: TableTarget, options: TableWriteOptions): TableWriter;
}

export interface TableDialect extends Dialect {
  readonly family: 'sstable';
  readonly hasSeq: boolean;
  readonly hasTimestamp: boolean;
  /** Names of files that are read from a directory. */
  readonly fileName: RegExp;
  scan(source: ByteSource, context: TableScanContext, visitor: TableVisitor): Promise<void>;
  /** True where scan heeds `second`, `part` and `turns` in its context. */
  readonly readsParts?: boolean;
  /** Opens a table for points and ranges. */
  open(source: ByteSource, context: ScanContext): Promise<OpenTable>;
  /** See Family.layout. */
  layout(source: ByteSource, context: ScanContext, visit: (span: Span) => boolean): Promise<void>;
  /** What the table says of itself: version, parameters, properties. */
  describe(source: ByteSource, context: ScanContext): Promise<Record<string, unknown>>;
  readonly encoder?: TableEncoder;
  /**
   * Writes a table anew from what is intact, as the software that wrote it would read it. Absent
   * where the encoder does it from the entries.
   */
  rebuild?(source: ByteSource, context: ScanContext, target: TableTarget): Promise<void>;
}

export type TableOpened = Opened<TableDialect> & { files: readonly FileEntry[] };
