/**
 * Lays a record's fields over its fragments. Fields come in order and say where they end; one that
 * goes on in the next fragment is split there, and its later parts are named `… (continued)`.
 */
import { hex32 } from '../../../shared/hex.ts';
import { bytesValue } from '../../bytes/value.ts';
import type { Span } from '../../format.ts';
import { HEADER_BYTES, LENGTH_AT, LOG_NUMBER_AT, TYPE_AT, TYPE_NAMES } from './constants.ts';
import { dataBytes, logNumberAt } from './header.ts';
import type { LogicalRecord } from './record.ts';

export class FragmentSpans {
  #fragment = 0;
  /**
   * Where the next field begins, and the current fragment's data ends: indices of record.bytes.
   */
  #at: number;
  #end = 0;
  #children: Span[] = [];
  /** The operation whose fields are being taken; undefined between them. */
  #group: { name: string; value: unknown; offset: number; children: Span[] } | undefined;

  constructor(
    readonly record: LogicalRecord,
    readonly emit: (span: Span) => void,
  ) {
    this.#at = record.start;
    this.#begin();
  }

  /** A field with this value, from where the last one ended to `end`. */
  leaf(name: string, end: number, value?: unknown, damage?: string): void {
    this.#split(name, end, damage, (_from, _to, part) => (part === 0 ? value : undefined));
  }

  /** A field of bytes: each part shows its own. */
  bytes(name: string, end: number): void {
    this.#split(name, end, undefined, (from, to) => bytesValue(this.record.bytes, from, to));
  }

  /** What comes up to `close` is shown together. */
  open(name: string, value?: unknown): void {
    this.#group = { name, value, offset: this.#offset(), children: [] };
  }

  close(): void {
    const group = this.#group;
    this.#group = undefined;
    if (!group || group.children.length === 0) return;
    const { name, value, offset, children } = group;
    const length = this.#offset() - offset;
    this.#children.push({ name, offset, length, ...(value !== undefined && { value }), children });
  }

  /** Emits the last fragment, and empty ones behind it. */
  finish(): void {
    while (this.#fragment < this.record.fragments - 1) this.#next();
    this.#emit();
  }

  #split(
    name: string,
    end: number,
    damage: string | undefined,
    valueAt: (from: number, to: number, part: number) => unknown,
  ): void {
    for (let part = 0; this.#at < end; part++) {
      while (this.#at === this.#end) this.#next();
      const to = Math.min(end, this.#end);
      const value = valueAt(this.#at, to, part);
      const span: Span = {
        name: part === 0 ? name : `${name} (continued)`,
        offset: this.#offset(),
        length: to - this.#at,
        ...(value !== undefined && { value }),
        ...(damage !== undefined && { damage }),
      };
      (this.#group?.children ?? this.#children).push(span);
      this.#at = to;
    }
  }

  /** File offset of the next field, in the current fragment. */
  #offset(): number {
    const { offsets, headers } = this.record;
    const i = this.#fragment;
    return offsets[i]! + headers[i]! + this.#at - this.#dataStart(i);
  }

  #dataStart(i: number): number {
    return this.record.start + (i === 0 ? 0 : this.record.ends[i - 1]!);
  }

  #next(): void {
    const group = this.#group;
    this.close();
    this.#emit();
    this.#fragment++;
    this.#begin();
    if (!group) return;
    const name = group.name.endsWith(' (continued)') ? group.name : `${group.name} (continued)`;
    this.open(name, group.value);
  }

  /** The header's fields. */
  #begin(): void {
    const { record } = this;
    const i = this.#fragment;
    const offset = record.offsets[i]!;
    const head = record.head(i);
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const size = record.ends[i]! - (i === 0 ? 0 : record.ends[i - 1]!);
    const length = dataBytes(head, 0);
    const type = record.types[i]!;
    this.#end = record.start + record.ends[i]!;
    this.#children = [
      { name: 'crc', offset, length: 4, value: hex32(view.getUint32(0, true)) },
      {
        name: 'length',
        offset: offset + LENGTH_AT,
        length: 2,
        value: length,
        ...(length !== size && { damage: 'bad-length' }),
      },
      { name: 'type', offset: offset + TYPE_AT, length: 1, value: TYPE_NAMES[type] ?? type },
    ];
    if (record.headers[i]! > HEADER_BYTES) {
      const value = logNumberAt(view, 0);
      this.#children.push({ name: 'log_number', offset: offset + LOG_NUMBER_AT, length: 4, value });
    }
  }

  #emit(): void {
    const { record } = this;
    const i = this.#fragment;
    const offset = record.offsets[i]!;
    const type = record.types[i]!;
    this.emit({
      name: 'fragment',
      offset,
      length: record.headers[i]! + this.#end - this.#dataStart(i),
      value: TYPE_NAMES[type] ?? type,
      children: this.#children,
    });
  }
}
