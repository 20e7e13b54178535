/**
 * The logical model of the family `btree`: a file of pages of one size, with trees of keys and
 * values in them, and pages that are free. A dialect walks its trees once and tells rows, pages
 * and damage to whoever listens: fsck, scan, stat, map, tree, layout and repair are all
 * consumers of that one walk.
 */
import type {
  ByteSource,
  Dialect,
  FileEntry,
  FileSet,
  Finding,
  Opened,
  RecordSink,
  ScanContext,
  Span,
} from '../format.ts';
import type { Check } from './check.ts';
import type { OtherTree } from './other-tree.ts';
import type { PageCache } from './page-cache.ts';

/** What a page is, as far as the walk has found out. */
export const KIND = {
  unknown: 0,
  meta: 1,
  interior: 2,
  leaf: 3,
  overflow: 4,
  free: 5,
  /** A page that lists free pages. */
  freelist: 6,
  /** SQLite's pointer map. */
  pointers: 7,
  /** SQLite's page of the lock byte: never used. */
  lock: 8,
  /** Behind the last page that was ever used. */
  unused: 9,
} as const;

export const KIND_NAMES = [
  'unknown',
  'meta',
  'interior',
  'leaf',
  'overflow',
  'free',
  'freelist',
  'pointers',
  'lock',
  'unused',
] as const;

/** One character a page, as `map` draws it; unknown pages are those that nobody owns. */
export const KIND_MARKS = '?MILo.TPK ';

export type BtreeFinding = Finding;

/** A tree of the file. */
export interface TreeInfo {
  readonly name: string;
  readonly root: number;
  /** What it holds, in the dialect's words: `table`, `index`, `bucket`, `database`. */
  readonly kind: string;
  /** Left out of a scan of everything: an index repeats its table. */
  readonly secondary?: boolean;
}

/** What the walk learns of a tree. */
export interface TreeStat {
  name: string;
  kind: string;
  root: number;
  height: number;
  interior: number;
  leaves: number;
  overflow: number;
  keys: number;
  /** Bytes of cells and headers, and of the pages that hold them. */
  usedBytes: number;
  pageBytes: number;
  /** Leaves whose next in key order is not the next in the file. */
  jumps: number;
}

/** A key and its value. The walk reuses the object: copy what is kept. */
export class BtreeRow {
  /** Set where several files are read. */
  file = '';
  tree = '';
  page = 0;
  /** Of the cell within its page, from 0. */
  slot = 0;
  /** The cell's place in the file, and its bytes there. */
  offset = 0;
  length = 0;
  bytes: Uint8Array = EMPTY;
  keyStart = 0;
  keyEnd = 0;
  valueBytes: Uint8Array = EMPTY;
  valueStart = 0;
  valueEnd = 0;
  /** It is not whole: what could be read of it. */
  part = false;
  /** Instead of bytes, in SQLite: the rowid or the key's columns, and the columns. */
  cells: SqlRow | undefined = undefined;
}

const EMPTY = new Uint8Array(0);

export type SqlValue = null | number | bigint | string | Uint8Array | WholeReal | OddText;

/** A float without a fraction, where 49.0 is not the integer 49. */
export class WholeReal {
  constructor(readonly value: number) {}
}

/** A text whose bytes are none of the database's encoding: SQLite keeps them as they are. */
export class OddText {
  constructor(readonly bytes: Uint8Array) {}
}

export interface SqlRow {
  key: SqlValue | SqlValue[];
  /** Columns, in the order of the table. */
  value: SqlValue[];
  /** Their names, as far as the schema tells. */
  columns: readonly string[];
}

/** Bounds of keys in the tree's own order, where bytes are keys. */
export interface Range {
  readonly from?: Uint8Array | undefined;
  readonly to?: Uint8Array | undefined;
  readonly prefix?: Uint8Array | undefined;
}

export interface RowVisitor {
  /** Rows that can be read in part are wanted too. */
  readonly parts?: boolean;
  row(row: BtreeRow): void;
  finding(finding: BtreeFinding): void;
  done(): boolean;
}

/** What `page N` shows: header fields by name, and cells. */
export interface PageView {
  page: number;
  kind: string;
  offset: number;
  fields: Record<string, unknown>;
  cells: Record<string, unknown>[];
  /** What was wrong with it by itself. */
  damage?: string;
}

/** A node of the drawn tree. */
export interface TreeNode {
  page: number;
  kind: string;
  keys: number;
  first?: unknown;
  last?: unknown;
  damage?: string;
  children: number[];
}

export interface BtreeContext extends ScanContext {
  readonly set: FileSet;
}

/** A step of long work: yields between pieces of it, so that signals are seen. */
export type Steps = Generator<number, void>;

export interface BtreeFile {
  readonly name: string;
  readonly size: number;
  readonly pageSize: number;
  readonly pages: PageCache;
  /** Number of the page at offset 0. */
  readonly firstPage: number;
  /** Pages that the file has, whole ones. */
  readonly pageCount: number;
  /** What was found at opening. */
  readonly notes: readonly BtreeFinding[];
  /** Header fields and the like, for stat. */
  readonly facts: Record<string, unknown>;
  readonly trees: readonly TreeInfo[];
  /** A tree that is not listed, as one within another: a bucket in a bucket. */
  findTree?(name: string): TreeInfo | undefined;
  /** Names of trees that are not listed, the first so many of them. */
  namesWithin?(most: number): string[];
  /** Damage that keeps trees from being listed: told to whoever reads rows of those that are. */
  lost?(onFinding: (finding: BtreeFinding) => void): void;
  /** What is fetched before a check, if anything is. */
  prepare?(options: CheckOptions): Promise<void>;
  /** All passes; `check` gathers findings, what each page is, and statistics. */
  check(check: Check, options: CheckOptions): Steps;
  /** Rows of a tree in key order; damage that keeps rows from being read is told in between. */
  rows(tree: TreeInfo, range: Range, visitor: RowVisitor): Steps;
  /** The tree of another meta page, where by `check` it may have rows that are lost otherwise. */
  other?(check: Check): OtherTree | undefined;
  /** An overflow page that cannot be one: a leaf may stand in its place. */
  isStray?(page: number): boolean;
  /** Rows of one page by itself, whoever owns it; nothing if it cannot be read as a leaf. */
  loose(page: number, visitor: RowVisitor): void;
  describe(page: number, kind: number): PageView;
  node(page: number, tree: TreeInfo): TreeNode;
  /** The page's fields, tiling it. */
  spans(page: number, kind: number): Span;
  close(): void;
}

export interface CheckOptions {
  /** Index content against table content. */
  readonly deep?: boolean;
}

export interface BtreeDialect extends Dialect {
  readonly family: 'btree';
  /** What only a deep check looks at. */
  readonly uncheckedShallow?: readonly string[];
  /** Names of files in a directory that may be of this dialect. */
  readonly fileName: RegExp;
  readonly fileNames: readonly string[];
  /** Repair writes what is readable to another format: it is somebody else's file. */
  readonly salvageOnly: boolean;
  open(input: BtreeOpened, source: ByteSource, context: BtreeContext): Promise<BtreeFile>;
}

/** Its name need not be told: there is no other. */
export function hasOneTree({ id }: BtreeDialect): boolean {
  return id === 'v1' || id === 'v2';
}

export type BtreeOpened = Opened<BtreeDialect> & { files: readonly FileEntry[] };

/** Tells a row to a sink, key and value as the dialect has them. */
export type RowPrinter = (sink: RecordSink, row: BtreeRow) => void;
