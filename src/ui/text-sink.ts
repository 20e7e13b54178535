/** Records as aligned columns, one line each; streaming, so widths are fixed beforehand. */
import type { RecordSink } from '../formats/format.ts';
import { seqText } from '../shared/u64.ts';
import { type BytesFormats, jsonCell, textBytes } from './bytes-format.ts';
import type { Output } from './output.ts';

/** Columns that line up in a usual log; a longer cell pushes its line, not the others. */
const WIDTHS: Readonly<Record<string, number>> = {
  file: 12,
  offset: 10,
  length: 7,
  timestamp: 24,
  seq: 10,
  op: 13,
  cf: 3,
  key: 20,
};
const NUMBERS = new Set(['offset', 'length', 'seq', 'cf']);

export class TextSink implements RecordSink {
  #line = '';

  constructor(
    readonly out: Output,
    readonly formats: BytesFormats,
  ) {}

  begin(): void {
    this.#line = '';
  }

  #cell(name: string, text: string): void {
    const width = WIDTHS[name] ?? 0;
    const padded = NUMBERS.has(name) ? text.padStart(width) : text.padEnd(width);
    this.#line = this.#line === '' ? padded : `${this.#line}  ${padded}`;
  }

  word(name: string, value: string): void {
    this.#cell(name, value);
  }

  text(name: string, value: string): void {
    this.#cell(name, printable(value));
  }

  integer(name: string, value: number): void {
    this.#cell(name, name in WIDTHS ? String(value) : `${name}=${value}`);
  }

  integer64(name: string, high: number, low: number): void {
    this.#cell(name, seqText(high, low));
  }

  bytes(name: string, kind: 'key' | 'value', source: Uint8Array, start: number, end: number): void {
    const format = this.formats[kind];
    if (format === 'none' && !this.formats.redact) return;
    this.#cell(name, textBytes(source.subarray(start, end), format, this.formats.redact));
  }

  time(name: string, seconds: number): void {
    this.#cell(name, timeText(seconds));
  }

  flag(name: string, value: boolean): void {
    if (value) this.#cell(name, name);
  }

  json(name: string, value: unknown): void {
    this.#cell(name, `${name}=${JSON.stringify(value)}`);
  }

  cell(value: string | Uint8Array): unknown {
    return jsonCell(value, this.formats);
  }

  end(): void {
    this.out.text(`${this.#line.trimEnd()}\n`);
  }
}

/** As a date, to the millisecond; what is none, as the number it is. */
function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

/** File names may hold anything; a terminal must not be told what to do by one. */
export function printable(text: string): string {
  return /[\x00-\x1f\x7f-\x9f]/.test(text) ? JSON.stringify(text) : text;
}
