/** Schema resolution: the specification's list, case by case, and what Apache Avro makes of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cursor } from '../../../src/formats/avro/codec/cursor.ts';
import { DatumDecoder, DatumPrinter, PLAIN } from '../../../src/formats/avro/codec/datum.ts';
import { JsonOut } from '../../../src/formats/avro/codec/json-out.ts';
import { valueWriter } from '../../../src/formats/avro/codec/write-value.ts';
import { Writer } from '../../../src/formats/avro/codec/writer.ts';
import { incompatibilities } from '../../../src/formats/avro/resolve/compatibility.ts';
import { resolve } from '../../../src/formats/avro/resolve/resolve.ts';
import { schemaFromJson } from '../../../src/formats/avro/schema/parse.ts';
import { sample } from './arbitrary.ts';

const typeOf = (json: unknown) => schemaFromJson(json).root;

interface Golden {
  name: string;
  writer: unknown;
  reader: unknown;
  hex: string;
  value?: unknown;
  error?: string;
}

/** Read by both fast readers, which must agree. */
function read(writer: unknown, reader: unknown, bytes: Uint8Array) {
  const types = [typeOf(writer), typeOf(reader)] as const;
  const printer = new DatumPrinter(...types, PLAIN);
  const cursor = new Cursor();
  const out = new JsonOut();
  cursor.open(bytes, 0, bytes.length);
  const ok = printer.print(cursor, out);
  const text = out.text;
  const end = cursor.at;
  cursor.open(bytes, 0, bytes.length);
  const decoded = new DatumDecoder(...types, PLAIN).decode(cursor);
  expect(decoded !== undefined).toBe(ok);
  if (!ok) return { fault: printer.faults[0] };
  expect(end).toBe(bytes.length);
  expect(decoded?.value).toEqual(JSON.parse(text));
  return { value: decoded?.value, text };
}

function written(schema: unknown, value: unknown): Buffer {
  const writer = new Writer();
  valueWriter(typeOf(schema), 'value')(writer, value);
  return Buffer.from(writer.written);
}

const via = (writer: unknown, reader: unknown, value: unknown) =>
  read(writer, reader, written(writer, value));

describe('as Apache Avro for Python has it', () => {
  const file = join(import.meta.dirname, '../../../fixtures/avro/payloads/payloads.json');
  const { resolution } = JSON.parse(readFileSync(file, 'utf8')) as { resolution: Golden[] };
  it.each(resolution)('$name', ({ writer, reader, hex, value, error }) => {
    const result = read(writer, reader, Buffer.from(hex, 'hex'));
    if (error === undefined) expect(result.value).toEqual(value);
    else expect(result.fault?.code).toBe('unresolvable');
  });
});

describe('promotions', () => {
  const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'];
  const ALLOWED = new Set(
    ['int long', 'int float', 'int double', 'long float', 'long double', 'float double'].concat(
      ['string bytes', 'bytes string'],
      PRIMITIVES.map((name) => `${name} ${name}`),
    ),
  );
  const pairs = PRIMITIVES.flatMap((writer) => PRIMITIVES.map((reader) => [writer, reader]));
  it.each(pairs)('%s to %s', (writer, reader) => {
    const { problems } = resolve(typeOf(writer), typeOf(reader));
    expect(problems.length === 0).toBe(ALLOWED.has(`${writer} ${reader}`));
  });

  it('give what the reader has', () => {
    expect(via('string', 'bytes', 'é').value).toEqual({ hex: 'c3a9' });
    expect(via('bytes', 'string', { hex: 'c3a9' }).value).toBe('é');
    expect(via('bytes', 'string', { hex: 'ff' }).fault?.code).toBe('unresolvable');
    expect(via('int', 'float', 16_777_217).value).toBe(16_777_216);
    expect(via('long', 'double', '9007199254740993').value).toBe(9_007_199_254_740_992);
  });
});

const R = (fields: unknown[], more: object = {}) => ({
  type: 'record',
  name: 'R',
  fields,
  ...more,
});
const E = (symbols: string[], more: object = {}) => ({ type: 'enum', name: 'E', symbols, ...more });
const ruleOf = (writer: unknown, reader: unknown) =>
  resolve(typeOf(writer), typeOf(reader)).problems;

describe('named types', () => {
  it('match by their names without namespace, or by an alias of the reader', () => {
    const fields = [{ name: 'a', type: 'int' }];
    const writer = R(fields, { namespace: 'old' });
    expect(ruleOf(writer, R(fields, { namespace: 'new' }))).toEqual([]);
    const renamed = R(fields, { name: 'S', aliases: ['old.R'] });
    expect(via(writer, renamed, { a: 1 }).value).toEqual({ a: 1 });
    const [problem] = ruleOf(writer, R(fields, { name: 'S' }));
    expect(problem).toMatchObject({
      rule: 'name-mismatch',
      mend: expect.stringMatching(/alias "old.R"/),
    });
  });

  it('an alias without a dot is of the namespace of what it stands at', () => {
    const fields = [{ name: 'a', type: 'int' }];
    const writer = R(fields, { namespace: 'n' });
    const near = R(fields, { name: 'S', namespace: 'n', aliases: ['R'] });
    const far = R(fields, { name: 'S', namespace: 'm', aliases: ['R'] });
    expect(ruleOf(writer, near)).toEqual([]);
    expect(ruleOf(writer, far)).toHaveLength(1);
  });

  it('fixed of another size do not', () => {
    const fixed = (size: number) => ({ type: 'fixed', name: 'X', size });
    expect(ruleOf(fixed(2), fixed(3))[0]).toMatchObject({ rule: 'fixed-size', always: true });
  });
});

describe('enums', () => {
  it('fall back on the reader’s default, not the writer’s', () => {
    const reader = E(['A', 'OTHER'], { default: 'OTHER' });
    expect(via(E(['A', 'B']), reader, 'B').value).toBe('OTHER');
    expect(via(E(['A', 'B'], { default: 'A' }), E(['A']), 'B').fault).toMatchObject({
      code: 'unresolvable',
      path: 'E',
    });
  });

  it('are a problem only where a symbol is missing', () => {
    expect(ruleOf(E(['A']), E(['B', 'A']))).toEqual([]);
    expect(ruleOf(E(['A', 'B']), E(['A']))[0]).toMatchObject({
      rule: 'enum-symbols',
      always: false,
    });
  });
});

describe('records', () => {
  const int = (name: string, more: object = {}) => ({ name, type: 'int', ...more });

  it('come in the reader’s order, with its defaults in their places', () => {
    const writer = R([int('c'), int('x'), int('a')]);
    const reader = R([int('a'), int('b', { default: 9 }), int('c')]);
    expect(via(writer, reader, { a: 1, c: 3, x: 0 }).text).toBe('{"a":1,"b":9,"c":3}');
  });

  it('take fields by the reader’s aliases, but never two from one', () => {
    const writer = R([int('old'), int('b')]);
    const reader = R([int('new', { aliases: ['old'] }), int('b', { aliases: ['old'] })]);
    expect(via(writer, reader, { old: 1, b: 2 }).value).toEqual({ new: 1, b: 2 });
    const both = R([int('p', { aliases: ['old'] }), int('q', { aliases: ['old'], default: 5 })]);
    expect(via(R([int('old')]), both, { old: 1 }).value).toEqual({ p: 1, q: 5 });
  });

  it('have defaults of every type, new ones for each record', () => {
    const defaults = [
      ['null', null],
      ['boolean', true],
      ['long', -3],
      ['double', 1.5],
      ['double', 0],
      ['double', -0],
      ['bytes', 'ÿ'],
      [{ type: 'fixed', name: 'X', size: 2 }, '\u0000é'],
      [{ type: 'array', items: 'int' }, [1, 2]],
      [{ type: 'map', values: 'string' }, { k: 'v' }],
      [E(['A', 'B']), 'B'],
      [['null', 'string'], null],
      [['null', 'string'], 'later'],
      [R([int('a', { default: 4 }), { name: 's', type: 'string' }], { name: 'S' }), { s: 'x' }],
    ];
    const fields = defaults.map(([type, fallback], i) => ({
      name: `f${i}`,
      type,
      default: fallback,
    }));
    const { value } = via(R([]), R(fields), {});
    expect(Object.values(value as object)).toEqual([
      null,
      true,
      -3,
      1.5,
      0,
      -0,
      { hex: 'ff' },
      { hex: '00e9' },
      [1, 2],
      { k: 'v' },
      'B',
      null,
      'later',
      { a: 4, s: 'x' },
    ]);
    const decoder = new DatumDecoder(typeOf(R([])), typeOf(R(fields)));
    const cursor = new Cursor();
    cursor.open(new Uint8Array(0), 0, 0);
    const [a, b] = [decoder.decode(cursor), decoder.decode(cursor)] as { value: { f8: unknown } }[];
    expect(a!.value.f8).not.toBe(b!.value.f8);
  });

  it('that refer to themselves can differ', () => {
    const tree = (more: unknown[]) =>
      R([{ name: 'v', type: 'int' }, { name: 'next', type: ['null', 'R'] }, ...more]);
    const writer = tree([{ name: 'gone', type: { type: 'array', items: 'R' } }]);
    const reader = tree([{ name: 'fresh', type: 'int', default: 0 }]);
    const leaf = (v: number) => ({ v, next: null, gone: [] });
    const value = { v: 1, next: { ...leaf(2), gone: [leaf(7)] }, gone: [leaf(8), leaf(9)] };
    expect(via(writer, reader, value).value).toEqual({
      v: 1,
      next: { v: 2, next: null, fresh: 0 },
      fresh: 0,
    });
  });

  it('pass over blocks by their sizes', () => {
    const writer = R([{ name: 'x', type: { type: 'array', items: 'string' } }, int('a')]);
    // Nobody looks at what is in a block that says how long it is.
    const bytes = Buffer.from('03 06 ff ff 7f 00 0e'.replaceAll(' ', ''), 'hex');
    expect(read(writer, R([int('a')]), bytes).value).toEqual({ a: 7 });
    expect(read(writer, writer, bytes).fault?.code).toBe('bad-byte-length');
  });
});

describe('unions', () => {
  it('take the writer’s branch where it is among the reader’s, else the first that fits', () => {
    const branch = (writer: unknown, reader: unknown, value: unknown) => {
      const bytes = written(writer, value);
      const printer = new DatumPrinter(typeOf(writer), typeOf(reader), {
        mode: 'avro',
        logical: false,
      });
      const cursor = new Cursor();
      cursor.open(bytes, 0, bytes.length);
      const out = new JsonOut();
      return printer.print(cursor, out) ? out.text : printer.faults[0]?.code;
    };
    expect(branch('int', ['double', 'int'], 5)).toBe('{"int":5}');
    expect(branch('int', ['double', 'long'], 5)).toBe('{"double":5}');
    expect(branch(['null', 'int'], ['string', 'long', 'null'], 5)).toBe('{"long":5}');
    expect(branch(['null', 'int'], ['string', 'long', 'null'], null)).toBe('null');
    expect(branch(['int', 'string'], ['null', 'int'], 'x')).toBe('unresolvable');
    const [a, b] = ['a', 'b'].map((namespace) => R([], { namespace }));
    expect(branch(b, [a, b], {})).toBe('{"b.R":{}}');
    expect(branch([a, b], b, {})).toBe('{}');
  });
});

describe('any two schemas', () => {
  it('read or refuse what one of them wrote, alike in both ways of reading', () => {
    let readable = 0;
    fc.assert(
      fc.property(sample, sample, ({ schema: writer, value }, { schema: reader }) => {
        const bytes = written(writer, value);
        const { fault } = read(writer, reader, bytes);
        const { problems } = resolve(typeOf(writer), typeOf(reader));
        if (problems.length === 0) expect(fault?.message ?? 'no UTF-8').toContain('no UTF-8');
        if (problems.some(({ always }) => always)) expect(fault).toBeDefined();
        if (!fault) readable++;
      }),
      { numRuns: 1500 },
    );
    expect(readable).toBeGreaterThan(50);
  });
});

describe('compatibility', () => {
  const v1 = typeOf(R([{ name: 'a', type: 'int' }]));
  const added = typeOf(
    R([
      { name: 'a', type: 'int' },
      { name: 'b', type: 'int' },
    ]),
  );
  const optional = typeOf(
    R([
      { name: 'a', type: 'int' },
      { name: 'b', type: 'int', default: 0 },
    ]),
  );
  const widened = typeOf(R([{ name: 'a', type: 'long' }]));

  it.each([
    ['BACKWARD', added, ['backward R.b missing-default']],
    ['FORWARD', added, []],
    ['FULL', added, ['backward R.b missing-default']],
    ['FULL', optional, []],
    ['BACKWARD', widened, []],
    ['FORWARD', widened, ['forward R.a type-mismatch']],
    ['NONE', typeOf('int'), []],
  ] as const)('%s', (level, fresh, expected) => {
    const found = incompatibilities(fresh, [v1], level);
    expect(found.map((one) => `${one.direction} ${one.path} ${one.rule}`)).toEqual(expected);
    for (const { mend, message } of found) expect(mend && message).not.toBe('');
  });

  it('is held against the last, or transitively against all', () => {
    const older = [v1, optional];
    const fresh = typeOf(R([{ name: 'b', type: 'int' }]));
    expect(incompatibilities(fresh, older, 'BACKWARD')).toEqual([]);
    expect(incompatibilities(fresh, older, 'BACKWARD_TRANSITIVE')).toMatchObject([
      { against: 0, path: 'R.b', rule: 'missing-default' },
    ]);
  });
});
