/**
 * One operation of a store, small enough to be held in numbers: what a comparison needs, and where
 * it lies.
 */
import { type Mark, markOf } from '../../shared/mark.ts';
import { seqText } from '../../shared/u64.ts';
import type { RecordSink } from '../format.ts';

export interface Operation {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  /** Undefined where the dialect has none. */
  readonly seq: string | undefined;
  readonly op: string;
  /** Column family; -1 for none. */
  readonly columnFamily: number;
  readonly key: Mark | undefined;
  readonly value: Mark | undefined;
  /** The tree that the key is in, and a key that is no bytes: a row's in SQLite. */
  readonly within?: string;
  /** Fields beyond these, as JSON. */
  readonly extra: string;
}

/** Where an operation's key is told from another's. */
export function keyOf({ columnFamily, key, within = '' }: Operation): string {
  return `${columnFamily} ${within}${key ?? ''}`;
}

/** Equal for operations that say the same. */
export function contentOf(operation: Operation, withSeq: boolean): string {
  const { op, value = '', extra, seq } = operation;
  const own = `${op} ${value.length} ${value}${keyOf(operation)}`;
  return (withSeq ? `${seq} ${own}` : own) + extra;
}

/**
 * A sink that makes operations of the records that a dump hands it. Tables have no op: theirs is
 * `put`.
 */
export class OperationSink implements RecordSink {
  #file = '';
  #offset = 0;
  #length = 0;
  #seq: string | undefined;
  #op = 'put';
  #columnFamily = -1;
  #key: Mark | undefined;
  #value: Mark | undefined;
  #within = '';
  #extra = '';

  constructor(readonly onOperation: (operation: Operation) => void) {}

  begin(): void {
    this.#file = '';
    this.#offset = 0;
    this.#length = 0;
    this.#seq = undefined;
    this.#op = 'put';
    this.#columnFamily = -1;
    this.#key = undefined;
    this.#value = undefined;
    this.#within = '';
    this.#extra = '';
  }

  word(name: string, value: string): void {
    if (name === 'op') this.#op = value;
    else this.#more(name, value);
  }

  text(name: string, value: string): void {
    if (name === 'file') this.#file = value;
    else this.#more(name, value);
    if (name === 'tree') this.#within += `${JSON.stringify(value)} `;
  }

  integer(name: string, value: number): void {
    if (name === 'offset') this.#offset = value;
    else if (name === 'length') this.#length = value;
    else if (name === 'cf') this.#columnFamily = value;
    else if (name === 'seq') this.#seq = String(value);
    // Where it lies, as offset and length are.
    else if (name === 'block') return;
    else this.#more(name, value);
  }

  integer64(name: string, high: number, low: number): void {
    if (name === 'seq') this.#seq = seqText(high, low);
    else this.#more(name, seqText(high, low));
  }

  bytes(name: string, kind: 'key' | 'value', source: Uint8Array, start: number, end: number): void {
    const mark = markOf(source, start, end);
    if (name === 'key') this.#key = mark;
    else if (name === 'value') this.#value = mark;
    else this.#more(`${kind} ${name}`, mark);
  }

  /** When something was written is not what was written. */
  time(): void {}

  flag(name: string, value: boolean): void {
    if (name === 'deleted') this.#op = value ? 'delete' : 'put';
    else if (value) this.#more(name, value);
  }

  json(name: string, value: unknown): void {
    if (name === 'key') this.#within += `${JSON.stringify(value)} `;
    this.#more(name, value);
  }

  end(): void {
    this.onOperation({
      file: this.#file,
      offset: this.#offset,
      length: this.#length,
      seq: this.#seq,
      op: this.#op,
      columnFamily: this.#columnFamily,
      key: this.#key,
      value: this.#value,
      within: this.#within,
      extra: this.#extra,
    });
  }

  #more(name: string, value: unknown): void {
    this.#extra += `,${JSON.stringify(name)}:${JSON.stringify(value)}`;
  }
}
