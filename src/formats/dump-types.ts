/** What a dump is asked for, and where its records go. */
import type { Verdict } from './findings.ts';

export type ListValue = number | bigint | null | string | Uint8Array;

/**
 * Takes records one field at a time, and prints them: NDJSON or aligned text, as the user asked.
 */
export interface RecordSink {
  begin(): void;
  /**
   * The fields that were told since begin() stand at the beginning of the next records too. False:
   * they must be told each time.
   */
  keep?(): boolean;
  /** begin(), and the fields that were kept last. */
  beginKept?(): void;
  /** A word that needs no quoting in JSON. */
  word(name: string, value: string): void;
  /** A name or text of any content. */
  text(name: string, value: string): void;
  integer(name: string, value: number): void;
  /** An unsigned 64-bit integer in two halves. */
  integer64(name: string, high: number, low: number): void;
  /**
   * Bytes: a string when they are UTF-8, else `{"hex": …}`, or as --key-format and --value-format
   * say.
   */
  bytes(name: string, kind: 'key' | 'value', source: Uint8Array, start: number, end: number): void;
  /** A point in time, in seconds since the epoch. */
  time(name: string, seconds: number): void;
  /** Told to people only where it is true. */
  flag(name: string, value: boolean): void;
  /** Anything else, as JSON. */
  json(name: string, value: unknown): void;
  /** Records that a sink like this one has printed elsewhere. */
  printed?(text: Uint8Array): void;
  /** An array; texts and bytes as `cell` shows them. */
  list?(name: string, values: readonly ListValue[]): void;
  /** How a text or bytes within a JSON field are shown. */
  cell?(value: string | Uint8Array): unknown;
  end(): void;
}

export interface DumpOptions {
  /** Inclusive and exclusive bounds of keys, in byte order. */
  readonly from?: Uint8Array | undefined;
  readonly to?: Uint8Array | undefined;
  readonly prefix?: Uint8Array | undefined;
  /** Records to leave out at the start, and to stop after. */
  readonly skip?: number | undefined;
  readonly limit?: number | undefined;
  readonly stopAtDamage?: boolean | undefined;
  /** Group operations that were written as one. */
  readonly batches?: boolean | undefined;
  /** Values that are handed over as JSON are handed over as bytes, which the sink hides. */
  readonly redact?: boolean | undefined;
}

/** Which of a store's live content is told, and how. */
export interface ContentOptions extends DumpOptions {
  readonly reverse?: boolean | undefined;
  /** Leave the values where they are. */
  readonly keysOnly?: boolean | undefined;
  /** Tell file, offset and length of each record. */
  readonly places?: boolean | undefined;
}

export interface DumpResult {
  records: number;
  bytes: number;
  damage: number;
  verdict: Verdict;
}
