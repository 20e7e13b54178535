/**
 * The slow and exact reading of a datum: by its schema, field by field, with the place of each in
 * bytes and in the schema. It finds what exactly is wrong with data that the generated readers
 * refused, tells every byte's field to inspect, and counts sizes for stat. Both readings hold the
 * data to the same rules; a test feeds both the same broken data.
 */
import { isUtf8 } from 'node:buffer';
import { type AvroType, branchName, describeType, isNamed, minimumBytes } from '../schema/model.ts';
import { DEPTH_MAX, EMPTY_ITEMS_MAX } from './limits.ts';
import { readVarint, VARINT_BYTES_MAX } from './varint.ts';

/** One thing that is wrong with a datum. */
export interface DatumFault {
  code: string;
  severity: 'error' | 'warning';
  /** In the buffer that was walked. */
  offset: number;
  length: number;
  /** Where in the schema and in the datum: `User.tags[3]`. */
  path: string;
  message: string;
}

/** What a walk tells; every method may be left out. */
export interface WalkVisitor {
  /** A field that has others in it begins; `end` comes when it does. */
  begin?(name: string, type: AvroType, offset: number): void;
  end?(offset: number): void;
  /** Bytes with a meaning of their own: a value, or what frames values. */
  leaf?(name: string, offset: number, end: number, value: unknown): void;
  /** Something that does not hinder the reading. */
  warn?(fault: DatumFault): void;
}

class Stop extends Error {
  readonly fault: DatumFault;

  constructor(fault: DatumFault) {
    super(fault.code);
    this.fault = fault;
  }
}

export interface Walked {
  /** Where the datum ends; where it was left, if it has a fault. */
  end: number;
  fault?: DatumFault;
}

/**
 * Walks one datum of `type` in bytes[start, end). Never throws. `emptyItems`: how many items that
 * take no bytes it may have.
 */
export function walkDatum(
  type: AvroType,
  bytes: Uint8Array,
  start: number,
  end: number,
  visitor: WalkVisitor = {},
  emptyItems = EMPTY_ITEMS_MAX,
): Walked {
  const walker = new Walker(bytes, start, end, visitor, emptyItems);
  try {
    walker.datum(type, isNamed(type) ? type.name : type.kind, 0);
    return { end: walker.at };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return { end: walker.at, fault: error.fault };
  }
}

class Walker {
  /** The next byte. */
  at: number;
  readonly #path: string[] = [];
  #emptyItems: number;

  constructor(
    readonly bytes: Uint8Array,
    start: number,
    readonly end: number,
    readonly visitor: WalkVisitor,
    emptyItems: number,
  ) {
    this.#emptyItems = emptyItems;
    this.at = start;
  }

  #finding(
    code: string,
    offset: number,
    length: number,
    message: string,
    severity: 'error' | 'warning' = 'error',
  ): DatumFault {
    return { code, severity, offset, length, path: this.#path.join(''), message };
  }

  #fail(code: string, offset: number, length: number, message: string): never {
    throw new Stop(this.#finding(code, offset, length, message));
  }

  /** `name` is that of the span, `step` what the path grows by. */
  datum(type: AvroType, name: string, depth: number, step = name): void {
    this.#path.push(step);
    switch (type.kind) {
      case 'record':
        this.#record(type, name, depth + 1);
        break;
      case 'array':
      case 'map':
        this.#blocks(type, name, depth);
        break;
      case 'union':
        this.#union(type, name, depth);
        break;
      default:
        this.#scalarLeaf(type, name);
    }
    this.#path.pop();
  }

  #leaf(name: string, start: number, value: unknown): void {
    this.visitor.leaf?.(name, start, this.at, value);
  }

  #need(bytes: number, what: string): number {
    const { at } = this;
    const rest = this.end - at;
    if (bytes > rest) {
      this.#fail('truncated-datum', at, rest, `${what} takes ${bytes} bytes, ${rest} are left`);
    }
    return at;
  }

  #scalarLeaf(type: AvroType, name: string): void {
    const { at } = this;
    this.#leaf(name, at, this.#scalar(type));
  }

  #scalar(type: AvroType): unknown {
    const { at } = this;
    switch (type.kind) {
      case 'null':
        return null;
      case 'boolean': {
        this.#need(1, 'a boolean');
        const byte = this.bytes[this.at++]!;
        if (byte > 1) {
          this.#fail('bad-boolean', at, 1, `a boolean is 0 or 1, not ${byte}`);
        }
        return byte === 1;
      }
      case 'int':
        return this.#int('an int');
      case 'long':
        return this.#long('a long');
      case 'float':
      case 'double': {
        const size = type.kind === 'float' ? 4 : 8;
        this.#need(size, `a ${type.kind}`);
        const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + at, size);
        this.at += size;
        const value = size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
        return value;
      }
      case 'fixed':
        this.#need(type.size, describeType(type));
        this.at += type.size;
        return this.bytes.subarray(at, this.at);
      case 'enum': {
        const index = this.#int('the index of an enum');
        const symbol = type.symbols[index];
        if (symbol === undefined) {
          const most = type.symbols.length - 1;
          const message = `index ${index} of enum ${type.name}, expected 0 to ${most}`;
          this.#fail('bad-enum-index', at, this.at - at, message);
        }
        return symbol;
      }
      default:
        return this.#sized(type.kind === 'string');
    }
  }

  /** A string or bytes, with the length before it. */
  #sized(text: boolean): string | Uint8Array {
    const { at } = this;
    const what = text ? 'a string' : 'bytes';
    const { length, told } = this.#length(`the length of ${what}`);
    const start = this.at;
    if (length < 0) this.#fail('bad-byte-length', at, start - at, told);
    this.at += length;
    const span = this.bytes.subarray(start, this.at);
    if (!text) return span;
    if (!isUtf8(span)) {
      this.at = at;
      const message = `the ${length} bytes of a string are no UTF-8`;
      this.#fail('bad-utf8', start, length, message);
    }
    return Buffer.from(span.buffer, span.byteOffset, span.length).toString('utf8');
  }

  /** A length that the bytes have room for, or -1; and what is said of one that they have not. */
  #length(what: string): { length: number; told: string } {
    const length = this.#long(what);
    const rest = this.end - this.at;
    const told = `${what} is ${length}, ${rest} bytes are left`;
    return { length: length < 0 || length > rest ? -1 : Number(length), told };
  }

  #int(what: string): number {
    const { at } = this;
    const value = this.#long(what);
    if (typeof value === 'bigint' || value !== (value | 0)) {
      const message = `${what} is ${value}, which takes more than 32 bits`;
      this.#fail('int-range', at, this.at - at, message);
    }
    return value;
  }

  #long(what: string): number | bigint {
    const { at } = this;
    const { value, length, state } = readVarint(this.bytes, at, this.end);
    if (state === 'cut') {
      const message = `${what} goes on behind the end: ${length} bytes of its varint are left`;
      this.#fail('truncated-datum', at, length, message);
    }
    if (state === 'long') {
      const message = `the varint of ${what} has more than 64 bits or ${VARINT_BYTES_MAX} bytes`;
      this.#fail('long-varint', at, length, message);
    }
    this.at = at + length;
    if (state === 'overlong') {
      const message = `${what} takes ${length} bytes for ${value}: the last of them say nothing`;
      this.visitor.warn?.(this.#finding('overlong-varint', at, length, message, 'warning'));
    }
    return value;
  }

  #record(type: Extract<AvroType, { kind: 'record' }>, name: string, depth: number): void {
    const { at } = this;
    if (depth > DEPTH_MAX) {
      const message = `records within records, deeper than ${DEPTH_MAX}`;
      this.#fail('too-deep', at, 0, message);
    }
    if (minimumBytes(type) === 0 && --this.#emptyItems < 0) {
      const message = `more than ${EMPTY_ITEMS_MAX} records and items that take no bytes`;
      this.#fail('too-deep', at, 0, message);
    }
    this.visitor.begin?.(name, type, at);
    for (const field of type.fields) this.datum(field.type, field.name, depth, `.${field.name}`);
    this.visitor.end?.(this.at);
  }

  #union(type: Extract<AvroType, { kind: 'union' }>, name: string, depth: number): void {
    const { at } = this;
    this.visitor.begin?.(name, type, at);
    const index = this.#int('the branch of a union');
    const branch = type.branches[index];
    if (!branch) {
      const most = type.branches.length - 1;
      const message = `branch ${index} of a union, expected 0 to ${most}`;
      this.#fail('bad-union-branch', at, this.at - at, message);
    }
    const what = branchName(branch);
    this.#leaf('branch', at, index);
    this.datum(branch, what, depth, type.branches.length > 1 ? `|${what}` : '');
    this.visitor.end?.(this.at);
  }

  #blocks(type: Extract<AvroType, { kind: 'array' | 'map' }>, name: string, depth: number): void {
    this.visitor.begin?.(name, type, this.at);
    const items = type.kind === 'array' ? type.items : type.values;
    const least = minimumBytes(items) + (type.kind === 'map' ? 1 : 0);
    let number = 0;
    for (;;) {
      const { count, end, sizeAt } = this.#blockHead(least);
      if (count === 0) break;
      for (let i = 0; i < count; i++, number++) this.#item(type, items, number, depth);
      if (end >= 0 && this.at !== end) {
        const message = `a block of ${count} items ends at ${this.at}, by its size at ${end}`;
        this.#fail('bad-block-size', sizeAt, 1, message);
      }
    }
    this.visitor.end?.(this.at);
  }

  #item(
    type: Extract<AvroType, { kind: 'array' | 'map' }>,
    items: AvroType,
    number: number,
    depth: number,
  ): void {
    if (type.kind === 'array') {
      this.datum(items, `[${number}]`, depth);
      return;
    }
    const { at } = this;
    const key = this.#sized(true);
    this.#leaf('key', at, key);
    this.datum(items, 'value', depth, `{${JSON.stringify(key)}}`);
  }

  /** Count of a block and, behind a negative one, its size in bytes. */
  #blockHead(least: number): { count: number; end: number; sizeAt: number } {
    const { at } = this;
    const given = this.#long('the count of a block');
    this.#leaf('count', at, typeof given === 'bigint' ? String(given) : given);
    const sizeAt = this.at;
    let end = -1;
    if (given < 0 && typeof given === 'number') {
      const { length, told } = this.#length('the size of a block');
      if (length < 0) this.#fail('bad-block-size', sizeAt, this.at - sizeAt, told);
      this.#leaf('size', sizeAt, length);
      end = this.at + length;
    }
    const rest = this.end - this.at;
    const count = Math.abs(Number(given));
    if (typeof given === 'bigint' || (least > 0 && count * least > rest)) {
      const message = `a block of ${count} items of at least ${least} bytes, ${rest} are left`;
      this.#fail('bad-block-count', at, sizeAt - at, message);
    }
    if (least === 0 && (this.#emptyItems -= count) < 0) {
      const message = `a block of ${count} items that take no bytes; ${EMPTY_ITEMS_MAX} are read`;
      this.#fail('bad-block-count', at, sizeAt - at, message);
    }
    return { count, end, sizeAt };
  }
}
