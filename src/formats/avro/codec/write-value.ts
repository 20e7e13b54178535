/**
 * Writers: code generated once per schema, like the readers. What does not fit is thrown as BREACH,
 * and misfit.ts finds which field of the value it is.
 */
import { type AvroType, branchName } from '../schema/model.ts';
import { accepts, bytesOf, doubleOf, isObject, latinOf, longOf } from './accepts.ts';
import { Coder } from './coder.ts';
import { BREACH } from './cursor.ts';
import { defaultBytes } from './default-bytes.ts';
import { DEPTH_MAX } from './limits.ts';
import { misfit } from './misfit.ts';
import type { WriteMode } from './mode.ts';
import type { Writer } from './writer.ts';

export type ValueWriter = (writer: Writer, value: unknown) => void;

/** A writer of values of `type`. It throws a DdiaError that names the field that does not fit. */
export function valueWriter(type: AvroType, mode: WriteMode): ValueWriter {
  const maker = new WriteCoder(mode);
  const statement = maker.statement(type, 'v');
  const write = maker.coder.build<(c: WriteState, v: unknown) => void>(
    `(c,o)=>{const v=o;${statement}}`,
  );
  const state = new WriteState();
  return (writer, value) => {
    state.writer = writer;
    state.depth = 0;
    const { at } = writer;
    try {
      write(state, value);
    } catch (error) {
      if (error !== BREACH) throw error;
      writer.at = at;
      throw misfit(type, mode, value);
    }
  };
}

/** What generated writers call: checks first, then bytes. */
class WriteState {
  writer!: Writer;
  depth = 0;

  enter(): void {
    if (++this.depth > DEPTH_MAX) throw BREACH;
  }

  fail(): never {
    throw BREACH;
  }

  null(value: unknown): void {
    if (value !== null) throw BREACH;
  }

  boolean(value: unknown): void {
    if (typeof value !== 'boolean') throw BREACH;
    this.writer.boolean(value);
  }

  int(value: unknown): void {
    if (typeof value !== 'number' || value !== (value | 0)) throw BREACH;
    this.writer.int(value);
  }

  long(value: unknown): void {
    if (typeof value === 'number' && Number.isSafeInteger(value)) this.writer.long(value);
    else this.writer.long(longOf(value) ?? this.fail());
  }

  float(value: unknown): void {
    this.writer.float(typeof value === 'number' ? value : (doubleOf(value) ?? this.fail()));
  }

  double(value: unknown): void {
    this.writer.double(typeof value === 'number' ? value : (doubleOf(value) ?? this.fail()));
  }

  string(value: unknown): void {
    if (typeof value !== 'string' || !this.writer.string(value)) throw BREACH;
  }

  bytes(value: unknown): void {
    this.writer.data(bytesOf(value) ?? this.fail());
  }

  latin(value: unknown): void {
    this.writer.data(latinOf(value) ?? this.fail());
  }

  fixed(value: unknown, size: number): void {
    const bytes = bytesOf(value);
    if (bytes?.length !== size) throw BREACH;
    this.writer.raw(bytes);
  }

  latinFixed(value: unknown, size: number): void {
    const bytes = latinOf(value);
    if (bytes?.length !== size) throw BREACH;
    this.writer.raw(bytes);
  }

  enum(value: unknown, indices: ReadonlyMap<string, number>): void {
    this.writer.int(indices.get(value as string) ?? this.fail());
  }

  array(value: unknown): unknown[] {
    if (!Array.isArray(value)) throw BREACH;
    if (value.length > 0) this.writer.int(value.length);
    return value;
  }

  keys(value: unknown): string[] {
    if (!isObject(value)) throw BREACH;
    const keys = Object.keys(value);
    if (keys.length > 0) this.writer.int(keys.length);
    return keys;
  }

  object(value: unknown): Record<string, unknown> {
    if (!isObject(value)) throw BREACH;
    return value;
  }

  /** A record may have no field that its type does not: it would be lost. */
  only(value: object, names: ReadonlySet<string>): void {
    for (const key in value) if (!names.has(key)) throw BREACH;
  }

  end(): void {
    this.writer.int(0);
  }
}

class WriteCoder {
  readonly coder = new Coder();

  constructor(readonly mode: WriteMode) {}

  /** Statements that write what the variable `v` has. */
  statement(type: AvroType, v: string): string {
    const { coder } = this;
    switch (type.kind) {
      case 'bytes':
        return this.mode === 'avro' ? `c.latin(${v});` : `c.bytes(${v});`;
      case 'fixed':
        return `c.${this.mode === 'avro' ? 'latinFixed' : 'fixed'}(${v},${type.size});`;
      case 'enum': {
        const indices = new Map(type.symbols.map((symbol, i) => [symbol, i]));
        return `c.enum(${v},${coder.constant(indices)});`;
      }
      case 'array':
        return `${this.#array(type)}(c,${v});`;
      case 'map':
        return `${this.#map(type)}(c,${v});`;
      case 'record':
        return `${this.#record(type)}(c,${v});`;
      case 'union':
        return `${this.#union(type)}(c,${v});`;
      default:
        return `c.${type.kind}(${v});`;
    }
  }

  #array(type: Extract<AvroType, { kind: 'array' }>): string {
    return this.coder.routine(type, 'array', () => {
      const item = this.statement(type.items, 'a[i]');
      return `const a=c.array(o);for(let i=0;i<a.length;i++){${item}}c.end();`;
    });
  }

  #map(type: Extract<AvroType, { kind: 'map' }>): string {
    return this.coder.routine(type, 'map', () => {
      const value = this.statement(type.values, 'o[k]');
      return `for(const k of c.keys(o)){c.string(k);${value}}c.end();`;
    });
  }

  #record(type: Extract<AvroType, { kind: 'record' }>): string {
    const body = (): string => {
      const fields = type.fields.map((field, i) => {
        const v = `v${i}`;
        const name = JSON.stringify(field.name);
        // Objects have some names without anybody having put them there.
        const given =
          field.name in Object.prototype
            ? `Object.hasOwn(o,${name})?o[${name}]:undefined`
            : `o[${name}]`;
        const read = `const ${v}=${given};`;
        const put = this.statement(field.type, v);
        if (!field.default) return read + put;
        const bytes = this.coder.constant(defaultBytes(field.type, field.default.json));
        return `${read}if(${v}===undefined)c.writer.raw(${bytes});else{${put}}`;
      });
      const names = this.coder.constant(new Set(type.fields.map(({ name }) => name)));
      return `c.object(o);${fields.join('')}c.only(o,${names});`;
    };
    return this.coder.routine(type, 'record', body, undefined, true);
  }

  #union(type: Extract<AvroType, { kind: 'union' }>): string {
    return this.coder.routine(type, 'union', () =>
      this.mode === 'avro' ? this.#named(type.branches) : this.#bare(type.branches),
    );
  }

  #put(branch: AvroType, i: number, v: string): string {
    return `c.writer.int(${i});${this.statement(branch, v)}`;
  }

  /** `{"string": "x"}`: the value names its branch. */
  #named(branches: readonly AvroType[]): string {
    const cases = branches.map((branch, i) => {
      if (branch.kind === 'null') return `if(o===null){${this.#put(branch, i, 'o')}return;}`;
      return `if(n===${JSON.stringify(branchName(branch))}){${this.#put(branch, i, 'o[n]')}return;}`;
    });
    const first = cases.filter((_, i) => branches[i]!.kind === 'null').join('');
    const rest = cases.filter((_, i) => branches[i]!.kind !== 'null').join('');
    return `${first}const k=Object.keys(c.object(o));const n=k.length===1?k[0]:'';${rest}c.fail();`;
  }

  /** The first branch that the value fits. */
  #bare(branches: readonly AvroType[]): string {
    const cases = branches.map((branch, i) => {
      const test =
        quickTest(branch) ?? `${this.coder.constant(accepts)}(${this.coder.constant(branch)},o)`;
      return `if(${test}){${this.#put(branch, i, 'o')}return;}`;
    });
    return `${cases.join('')}c.fail();`;
  }
}

/** Tests that need no look at the type. */
function quickTest(type: AvroType): string | undefined {
  switch (type.kind) {
    case 'null':
      return 'o===null';
    case 'boolean':
    case 'string':
      return `typeof o==='${type.kind}'`;
    case 'int':
      return "typeof o==='number'&&o===(o|0)";
    default:
      return undefined;
  }
}
