/** Records as NDJSON, written as bytes: no object and, in the usual case, no string a record. */
import { isUtf8 } from 'node:buffer';
import type { ListValue, RecordSink } from '../formats/format.ts';
import { type BytesFormats, jsonBytes, jsonCell } from './bytes-format.ts';
import { type Output, viewOf } from './output.ts';

interface Label {
  /** `,"name":` */
  name: DataView;
  /** The word that was printed last behind it, and both together. */
  word: string;
  whole: DataView;
}

const printed = (text: string): DataView => viewOf(Buffer.from(text));

export class JsonSink implements RecordSink {
  #first = true;
  readonly #labels = new Map<string, Label>();
  /** The text that was printed last, and as JSON: a file's name stands in every line. */
  #text = '';
  #textJson = printed('""');
  #kept: DataView | undefined;
  readonly #autoKey: boolean;
  readonly #autoValue: boolean;

  constructor(
    readonly out: Output,
    readonly formats: BytesFormats,
  ) {
    this.#autoKey = formats.key === 'auto' && !formats.redact;
    this.#autoValue = formats.value === 'auto' && !formats.redact;
  }

  begin(): void {
    this.out.keepFrom();
    this.out.byte(0x7b);
    this.#first = true;
  }

  keep(): boolean {
    this.#kept = this.out.kept();
    return this.#kept !== undefined;
  }

  beginKept(): void {
    this.out.short(this.#kept!, 0);
    this.#first = false;
  }

  #labelOf(name: string): Label {
    let label = this.#labels.get(name);
    if (label === undefined) {
      const text = printed(`,${JSON.stringify(name)}:`);
      label = { name: text, word: '', whole: text };
      this.#labels.set(name, label);
    }
    return label;
  }

  #label(name: string): void {
    // The first has no comma before it.
    this.out.short(this.#labelOf(name).name, this.#first ? 1 : 0);
    this.#first = false;
  }

  word(name: string, value: string): void {
    const label = this.#labelOf(name);
    if (label.word !== value || value === '') {
      label.word = value;
      label.whole = printed(`,${JSON.stringify(name)}:"${value}"`);
    }
    this.out.short(label.whole, this.#first ? 1 : 0);
    this.#first = false;
  }

  text(name: string, value: string): void {
    this.#label(name);
    if (value !== this.#text) {
      this.#text = value;
      this.#textJson = printed(JSON.stringify(value));
    }
    this.out.short(this.#textJson, 0);
  }

  integer(name: string, value: number): void {
    this.#label(name);
    this.out.integer(value);
  }

  integer64(name: string, high: number, low: number): void {
    this.#label(name);
    if (high < 0x20_0000) this.out.integer(high * 0x1_0000_0000 + low);
    else this.out.ascii(jsonInteger((BigInt(high) << 32n) | BigInt(low)));
  }

  bytes(name: string, kind: 'key' | 'value', source: Uint8Array, start: number, end: number): void {
    if (!(kind === 'key' ? this.#autoKey : this.#autoValue)) {
      const format = this.formats[kind];
      if (format === 'none' && !this.formats.redact) return;
      if (format === 'hex' && !this.formats.redact) {
        this.#label(name);
        this.#hex(source, start, end);
        return;
      }
      this.json(name, jsonBytes(source.subarray(start, end), format, this.formats.redact));
      return;
    }
    this.#label(name);
    const { out } = this;
    if (out.quoted(source, start, end)) return;
    const span = source.subarray(start, end);
    if (isUtf8(span)) {
      const text = Buffer.from(span.buffer, span.byteOffset, span.length).toString('utf8');
      out.text(JSON.stringify(text));
      return;
    }
    this.#hex(source, start, end);
  }

  #hex(source: Uint8Array, start: number, end: number): void {
    this.out.ascii('{"hex":"');
    this.out.hex(source, start, end);
    this.out.ascii('"}');
  }

  time(name: string, seconds: number): void {
    this.#label(name);
    if (Number.isSafeInteger(seconds) && !Object.is(seconds, -0)) this.out.integer(seconds);
    else this.out.ascii(jsonNumber(seconds));
  }

  flag(name: string, value: boolean): void {
    this.#label(name);
    this.out.ascii(value ? 'true' : 'false');
  }

  json(name: string, value: unknown): void {
    this.#label(name);
    this.out.text(JSON.stringify(value) ?? 'null');
  }

  list(name: string, values: readonly ListValue[]): void {
    this.#label(name);
    this.out.byte(0x5b);
    for (let i = 0; i < values.length; i++) {
      if (i > 0) this.out.byte(0x2c);
      this.#item(values[i]!);
    }
    this.out.byte(0x5d);
  }

  #item(value: ListValue): void {
    const { out } = this;
    if (typeof value === 'number') {
      if (Number.isInteger(value)) out.integer(value);
      else out.ascii(jsonNumber(value));
    } else if (typeof value === 'bigint') out.ascii(jsonInteger(value));
    else if (value instanceof Uint8Array && this.#autoValue) this.#hex(value, 0, value.length);
    else if (typeof value === 'string' || value instanceof Uint8Array) {
      out.text(JSON.stringify(this.cell(value)));
    } else out.ascii('null');
  }

  printed(text: Uint8Array): void {
    this.out.raw(text, 0, text.length);
  }

  cell(value: string | Uint8Array): unknown {
    return jsonCell(value, this.formats);
  }

  end(): void {
    this.out.ascii('}\n');
  }
}

/** Digits in a string where a double would not hold all of them. */
function jsonInteger(value: bigint): string {
  return Number.isSafeInteger(Number(value)) ? `${value}` : `"${value}"`;
}

/** A double so that it can be read back exactly; what JSON has no number for as a string. */
function jsonNumber(value: number): string {
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}
