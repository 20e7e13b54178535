/**
 * The operations of a write batch, one after the other (db/write_batch.cc of either project):
 *
 *     batch     := sequence: fixed64, count: fixed32, operation*
 *     operation := tag: u8, column_family: varint32?, key: varstring?, value: varstring?
 *     varstring := length: varint32, bytes
 *
 * Which fields a tag has is said by a table, so that one loop reads both dialects.
 */

import { bytesValue } from '../../bytes/value.ts';
import { BATCH_HEADER_BYTES } from './constants.ts';

/** The operation carries a column family; a key; a value. */
export const HAS_FAMILY = 1;
export const HAS_KEY = 2;
export const HAS_VALUE = 4;
/** It counts: the batch's count includes it, and it takes a sequence number. */
export const COUNTS = 8;
/** The value comes first. */
export const SWAPPED = 16;
/** The value ends with the time of the write, fixed64. */
export const TIMED = 64;
export const WRITE_TIME_BYTES = 8;
/** Nothing of the above, but a tag all the same. */
export const KNOWN = 32;

/** What a dialect's write batches hold: fields (the flags above; 0: unknown) and name, by tag. */
export interface BatchForms {
  readonly flags: Uint8Array;
  readonly names: readonly string[];
  /**
   * Column family of an operation that carries none: 0, the default one, or -1 where there are
   * none.
   */
  readonly familyDefault: number;
  /** What a tag is called that must not stand in a batch, for the message. */
  readonly foreign: Readonly<Record<number, string>>;
}

export type BatchProblem = 'none' | 'bad-op' | 'bad-length';

/** Reads one operation at a time; its fields are where the last one was found. */
export class BatchCursor {
  tag = 0;
  flags = 0;
  columnFamily = 0;
  /** End of the column family's field, if there is one. */
  familyEnd = -1;
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;
  /** Where the time of the write stands, behind the value; -1: there is none. */
  timeAt = -1;
  problem: BatchProblem = 'none';
  /** What is wrong, in words. */
  reason = '';
  #start = 0;
  #end = 0;

  constructor(readonly forms: BatchForms) {}

  get op(): string {
    return this.forms.names[this.tag]!;
  }

  /**
   * Reads the operation at `p`, which must lie before `end`. Returns where it ends; -1: `problem`
   * says why not.
   */
  read(bytes: Uint8Array, p: number, end: number): number {
    const tag = bytes[p]!;
    const flags = this.forms.flags[tag]!;
    this.tag = tag;
    this.flags = flags;
    this.keyStart = this.keyEnd = this.valueStart = this.valueEnd = this.familyEnd = -1;
    this.timeAt = -1;
    this.columnFamily = this.forms.familyDefault;
    if (flags === 0) return this.#fail('bad-op', this.#unknown(tag));
    let at = p + 1;
    if (flags & HAS_FAMILY) {
      at = this.#varint(bytes, at, end);
      if (at < 0)
        return this.#fail('bad-length', 'its column family is no varint32 inside the batch');
      this.columnFamily = this.#value;
      this.familyEnd = at;
    }
    if (flags & SWAPPED) {
      at = this.#string(bytes, at, end, 'value');
      if (at < 0) return -1;
      this.valueStart = this.#start;
      this.valueEnd = this.#end;
    }
    if (flags & HAS_KEY) {
      at = this.#string(bytes, at, end, 'key');
      if (at < 0) return -1;
      this.keyStart = this.#start;
      this.keyEnd = this.#end;
    }
    if ((flags & (HAS_VALUE | SWAPPED)) === HAS_VALUE) {
      at = this.#string(bytes, at, end, 'value');
      if (at < 0) return -1;
      this.valueStart = this.#start;
      this.valueEnd = this.#end;
      if (flags & TIMED) return this.#timed(at);
    }
    return at;
  }

  /** The value's last bytes are the time of the write. */
  #timed(at: number): number {
    const length = this.valueEnd - this.valueStart;
    if (length < WRITE_TIME_BYTES) {
      const reason = `its value has ${length} bytes, ${WRITE_TIME_BYTES} of which should be a time`;
      return this.#fail('bad-length', reason);
    }
    this.valueEnd -= WRITE_TIME_BYTES;
    this.timeAt = this.valueEnd;
    return at;
  }

  #string(bytes: Uint8Array, p: number, end: number, field: string): number {
    const start = this.#varint(bytes, p, end);
    if (start < 0)
      return this.#fail('bad-length', `its ${field} length is no varint32 inside the batch`);
    const length = this.#value;
    if (length > end - start) {
      return this.#fail(
        'bad-length',
        `its ${field} has ${length} bytes by its length, the batch ends ${end - start} bytes on`,
      );
    }
    this.#start = start;
    this.#end = start + length;
    return start + length;
  }

  #value = 0;

  #varint(bytes: Uint8Array, p: number, end: number): number {
    if (p >= end) return -1;
    const first = bytes[p]!;
    if (first < 0x80) {
      this.#value = first;
      return p + 1;
    }
    let value = first & 0x7f;
    for (let i = 1; i < 5 && p + i < end; i++) {
      const byte = bytes[p + i]!;
      if (i === 4 && byte > 0x0f) return -1;
      value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        this.#value = value >>> 0;
        return p + i + 1;
      }
    }
    return -1;
  }

  #unknown(tag: number): string {
    const foreign = this.forms.foreign[tag];
    const what =
      foreign === undefined ? 'names no operation' : `(${foreign}) never stands in a batch`;
    return `tag 0x${tag.toString(16).padStart(2, '0')} ${what}`;
  }

  #fail(problem: BatchProblem, reason: string): number {
    this.problem = problem;
    this.reason = reason;
    return -1;
  }
}

/** Longer keys are not quoted. */
const SUBJECT_KEY_BYTES_MAX = 256;

/** The first operation of a batch that is damaged, as far as it can be read: `put "user:005"`. */
export function batchSubject(
  forms: BatchForms,
  bytes: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  const at = start + BATCH_HEADER_BYTES;
  const cursor = new BatchCursor(forms);
  if (at >= end) return undefined;
  cursor.read(bytes, at, end); // its value may go on in the next fragment
  if (cursor.keyStart < 0) return undefined;
  const { keyStart, keyEnd } = cursor;
  if (keyEnd - keyStart > SUBJECT_KEY_BYTES_MAX) return undefined;
  return `${cursor.op} ${JSON.stringify(bytesValue(bytes, keyStart, keyEnd))}`;
}
