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
/** Spaces between cells. */
const GAP = 2;
const NEWLINE = 0x0a;

export class TextSink implements RecordSink {
  /** Spaces that the last cell still needs, if another one follows; -1: the line is empty. */
  #missing = -1;
  #kept: DataView | undefined;
  #keptMissing = -1;

  constructor(
    readonly out: Output,
    readonly formats: BytesFormats,
  ) {}

  begin(): void {
    this.out.keepFrom();
    this.#missing = -1;
  }

  keep(): boolean {
    this.#kept = this.out.kept();
    this.#keptMissing = this.#missing;
    return this.#kept !== undefined;
  }

  beginKept(): void {
    this.out.short(this.#kept!, 0);
    this.#missing = this.#keptMissing;
  }

  /** What stands between the last cell and one that follows: to its width, and two spaces. */
  #gap(): void {
    if (this.#missing >= 0) this.out.spaces(this.#missing + GAP);
  }

  #cell(name: string, text: string): void {
    this.#gap();
    const missing = Math.max(0, (WIDTHS[name] ?? 0) - text.length);
    if (NUMBERS.has(name)) this.out.spaces(missing);
    this.out.text(text);
    this.#missing = NUMBERS.has(name) ? 0 : missing;
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
    const { redact } = this.formats;
    if (format === 'none' && !redact) return;
    if ((format === 'auto' || format === 'utf8') && !redact) {
      this.#gap();
      if (this.out.quoted(source, start, end)) {
        this.#missing = Math.max(0, (WIDTHS[name] ?? 0) - (end - start + 2));
        return;
      }
      this.#missing = -1; // the gap is there
    }
    this.#cell(name, textBytes(source.subarray(start, end), format, redact));
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

  printed(text: Uint8Array): void {
    this.out.raw(text, 0, text.length);
  }

  cell(value: string | Uint8Array): unknown {
    return jsonCell(value, this.formats);
  }

  end(): void {
    this.out.byte(NEWLINE);
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
