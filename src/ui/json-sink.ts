/** Records as NDJSON, written as bytes: no object and, in the usual case, no string a record. */
import { isUtf8 } from 'node:buffer';
import type { RecordSink } from '../formats/format.ts';
import { type BytesFormats, jsonBytes, jsonCell } from './bytes-format.ts';
import type { Output } from './output.ts';

const QUOTE = 0x22;

export class JsonSink implements RecordSink {
  #first = true;
  /** `,"name":` by name. */
  readonly #labels = new Map<string, Uint8Array>();
  /** The text that was printed last, and as JSON: a file's name stands in every line. */
  #text = '';
  #textJson = Buffer.from('""');
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
    this.out.byte(0x7b);
    this.#first = true;
  }

  #label(name: string): void {
    let label = this.#labels.get(name);
    if (label === undefined) {
      label = Buffer.from(`,${JSON.stringify(name)}:`);
      this.#labels.set(name, label);
    }
    // The first has no comma before it.
    this.out.short(label, this.#first ? 1 : 0);
    this.#first = false;
  }

  word(name: string, value: string): void {
    this.#label(name);
    this.out.byte(QUOTE);
    this.out.ascii(value);
    this.out.byte(QUOTE);
  }

  text(name: string, value: string): void {
    this.#label(name);
    if (value !== this.#text) {
      this.#text = value;
      this.#textJson = Buffer.from(JSON.stringify(value));
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
    else this.out.ascii(`"${(BigInt(high) << 32n) | BigInt(low)}"`);
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

  cell(value: string | Uint8Array): unknown {
    return jsonCell(value, this.formats);
  }

  end(): void {
    this.out.ascii('}\n');
  }
}

/** A double so that it can be read back exactly; what JSON has no number for as a string. */
function jsonNumber(value: number): string {
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? String(value) : `"${value}"`;
}
