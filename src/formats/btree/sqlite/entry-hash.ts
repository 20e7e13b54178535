/** A hash of a row of values: the same for values that are equal, however they are stored. */
import { OddText, type SqlValue, WholeReal } from '../model.ts';
import { roundedFloats } from './deep/float-text.ts';
import { encodedText, integerAt, lengthOf, type RecordHeader } from './record.ts';

const TAG_NULL = 1;
const TAG_NUMBER = 2;
const TAG_TEXT = 3;
const TAG_BLOB = 4;

export class EntryHash {
  first = 0;
  second = 0;
  /** Texts that differ in the digits of floats alone are taken for equal. */
  rounded = false;
  readonly #scratch = new DataView(new ArrayBuffer(8));
  readonly #bytes = new Uint8Array(this.#scratch.buffer);

  constructor(readonly encoding: number) {}

  begin(): void {
    this.first = 0x811c9dc5 | 0;
    this.second = 0x9747b28c | 0;
  }

  /** Both halves as one number. */
  get key(): number {
    return (this.first >>> 0) * 0x20_0000 + (this.second >>> 11);
  }

  /** Value `i` of a record, as it lies there. */
  stored(header: RecordHeader, i: number, bytes: Uint8Array, view: DataView): void {
    const serial = header.serials[i]!;
    const at = header.starts[i]!;
    if (serial === 0) this.#byte(TAG_NULL);
    else if (serial < 10) {
      this.#number(serial === 7 ? view.getFloat64(at) : integerAt(view, at, serial));
    } else if (serial % 2 === 0) this.#span(TAG_BLOB, bytes, at, at + lengthOf(serial));
    else this.#text(bytes, at, at + lengthOf(serial));
  }

  value(value: SqlValue): void {
    if (value === null) this.#byte(TAG_NULL);
    else if (typeof value === 'string') {
      const text = encodedText(value, this.encoding);
      this.#text(text, 0, text.length);
    } else if (value instanceof OddText) this.#text(value.bytes, 0, value.bytes.length);
    else if (value instanceof Uint8Array) this.#span(TAG_BLOB, value, 0, value.length);
    else this.#number(value instanceof WholeReal ? value.value : value);
  }

  #number(value: number | bigint): void {
    this.#byte(TAG_NUMBER);
    if (typeof value === 'bigint' && !Number.isSafeInteger(Number(value))) {
      this.#scratch.setBigInt64(0, value);
      // Told from the float of these bytes.
      this.#byte(TAG_BLOB);
    } else this.#scratch.setFloat64(0, Number(value) + 0);
    for (let i = 0; i < 8; i++) this.#byte(this.#bytes[i]!);
  }

  #text(bytes: Uint8Array, start: number, end: number): void {
    if (this.rounded) {
      const text = roundedFloats(bytes, start, end, this.encoding);
      this.#span(TAG_TEXT, text, 0, text.length);
    } else this.#span(TAG_TEXT, bytes, start, end);
  }

  #span(tag: number, bytes: Uint8Array, start: number, end: number): void {
    this.#byte(tag);
    for (let i = start; i < end; i++) this.#byte(bytes[i]!);
    this.#byte(end - start);
  }

  #byte(byte: number): void {
    this.first = Math.imul(this.first ^ byte, 0x01000193);
    const mixed = Math.imul(this.second ^ byte, 0x5bd1e995);
    this.second = mixed ^ (mixed >>> 15);
  }
}
