/**
 * A cursor over the fields of a version edit. Every length is checked; the first problem stops it.
 */
import { toHex } from '../../../shared/hex.ts';
import { type BytesValue, bytesValue } from '../../bytes/value.ts';

/** A piece of a field, for the layout: it ends at `end` and begins where the one before ends. */
export interface EditPart {
  readonly name: string;
  readonly end: number;
  readonly value: unknown;
}

/** Pieces of one field that are told apart; a hostile one could have millions. */
const PARTS_MAX = 10_000;

/** Sequence number and type in the last 8 bytes of an internal key. */
const INTERNAL_KEY_TAIL_BYTES = 8;

export class EditReader {
  bytes: Uint8Array = new Uint8Array(0);
  p = 0;
  end = 0;
  /** What is wrong, in words; empty: nothing. */
  reason = '';
  code: 'bad-length' | 'bad-op' = 'bad-length';
  parts: EditPart[] = [];

  constructor(
    /** Names of the types in internal keys. */
    readonly types: readonly string[],
    readonly wantParts: boolean,
  ) {}

  begin(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.p = start;
    this.end = end;
    this.reason = '';
    this.parts = [];
  }

  get failed(): boolean {
    return this.reason !== '';
  }

  varint32(name: string): number {
    const value = this.#varint(name, 5);
    if (typeof value === 'number' && value <= 0xffff_ffff) return value;
    this.fail(`${name} is no varint32`);
    return 0;
  }

  /** A number; above 2^53 - 1 as decimal digits. */
  varint64(name: string): number | string {
    return this.#varint(name, 10);
  }

  fixed64(name: string): number | string {
    if (!this.#has(name, 8)) return 0;
    const value = exact(u64(this.bytes, this.p));
    this.#advance(name, 8, value);
    return value;
  }

  byte(name: string): number {
    if (!this.#has(name, 1)) return 0;
    const value = this.bytes[this.p]!;
    this.#advance(name, 1, value);
    return value;
  }

  /** A length-prefixed string. */
  string(name: string): BytesValue {
    const length = this.#length(name);
    const value = bytesValue(this.bytes, this.p, this.p + length);
    this.#advance(name, length, value);
    return value;
  }

  /** Length-prefixed bytes that are never text. */
  hex(name: string): BytesValue {
    const length = this.#length(name);
    return this.rawHex(name, length);
  }

  rawHex(name: string, length: number): BytesValue {
    if (!this.#has(name, length)) return { hex: '' };
    const value = { hex: toHex(this.bytes, this.p, this.p + length) };
    this.#advance(name, length, value);
    return value;
  }

  /** All up to the end, as text where it is text. */
  rawText(name: string): BytesValue {
    if (this.failed) return '';
    const value = bytesValue(this.bytes, this.p, this.end);
    this.#advance(name, this.end - this.p, value);
    return value;
  }

  /** Length-prefixed bytes of which only the length is said. */
  skip(name: string): number {
    const length = this.#length(name);
    this.#advance(name, length, undefined);
    return length;
  }

  internalKey(name: string): Record<string, unknown> {
    const length = this.#length(name);
    if (this.failed) return {};
    if (length < INTERNAL_KEY_TAIL_BYTES) {
      this.fail(`${name} has ${length} bytes, an internal key at least ${INTERNAL_KEY_TAIL_BYTES}`);
      return {};
    }
    const value = this.#internalKey(length);
    this.#advance(name, length, value);
    return value;
  }

  /**
   * Reads a length-prefixed part of the edit with `read`, which cannot leave it. What it leaves is
   * named.
   */
  nested(name: string, read: () => void): void {
    const length = this.#length(name);
    if (this.failed) return;
    const { end } = this;
    this.end = this.p + length;
    read();
    if (!this.failed && this.p < this.end) this.#advance('rest', this.end - this.p, undefined);
    this.end = end;
  }

  fail(reason: string, code: 'bad-length' | 'bad-op' = 'bad-length'): void {
    if (this.failed) return;
    this.reason = reason;
    this.code = code;
  }

  #internalKey(length: number): Record<string, unknown> {
    const tail = this.p + length - INTERNAL_KEY_TAIL_BYTES;
    const packed = u64(this.bytes, tail);
    const type = Number(packed & 0xffn);
    return {
      userKey: bytesValue(this.bytes, this.p, tail),
      seq: exact(packed >> 8n),
      type: this.types[type] ?? type,
    };
  }

  #length(name: string): number {
    const length = this.varint32(`${name}_length`);
    return this.#has(name, length) ? length : 0;
  }

  #has(name: string, length: number): boolean {
    if (this.failed) return false;
    const left = this.end - this.p;
    if (length <= left) return true;
    this.fail(`${name} has ${length} bytes, ${left} are there`);
    return false;
  }

  #varint(name: string, bytesMax: number): number | string {
    if (this.failed) return 0;
    const { bytes, p } = this;
    const last = Math.min(this.end, p + bytesMax);
    let value = 0;
    let scale = 1;
    for (let i = p; i < last; i++) {
      const byte = bytes[i]!;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte >= 0x80) continue;
      let result: number | string = value;
      if (value > Number.MAX_SAFE_INTEGER) {
        const big = bigVarint(bytes, p, i + 1);
        if (big >> 64n) break;
        result = big.toString();
      }
      this.#advance(name, i + 1 - p, result);
      return result;
    }
    this.fail(`${name} is no varint inside the edit`);
    return 0;
  }

  #advance(name: string, length: number, value: unknown): void {
    if (this.failed) return;
    this.p += length;
    if (!this.wantParts || length === 0) return;
    if (this.parts.length < PARTS_MAX) this.parts.push({ name, end: this.p, value });
    else this.parts[PARTS_MAX - 1] = { name: 'more', end: this.p, value: undefined };
  }
}

function bigVarint(bytes: Uint8Array, start: number, end: number): bigint {
  let value = 0n;
  for (let i = end - 1; i >= start; i--) value = (value << 7n) | BigInt(bytes[i]! & 0x7f);
  return value;
}

function u64(bytes: Uint8Array, p: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(p, true);
}

/** A number where it is exact, else its digits. */
function exact(value: bigint): number | string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
}
