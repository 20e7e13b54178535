/** What a repair plans, writes and tells: part of the interface of a family, see format.ts. */
import type { Finding, RecordSink } from './format.ts';

/**
 * What becomes of a span of the input. `salvaged` bytes were mended; `dropped` ones go to
 * quarantine.
 */
export type Fate = 'kept' | 'salvaged' | 'dropped';

/** A span of the loss ledger. All spans of a file, in order, add up to its size. */
export interface LedgerSpan {
  file: string;
  offset: number;
  length: number;
  fate: Fate;
  records: number;
  /** Of the records in it, where the layout has sequence numbers: decimal digits. */
  firstSeq?: string;
  lastSeq?: string;
  /** For salvaged and dropped spans: the finding's code and its message. */
  code?: string;
  reason?: string;
  /** For dropped spans that could not be counted: how many records there can have been at most. */
  recordsAtMost?: number;
  /** For salvaged spans: the bytes that go in place of those at these offsets of the input. */
  mends?: { offset: number; hex: string }[];
  /** For dropped spans: file within the quarantine directory, once applied. */
  quarantine?: string;
}

/** What a repair would do; a file of its own (--plan), carried out to the byte by --apply. */
export interface RepairPlan {
  ddiaPlan: 1;
  path: string;
  family: string;
  dialect: string;
  /** SHA-256 and size of every input file that the plan was made from. */
  inputs: { file: string; size: number; sha256: string }[];
  ledger: LedgerSpan[];
  /** Files that are written anew from their records, since they cannot be mended in their place. */
  rewrite: string[];
  /**
   * Files that must not lie beside the repaired ones: in place, they are taken away first, behind a
   * backup. Those that the result has anew come back at the end.
   */
  remove?: string[];
  /**
   * The log that makes a repair in place one step: it takes its place first, so that beside the old
   * files it is the whole of the result, and is taken away once the others are in theirs.
   */
  log?: string;
  /** Bytes of a page, of a layout that does not tell them: the plan is carried out by the same. */
  pageSize?: number;
  findings: Finding[];
  counts: Record<string, number>;
  /** What the loss may bring back or leave open, in words. */
  consequences: string[];
}

export interface RepairOptions {
  /** Also mend what a checksum proves: records whose damage has exactly one explanation. */
  readonly mend: boolean;
}

/** Where a repair's bytes go: files that appear whole or not at all. Implemented in io/. */
export interface RepairOutput {
  /**
   * Begins an output file; bytes are appended by `write`; `finish` makes it durable under its name.
   */
  create(name: string): {
    write(bytes: Uint8Array, start: number, end: number): void;
    finish(): void;
  };
}

/**
 * Where salvaged rows go: lines of JSON, SQL, or keys and values of a store of ours. `pair` copies
 * what it is given.
 */
export type SalvageTarget =
  | { readonly to: 'ndjson'; readonly sink: RecordSink }
  | { readonly to: 'sql'; readonly text: (text: string) => void }
  | { readonly to: 'v2'; readonly pair: (key: Uint8Array, value: Uint8Array) => void };

export interface SalvageReport {
  rows: number;
  trees: number;
  /** Rows of leaves that no tree leads to. */
  orphans: number;
  /** Of all these rows, those of which a part was read. */
  parts: number;
  /** Findings by code. */
  counts: Record<string, number>;
  /** Of the tree of another meta page: rows that are nowhere else, and those that are, newer. */
  other?: { rows: number; conflicts: number };
}
