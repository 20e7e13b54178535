/**
 * What a plugin implements: a *family* is a kind of on-disk structure that one asks the same
 * questions of, a *dialect* is one exact byte layout of it. A family's verbs are written once
 * against its logical model; a dialect turns bytes into that model. Nothing here opens a file:
 * bytes come in through a ByteSource.
 */

import type { AskAside, AskPrinting, EmitStretch } from './aside.ts';
import type { ContentOptions, DumpOptions, DumpResult, RecordSink } from './dump-types.ts';
import type { Verdict } from './findings.ts';
import type {
  RepairOptions,
  RepairOutput,
  RepairPlan,
  SalvageReport,
  SalvageTarget,
} from './repair-types.ts';

export type * from './dump-types.ts';
export type * from './repair-types.ts';

/**
 * Bytes with a position: a file, standard input, a fixture in memory, a fault injector, a remote
 * object.
 */
export interface ByteSource {
  /** The file's name as findings show it: its base name within the set. */
  readonly name: string;
  /** Length in bytes; undefined while the end of a stream has not been seen. */
  readonly size: number | undefined;
  /** True where bytes can be read once, in ascending order, only (standard input). */
  readonly forwardOnly?: boolean;
  /**
   * Fills `target[start, start + length)` with the bytes at `position`. Returns how many there
   * were: fewer only at the end, 0 past it. Synchronous where it can be: an asynchronous read costs
   * 60 times as much.
   */
  read(
    target: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number | Promise<number>;
  /**
   * The same in the background, for large pieces that are needed later. Leave the target alone
   * until it has resolved.
   */
  readBeside?(target: Uint8Array, start: number, length: number, position: number): Promise<number>;
  close?(): void;
}

export interface FileEntry {
  readonly name: string;
  readonly size: number | undefined;
  /** Type and permission bits, where the file system has them. */
  readonly mode?: number | undefined;
}

/** What a PATH names: one file, or the files of a directory (not of those below it), by name. */
export interface FileSet {
  /** As the user wrote it. */
  readonly path: string;
  readonly isDirectory: boolean;
  /** In ascending order of name. For a single file, that file alone. */
  readonly files: readonly FileEntry[];
  /** Names beside a single file (itself included), or the same as `files` for a directory. */
  readonly siblings: readonly FileEntry[];
  /**
   * Opens one of `siblings` by name, or a file of a directory below as `directory/name`. Throws a
   * DdiaError when it cannot.
   */
  open(name: string): ByteSource;
  /** The directory of that name in this one; undefined where there is none. */
  below?(name: string): FileSet | undefined;
}

/** A limit on everything that a file can ask for. Units are last in the name. */
export interface Limits {
  /** The longest record that is read whole, and searched for after damage. */
  readonly recordBytes: number;
  /** Findings that are kept; all are counted. */
  readonly findings: number;
  /** Size of the reading window that grows with a record up to recordBytes. */
  readonly windowBytes: number;
}

export const DEFAULT_LIMITS: Limits = {
  recordBytes: 64 * 1024 * 1024,
  findings: 1000,
  windowBytes: 256 * 1024,
};

/** What a scan gets from outside. */
export interface ScanContext {
  readonly limits: Limits;
  readonly signal?: AbortSignal | undefined;
  /** Called between windows with the bytes of the current file that are done. */
  readonly progress?: ((file: string, done: number, size: number | undefined) => void) | undefined;
  /** verify is asked for checksums and framing only. */
  readonly quick?: boolean | undefined;
  /** Called before a scan waits, and now and then: what is buffered can be shown. */
  readonly idle?: (() => void) | undefined;
  /** Waited for between pieces of work, by families that pause: what was told is to be taken. */
  readonly pause?: (() => Promise<void> | undefined) | undefined;
  /** Milliseconds since the epoch: what expires by then counts as gone. Default: nothing does. */
  readonly now?: number | undefined;
  /** Where another thread can take a part of the work; see aside.ts. */
  readonly aside?: AskAside | undefined;
  /** Where another thread can print a part of the records. */
  readonly printing?: AskPrinting | undefined;
  /** --page-size, --deep and the like, by name. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

export type Severity = 'error' | 'warning' | 'info';

/** One thing that is wrong, at a place. Codes are stable and documented in docs/findings.md. */
export interface Finding {
  code: string;
  severity: Severity;
  file: string;
  /** Byte offset in the file, and bytes concerned (0: a place between bytes). */
  offset: number;
  length: number;
  /** What was found, with both numbers: expected and actual. */
  message: string;
  /** What follows the damage and so decides whether it is a torn tail or a hole. */
  evidence?: string;
  /** The one explanation that fits, with its offset. */
  diagnosis?: string;
  /** What repair would do about it. */
  repair?: string;
  /** In files of pages: the page, the one that leads to it, and both numbers by themselves. */
  page?: number;
  parent?: number;
  expected?: unknown;
  actual?: unknown;
}

/** A dialect's look at a file: pure, and at most these bytes. */
export interface Probe {
  readonly name: string;
  readonly size: number | undefined;
  readonly head: Uint8Array;
  /** The last bytes of the file, where they can be read before the rest. */
  readonly tail?: Uint8Array | undefined;
  readonly siblings: readonly string[];
}

/** How much of a file's front a Probe shows. */
export const PROBE_HEAD_BYTES = 64 * 1024;
/** And how much of its end. */
export const PROBE_TAIL_BYTES = 64;

export interface Detection {
  readonly confidence: 'certain' | 'likely' | 'no';
  /** Why, in words for people. */
  readonly reason: string;
}

export const NOT_THIS: Detection = { confidence: 'no', reason: '' };

export interface Dialect {
  /** Unique within the family: `v1`, `leveldb`. */
  readonly id: string;
  readonly family: string;
  /** One line. */
  readonly title: string;
  /** Where the layout is specified. */
  readonly source: string;
  /** What this layout cannot vouch for, whatever the file; verify prints it as `unchecked`. */
  readonly unchecked: readonly string[];
  detect(probe: Probe): Detection;
  /**
   * Name of the file by which a writer of a directory keeps others away: what changes the directory
   * in place holds it meanwhile. Absent where such locks are another software's.
   */
  readonly lockFile?: string;
  /** Files beside the input that are read as part of it: a repair's plan holds for them as well. */
  readonly beside?: readonly string[];
  /**
   * True where a file that it detects tells what the whole directory is, whatever else lies in it;
   * such a store is repaired into a new directory only.
   */
  readonly wholeDirectory?: boolean;
}

/**
 * A named span of bytes. The leaves of a file's layout tile it: every byte belongs to exactly one.
 */
export interface Span {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  /** What the bytes mean, ready to print: a number, a string, or bytes as `{hex}`. */
  readonly value?: unknown;
  /** Set on bytes that could not be understood; the code of the finding. */
  readonly damage?: string;
  /** In ascending order, tiling the parent. */
  readonly children?: readonly Span[];
}

/** A set of files, the dialect that reads it, and which of its files those are, in order. */
export interface Opened<D extends Dialect = Dialect> {
  readonly set: FileSet;
  readonly dialect: D;
  readonly files: readonly FileEntry[];
}

export interface VerifyResult {
  path: string;
  family: string;
  dialect: string;
  /** No error and no warning. */
  clean: boolean;
  verdict: Verdict;
  stats: Record<string, unknown>;
  unchecked: readonly string[];
  /** At most limits.findings of them; `counts` has them all by code. */
  findings: Finding[];
  counts: Record<string, number>;
}

export interface Family<D extends Dialect = Dialect> {
  readonly id: string;
  readonly title: string;
  readonly dialects: readonly D[];
  /** Reads are answered at once, in no order; who wants it to wait is asked by `context.pause`. */
  readonly pauses?: boolean;
  /** Which files of the set this dialect reads, in order; empty if none. */
  select(set: FileSet, dialect: D): readonly FileEntry[];
  verify(input: Opened<D>, context: ScanContext): Promise<VerifyResult>;
  /** The part of a verification that verify asks ScanContext.aside for. Both are plain data. */
  verifyPart?(input: Opened<D>, part: unknown, context: ScanContext): Promise<unknown>;
  dump(
    input: Opened<D>,
    options: DumpOptions,
    context: ScanContext,
    sink: RecordSink,
    onDamage: (finding: Finding) => void,
  ): Promise<DumpResult>;
  /** The part of a dump that dump asks ScanContext.printing for, in stretches. */
  printPart?(
    input: Opened<D>,
    part: unknown,
    context: ScanContext,
    sink: RecordSink,
    emit: EmitStretch,
  ): Promise<void>;
  /**
   * The live content of a store, by key: where what counts is what a key has in the end. Absent
   * where it is the sequence of operations that counts.
   */
  content?(
    input: Opened<D>,
    options: ContentOptions,
    context: ScanContext,
    sink: RecordSink,
    onDamage: (finding: Finding) => void,
  ): Promise<DumpResult>;
  /** True where dump tells of records in the order in which they came about. */
  inOrder(dialect: D): boolean;
  stat(input: Opened<D>, context: ScanContext): Promise<Record<string, unknown>>;
  /**
   * The top-level spans of one file in order, each with its fields as children. Stops when `visit`
   * returns false.
   */
  layout(
    input: Opened<D>,
    source: ByteSource,
    context: ScanContext,
    visit: (span: Span) => boolean,
  ): Promise<void>;
  /** Absent where nothing can be repaired; `repair` then says so. */
  planRepair?(
    input: Opened<D>,
    options: RepairOptions,
    context: ScanContext,
  ): Promise<Omit<RepairPlan, 'inputs'>>;
  /** Writes what the plan keeps. Reads the input again, so it must not have changed. */
  applyRepair?(
    input: Opened<D>,
    plan: RepairPlan,
    context: ScanContext,
    output: RepairOutput,
  ): Promise<void>;
  /**
   * Which formats the rows of a file of this dialect can be salvaged to, in place of a repair: it
   * is another program's file, and not edited. Empty: it is repaired.
   */
  salvageFormats?(dialect: D): readonly SalvageTarget['to'][];
  salvage?(input: Opened<D>, context: ScanContext, target: SalvageTarget): Promise<SalvageReport>;
}
