/** Schemas: what the specification allows, what it refuses, canonical form and fingerprints. */
import { describe, expect, it } from 'vitest';
import { Cursor } from '../../../src/formats/avro/codec/cursor.ts';
import { DatumPrinter } from '../../../src/formats/avro/codec/datum.ts';
import { JsonOut } from '../../../src/formats/avro/codec/json-out.ts';
import { resolve } from '../../../src/formats/avro/resolve/resolve.ts';
import { canonicalForm, fingerprints } from '../../../src/formats/avro/schema/canonical.ts';
import type { RecordType } from '../../../src/formats/avro/schema/model.ts';
import { parseSchema, schemaFromJson } from '../../../src/formats/avro/schema/parse.ts';

const record = (fields: unknown[], more: object = {}) => ({
  type: 'record',
  name: 'R',
  fields,
  ...more,
});
const field = (type: unknown, more: object = {}) => ({ name: 'f', type, ...more });

describe('a schema is refused', () => {
  const cases: [string, unknown, RegExp][] = [
    ['that names an unknown type', 'strin', /at the top: no type of the name "strin"/],
    ['that is a number', 3, /a type is a name, an object or an array, not 3/],
    ['without a type', { name: 'R' }, /has no "type"/],
    ['whose record has no name', { type: 'record', fields: [] }, /record needs a "name"/],
    ['whose name has a dash', { type: 'fixed', name: 'a-b', size: 1 }, /"a-b" is no name/],
    ['whose name begins with a digit', record([], { name: '1R' }), /"1R" is no name/],
    ['whose namespace is bad', record([], { namespace: 'a..b' }), /"" is no name of a namespace/],
    ['that defines a primitive', { type: 'enum', name: 'int', symbols: [] }, /Avro's own/],
    ['without fields', { type: 'record', name: 'R' }, /needs an array "fields"/],
    ['with a field twice', record([field('int'), field('int')]), /two fields of the name f/],
    ['with a bad field name', record([{ name: 'a b', type: 'int' }]), /at R: "a b" is no name/],
    ['whose union has a type twice', ['int', 'int'], /at \|1: the union has int twice/],
    [
      'whose union has two maps',
      [
        { type: 'map', values: 'int' },
        { type: 'map', values: 'long' },
      ],
      /has map twice/,
    ],
    ['whose union holds a union', ['int', ['null']], /directly hold another union/],
    ['with a symbol twice', { type: 'enum', name: 'E', symbols: ['A', 'A'] }, /has A twice/],
    ['with a bad symbol', { type: 'enum', name: 'E', symbols: ['a-'] }, /no name of a symbol/],
    [
      'whose enum default is no symbol',
      { type: 'enum', name: 'E', symbols: ['A'], default: 'B' },
      /the default "B" is no symbol of enum E/,
    ],
    ['with a fixed of less than nothing', { type: 'fixed', name: 'X', size: -1 }, /not -1/],
    ['with a fixed of half a byte', { type: 'fixed', name: 'X', size: 0.5 }, /not 0.5/],
    ['with an array of nothing', { type: 'array' }, /needs "items"/],
    ['with a map of nothing', { type: 'map' }, /needs "values"/],
    ['with a strange order', record([field('int', { order: 'up' })]), /order is ascending/],
    ['with aliases that are no array', record([], { aliases: 'S' }), /array of names/],
    [
      'with a type defined twice',
      record([field({ type: 'fixed', name: 'R', size: 1 })]),
      /R is defined twice/,
    ],
    ['with a default of another type', record([field('int', { default: 'x' })]), /at R\.f: .*32/],
    ['with an int default too large', record([field('int', { default: 2 ** 31 })]), /32 bits/],
    ['with null for a string', record([field('string', { default: null })]), /a string is wanted/],
    [
      'with a default of a wrong item',
      record([field({ type: 'array', items: 'int' }, { default: [1, 'x'] })]),
      /at \[1\]: an integer of 32 bits is wanted, not "x"/,
    ],
    [
      'with a default of no branch',
      record([field(['null', 'int'], { default: 'x' })]),
      /one of the branches/,
    ],
    [
      'with a fixed default of another size',
      record([field({ type: 'fixed', name: 'X', size: 2 }, { default: 'abc' })]),
      /2 characters is wanted, not of 3/,
    ],
    [
      'with a default for a record that lacks a field',
      record([field(record([{ name: 'g', type: 'int' }], { name: 'S' }), { default: {} })]),
      /lacks the field g/,
    ],
  ];
  it.each(cases)('%s', (_, json, message) => {
    expect(() => schemaFromJson(json)).toThrow(message);
  });

  it('whose default has no end', () => {
    const endless = record([field('R', { default: {} })]);
    expect(() => schemaFromJson(endless)).toThrow(/without an end/);
  });

  it('whose default branches beyond counting', () => {
    const next = (i: number): object =>
      i === 40
        ? record([], { name: 'R40' })
        : record(
            [
              { name: 'a', type: next(i + 1), default: {} },
              { name: 'b', type: `R${i + 1}`, default: {} },
            ],
            { name: `R${i}` },
          );
    expect(() => schemaFromJson(next(0))).toThrow(/more than 100000 parts/);
  });

  it('that is larger than anything that means something', () => {
    const fields = Array.from({ length: 30_000 }, (_, i) => ({ name: `f${i}`, type: 'int' }));
    expect(() => schemaFromJson(record(fields))).toThrow(/more than 20000/);
    const symbols = Array.from({ length: 30_000 }, (_, i) => `S${i}`);
    expect(() => schemaFromJson({ type: 'enum', name: 'E', symbols })).toThrow(/more than 20000/);
  });

  it('that is no JSON', () => {
    expect(() => parseSchema('{"type":')).toThrow(/no JSON/);
  });

  it('nested beyond all measure, without a crash', () => {
    const deep = `${'{"type":"array","items":'.repeat(100_000)}"int"${'}'.repeat(100_000)}`;
    expect(() => parseSchema(deep)).toThrow(/nested deeper|no JSON/);
  });
});

it('a schema with more ways through it than can be gone is read and resolved at once', () => {
  const next = (i: number): unknown =>
    i === 60
      ? record([{ name: 'v', type: 'int' }], { name: 'R60' })
      : record(
          [
            { name: 'a', type: next(i + 1) },
            { name: 'b', type: `R${i + 1}` },
          ],
          {
            name: `R${i}`,
          },
        );
  const { root } = schemaFromJson({ type: 'array', items: next(0) });
  const { problems } = resolve(root, schemaFromJson({ type: 'array', items: next(0) }).root);
  expect(problems).toEqual([]);
  const printer = new DatumPrinter(root);
  const cursor = new Cursor();
  cursor.open(Buffer.from('0200', 'hex'), 0, 2);
  expect(printer.print(cursor, new JsonOut())).toBe(false);
  expect(printer.faults[0]?.code).toBe('bad-block-count');
  // Alone, it is as many ints, or as many records of nothing.
  const alone = new DatumPrinter(schemaFromJson(next(0)).root);
  cursor.open(Buffer.alloc(100), 0, 100);
  expect(alone.print(cursor, new JsonOut())).toBe(false);
  expect(alone.faults[0]?.code).toBe('truncated-datum');
  const text = JSON.stringify(next(0)).replace('{"name":"v","type":"int"}', '');
  const nothing = new DatumPrinter(schemaFromJson(JSON.parse(text)).root);
  cursor.open(Buffer.alloc(0), 0, 0);
  expect(nothing.print(cursor, new JsonOut())).toBe(false);
  expect(nothing.faults[0]?.code).toBe('too-deep');
});

describe('a schema', () => {
  it('keeps the difference between no default and a default of null', () => {
    const { root } = schemaFromJson(
      record([
        { name: 'a', type: ['null', 'int'] },
        { name: 'b', type: ['null', 'int'], default: null },
      ]),
    );
    const [a, b] = (root as RecordType).fields;
    expect(a).not.toHaveProperty('default');
    expect(b?.default).toEqual({ json: null });
  });

  it('takes a default of any branch of a union', () => {
    expect(() => schemaFromJson(record([field(['null', 'int'], { default: 7 })]))).not.toThrow();
  });

  it('keeps every digit of a long default', () => {
    const text = '{"type":"record","name":"R","fields":[{"name":"f","type":"long",';
    const { root } = parseSchema(`${text}"default":9223372036854775807}]}`);
    expect((root as RecordType).fields[0]?.default?.json).toBe(9223372036854775807n);
    expect(() => parseSchema(`${text}"default":9223372036854775808}]}`)).toThrow(/64 bits/);
  });

  it('resolves names by the namespace around them', () => {
    const { names } = schemaFromJson(
      record(
        [
          { name: 'a', type: { type: 'fixed', name: 'X', size: 1 } },
          { name: 'b', type: { type: 'fixed', name: 'other.Y', size: 1 } },
          { name: 'c', type: 'X' },
          { name: 'd', type: 'other.Y' },
          { name: 'e', type: { type: 'enum', name: 'Z', namespace: '', symbols: [] } },
        ],
        { namespace: 'space' },
      ),
    );
    expect([...names.keys()]).toEqual(['space.R', 'space.X', 'other.Y', 'Z']);
  });

  it('may refer to itself', () => {
    const { root } = schemaFromJson(record([field(['null', 'R'])]));
    const { type } = (root as RecordType).fields[0]!;
    expect(type.kind === 'union' && type.branches[1]).toBe(root);
  });

  it('ignores logical types that do not fit, and says so', () => {
    const ignored = (json: object) => schemaFromJson(json).ignored;
    expect(ignored({ type: 'int', logicalType: 'date' })).toEqual([]);
    expect(ignored({ type: 'long', logicalType: 'date' })).toEqual([
      'the top: logical type date stands on long, expected int',
    ]);
    expect(ignored({ type: 'bytes', logicalType: 'decimal' })[0]).toMatch(/needs a precision/);
    expect(ignored({ type: 'bytes', logicalType: 'decimal', precision: 2, scale: 3 })[0]).toMatch(
      /from 0 to its precision 2/,
    );
    const fixed = { type: 'fixed', name: 'X', size: 2, logicalType: 'decimal' };
    expect(ignored({ ...fixed, precision: 4 })).toEqual([]);
    expect(ignored({ ...fixed, precision: 5 })[0]).toMatch(/which hold 4 digits/);
    expect(ignored({ type: 'string', logicalType: 'constructor' })[0]).toMatch(/not known/);
  });
});

describe('canonical form', () => {
  const form = (json: unknown) => canonicalForm(schemaFromJson(json));

  it('strips and orders', () => {
    expect(
      form({
        doc: 'gone',
        fields: [{ default: 1, type: { type: 'int' }, name: 'f', order: 'ignore', aliases: ['g'] }],
        namespace: 'a.b',
        name: 'R',
        aliases: ['S'],
        type: 'record',
      }),
    ).toBe('{"name":"a.b.R","type":"record","fields":[{"name":"f","type":"int"}]}');
  });

  it('names a type that stood before in full', () => {
    const json = record(
      [
        { name: 'a', type: { type: 'enum', name: 'E', symbols: ['A'], default: 'A' } },
        { name: 'b', type: ['null', 'E', { type: 'map', values: 'n.R' }] },
      ],
      { namespace: 'n' },
    );
    expect(form(json)).toBe(
      '{"name":"n.R","type":"record","fields":[{"name":"a","type":{"name":"n.E","type":"enum",' +
        '"symbols":["A"]}},{"name":"b","type":["null","n.E",{"type":"map","values":"n.R"}]}]}',
    );
  });

  it('is its own canonical form', () => {
    const json = record([field(['null', { type: 'array', items: 'R' }])], { namespace: 'x' });
    const once = form(json);
    expect(form(JSON.parse(once))).toBe(once);
  });
});

describe('fingerprints', () => {
  // Apache Avro, share/test/data/schema-tests.txt, as signed numbers there.
  const vectors: [unknown, bigint][] = [
    ['null', 7195948357588979594n],
    [{ type: 'boolean' }, -6970731678124411036n],
    ['int', 8247732601305521295n],
    ['long', -3434872931120570953n],
    ['float', 5583340709985441680n],
    ['double', -8181574048448539266n],
    ['bytes', 5746618253357095269n],
    ['string', -8142146995180207161n],
  ];
  it.each(vectors)('%j', (json, signed) => {
    const expected = BigInt.asUintN(64, signed).toString(16).padStart(16, '0');
    expect(fingerprints(schemaFromJson(json))['crc-64-avro']).toBe(expected);
  });

  it('of other kinds are those of the canonical form', () => {
    expect(fingerprints(schemaFromJson('int'))).toMatchObject({
      md5: 'ef524ea1b91e73173d938ade36c1db32',
      'sha-256': '3f2b87a9fe7cc9b13835598c3981cd45e3e355309e5090aa0933d7becb6fba45',
    });
  });
});
