/**
 * Annotated hex for people: a line that heads each top-level span, then its fields, sixteen bytes
 * a row.
 *
 *     record 5 @ 209 +44 = 5
 *       000000d1  28 00 00 00                                      |(...|              length = 40
 */
import type { ChalkInstance } from 'chalk';
import type { Span } from '../formats/format.ts';
import type { Output } from './output.ts';
import { type BytesOf, leafAt, type SpanView } from './span-view.ts';
import { printable } from './text-sink.ts';

const ROW_BYTES = 16;
const HEX_WIDTH = ROW_BYTES * 3 - 1;
/** A field up to this is shown whole. */
const FIELD_BYTES_SHOWN = 64;
/** What is shown of a longer one. */
const CUT_FIELD_BYTES_SHOWN = 48;
const VALUE_LENGTH_SHOWN = 60;
/** Bytes of a long field that are fetched at a time. */
const FETCH_BYTES = 64 * 1024;

export interface HexViewOptions {
  /** How many levels below the top are opened. */
  depth: number;
  /** Prints long fields in full. */
  full: boolean;
  /** The byte whose field is marked. */
  at: number | undefined;
  /** Said of each file behind its name. */
  label: string;
  /** Names a file only when a span of it is shown. */
  lazy: boolean;
}

export class HexView implements SpanView {
  readonly #bytes = new Uint8Array(FETCH_BYTES);
  #offsetWidth = 8;
  #heading = '';

  constructor(
    readonly out: Output,
    readonly chalk: ChalkInstance,
    readonly options: HexViewOptions,
  ) {}

  beginFile(name: string, size: number | undefined): void {
    const length = size === undefined ? '' : `, ${size} bytes`;
    this.#offsetWidth = Math.max(8, (size ?? 0).toString(16).length);
    this.#heading = `${this.chalk.bold(printable(name))}: ${this.options.label}${length}\n`;
    if (!this.options.lazy) this.#head();
  }

  #head(): void {
    this.out.text(this.#heading);
    this.#heading = '';
  }

  endFile(): void {}

  span(span: Span, record: number | undefined, bytes: BytesOf): void {
    const { name, offset, length, children } = span;
    if (this.#heading !== '') this.#head();
    const number = record === undefined ? '' : ` ${record}`;
    const head = `${name}${number} @ ${offset} +${length}${annotation(span, this.options.full)}`;
    this.out.text(`${span.damage ? this.chalk.red.bold(head) : this.chalk.bold(head)}\n`);
    if (this.options.depth < 1) return;
    const { at } = this.options;
    const marked = at === undefined ? undefined : leafAt(span, at);
    if (children && children.length > 0) {
      for (const child of children) this.#field(child, 1, bytes, marked);
    } else this.#rows(span, marked === span ? this.#mark() : '', bytes);
  }

  #field(span: Span, depth: number, bytes: BytesOf, marked: Span | undefined): void {
    const open = depth < this.options.depth && span.children !== undefined;
    const indent = '  '.repeat(depth - 1);
    const mark = span === marked ? this.#mark() : '';
    const text = `${indent}${span.name}${annotation(span, this.options.full)}`;
    if (!open || span.children?.length === 0) {
      this.#rows(span, text + mark, bytes);
      return;
    }
    this.#line(' '.repeat(this.#offsetWidth + HEX_WIDTH + ROW_BYTES + 6), text, span);
    for (const child of span.children ?? []) this.#field(child, depth + 1, bytes, marked);
  }

  #mark(): string {
    return `  <- byte ${this.options.at}`;
  }

  /** A leaf's bytes, with `text` in the first row. */
  #rows(span: Span, text: string, bytes: BytesOf): void {
    const { offset, length } = span;
    const whole = this.options.full || length <= FIELD_BYTES_SHOWN;
    const end = whole ? length : CUT_FIELD_BYTES_SHOWN;
    if (length === 0) {
      this.#line(this.#row(offset, 0, 0), text, span);
      return;
    }
    for (let from = 0; from < end; from += FETCH_BYTES) {
      const wanted = Math.min(FETCH_BYTES, end - from);
      const got = bytes(this.#bytes, wanted, offset + from);
      for (let row = 0; row < got; row += ROW_BYTES) {
        const count = Math.min(ROW_BYTES, got - row);
        const first = from + row === 0;
        this.#line(this.#row(offset + from + row, row, count), first ? text : '', span);
      }
      if (got < wanted) {
        const gone = `${wanted - got} bytes that have passed and cannot be read again`;
        this.#line(`  ${gone}`, from + got === 0 ? text : '', span);
      }
    }
    if (!whole) {
      const left = `… ${length - end} bytes left out; --full prints them`;
      this.#line(`${' '.repeat(this.#offsetWidth + 4)}${left}`, '', span);
    }
  }

  /** Offset, hex and characters of this.#bytes[from, from + count). */
  #row(offset: number, from: number, count: number): string {
    let hex = '';
    let characters = '';
    for (let i = from; i < from + count; i++) {
      const byte = this.#bytes[i]!;
      hex += HEX[byte]!;
      characters += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
    }
    const place = offset.toString(16).padStart(this.#offsetWidth, '0');
    const ascii = count === 0 ? '' : `|${characters}|`;
    return `  ${place}  ${hex.padEnd(HEX_WIDTH + 1)} ${ascii.padEnd(ROW_BYTES + 2)}`;
  }

  #line(row: string, text: string, span: Span): void {
    const line = text === '' ? row.trimEnd() : `${row}  ${text}`;
    this.out.text(`${span.damage ? this.chalk.red(line) : line}\n`);
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => `${byte.toString(16).padStart(2, '0')} `);

/** ` = value`, or what is wrong with the span. */
function annotation({ value, damage }: Span, full: boolean): string {
  if (damage !== undefined) {
    const why = typeof value === 'string' ? printable(value) : value;
    return ` [${damage}]${why === undefined ? '' : `: ${why}`}`;
  }
  return value === undefined ? '' : ` = ${valueText(value, full)}`;
}

function valueText(value: unknown, full: boolean): string {
  let text: string;
  if (typeof value === 'string') text = /^[\w-]+$/.test(value) ? value : quoted(value);
  else if (isHex(value)) text = `hex:${value.hex}`;
  else text = quoted(value);
  return full || text.length <= VALUE_LENGTH_SHOWN ? text : `${text.slice(0, VALUE_LENGTH_SHOWN)}…`;
}

/** As JSON, with nothing in it that a terminal would take for a command. */
function quoted(value: unknown): string {
  return (JSON.stringify(value) ?? '').replace(
    /[\x7f-\x9f]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function isHex(value: unknown): value is { hex: string } {
  return typeof value === 'object' && value !== null && 'hex' in value;
}
