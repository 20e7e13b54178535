/** Encoding and decoding: round trips, peers, and what is said of broken data. */
import avsc from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cursor } from '../../../src/formats/avro/codec/cursor.ts';
import { DatumDecoder, DatumPrinter, PLAIN } from '../../../src/formats/avro/codec/datum.ts';
import { JsonOut } from '../../../src/formats/avro/codec/json-out.ts';
import type { Mode, WriteMode } from '../../../src/formats/avro/codec/mode.ts';
import { walkDatum } from '../../../src/formats/avro/codec/walk.ts';
import { valueWriter } from '../../../src/formats/avro/codec/write-value.ts';
import { Writer } from '../../../src/formats/avro/codec/writer.ts';
import { schemaFromJson } from '../../../src/formats/avro/schema/parse.ts';
import { parseJsonBig } from '../../../src/shared/json-big.ts';
import { sample } from './arbitrary.ts';

const typeOf = (json: unknown) => schemaFromJson(json).root;

function encode(schema: unknown, value: unknown, mode: WriteMode = 'value'): Buffer {
  const writer = new Writer();
  valueWriter(typeOf(schema), mode)(writer, value);
  return Buffer.from(writer.written);
}

function print(schema: unknown, bytes: Uint8Array, mode: Mode = 'plain', logical = false) {
  const type = typeOf(schema);
  const printer = new DatumPrinter(type, type, { mode, logical });
  const cursor = new Cursor();
  cursor.open(bytes, 0, bytes.length);
  const out = new JsonOut();
  const ok = printer.print(cursor, out);
  return { ok, text: out.text, at: cursor.at, faults: [...printer.faults] };
}

/** The first fault of data in hex. */
function faultOf(schema: unknown, hex: string) {
  const { ok, faults, text } = print(schema, Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  expect(text === '').toBe(!ok);
  const { code, offset, path, message } = faults[0] ?? {};
  return { ok, code, offset, path, message };
}

describe('any value of any schema', () => {
  it('comes back as it was, printed and decoded', () => {
    fc.assert(
      fc.property(sample, ({ schema, value }) => {
        const bytes = encode(schema, value);
        const { ok, text, at } = print(schema, bytes);
        expect(ok).toBe(true);
        expect(at).toBe(bytes.length);
        expect(JSON.parse(text)).toEqual(value);
        const decoder = new DatumDecoder(typeOf(schema), typeOf(schema), PLAIN);
        const cursor = new Cursor();
        cursor.open(bytes, 0, bytes.length);
        expect(decoder.decode(cursor)?.value).toEqual(value);
        const native = new DatumDecoder(typeOf(schema));
        cursor.open(bytes, 0, bytes.length);
        expect(encode(schema, native.decode(cursor)?.value)).toEqual(bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('comes back through the JSON encoding', () => {
    fc.assert(
      fc.property(sample, ({ schema, value }) => {
        const bytes = encode(schema, value);
        const { text } = print(schema, bytes, 'avro');
        expect(encode(schema, parseJsonBig(text), 'avro')).toEqual(bytes);
      }),
      { numRuns: 200 },
    );
  });

  it('is what avsc reads, and the other way round', () => {
    const words = avsc.types.LongType.__with({
      fromBuffer: (b: Buffer) => b.readBigInt64LE(),
      toBuffer: (n: bigint) => {
        const b = Buffer.alloc(8);
        b.writeBigInt64LE(n);
        return b;
      },
      fromJSON: BigInt,
      toJSON: String,
      isValid: (n: unknown) => typeof n === 'bigint',
      compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
    });
    fc.assert(
      fc.property(sample, ({ schema, value }) => {
        // avsc loses a key of this name.
        fc.pre(!JSON.stringify(value).includes('__proto__'));
        const bytes = encode(schema, value);
        const type = avsc.Type.forSchema(schema as never, {
          registry: { long: words },
          wrapUnions: true,
        });
        expect(type.toBuffer(type.fromBuffer(bytes))).toEqual(bytes);
      }),
      { numRuns: 200 },
    );
  });

  it('broken anywhere, is refused or read alike by the fast and the exact reading', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
    fc.assert(
      fc.property(sample, damage, fc.nat(60), ({ schema, value }, hits, cut) => {
        const whole = encode(schema, value);
        const bytes = Buffer.from(cut < 20 ? whole.subarray(0, -cut - 1) : whole);
        for (const [at, byte] of hits) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        const warnings: string[] = [];
        const type = typeOf(schema);
        const walked = walkDatum(type, bytes, 0, bytes.length, {
          warn: ({ code }) => warnings.push(code),
        });
        const { ok, faults, at, text } = print(schema, bytes);
        expect(ok).toBe(walked.fault === undefined);
        if (ok) {
          expect(at).toBe(walked.end);
          JSON.parse(text);
        } else expect(faults.at(-1)).toEqual(walked.fault);
        expect(faults.filter((one) => one.severity === 'warning').map((one) => one.code)).toEqual(
          warnings,
        );
      }),
      { numRuns: 1500 },
    );
  });
});

describe('longs', () => {
  it.each([
    0n,
    -1n,
    63n,
    64n,
    -65n,
    2n ** 31n,
    -(2n ** 31n) - 1n,
    2n ** 49n + 1n,
    2n ** 52n - 1n,
    2n ** 53n - 1n,
    -(2n ** 53n) + 1n,
    -(2n ** 53n),
    2n ** 53n,
    2n ** 55n + 3n,
    2n ** 56n,
    2n ** 62n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ])('%s keeps every digit', (n) => {
    const bytes = encode('long', n);
    const safe = Number.isSafeInteger(Number(n));
    expect(print('long', bytes).text).toBe(safe ? String(n) : `"${n}"`);
    expect(print('long', bytes, 'avro').text).toBe(String(n));
    expect(encode('long', String(n))).toEqual(bytes);
    if (safe) expect(encode('long', Number(n))).toEqual(bytes);
  });
});

describe('numbers that JSON lacks', () => {
  it.each(['NaN', 'Infinity', '-Infinity'])('%s', (word) => {
    expect(print('double', encode('double', word)).text).toBe(`"${word}"`);
  });
  it('minus zero', () => {
    expect(print('double', encode('double', -0)).text).toBe('-0.0');
  });
});

const R = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] };
const tags = (type: unknown) => ({ ...R, fields: [{ name: 'tags', type }] });
const array = { type: 'array', items: 'string' };
const map = { type: 'map', values: 'int' };

describe('broken data has a finding of its own', () => {
  const cases: [string, unknown, string, string, number, string][] = [
    ['a varint cut off', R, '80', 'truncated-datum', 0, 'R.a'],
    ['a double cut off', 'double', '00000000', 'truncated-datum', 0, 'double'],
    ['no bytes for a boolean', 'boolean', '', 'truncated-datum', 0, 'boolean'],
    ['a boolean of 2', 'boolean', '02', 'bad-boolean', 0, 'boolean'],
    ['an int over 32 bits', R, '80 80 80 80 20', 'int-range', 0, 'R.a'],
    ['a varint of eleven', 'long', `${'ff '.repeat(10)}01`, 'long-varint', 0, 'long'],
    ['a varint of 65 bits', 'long', `${'ff '.repeat(9)}02`, 'long-varint', 0, 'long'],
    ['a gigabyte asked for', 'bytes', '80 80 80 80 08 01 02 03 04', 'bad-byte-length', 0, 'bytes'],
    ['a negative length', 'string', '01', 'bad-byte-length', 0, 'string'],
    ['no UTF-8', 'string', '04 c3 28', 'bad-utf8', 1, 'string'],
    ['UTF-8 of a surrogate', 'string', '06 ed a0 80', 'bad-utf8', 1, 'string'],
    ['no UTF-8 in a key', map, '02 02 ff 02 00', 'bad-utf8', 2, 'map'],
    ['no symbol', { type: 'enum', name: 'E', symbols: ['A'] }, '02', 'bad-enum-index', 0, 'E'],
    ['no branch', ['null', 'int'], '04', 'bad-union-branch', 0, 'union'],
    ['a negative branch', ['null', 'int'], '01', 'bad-union-branch', 0, 'union'],
    ['a billion items', tags(array), '80 80 80 80 08', 'bad-block-count', 0, 'R.tags'],
    ['a block too large', tags(array), '01 08 00', 'bad-block-size', 1, 'R.tags'],
    ['a block of another size', tags(array), '01 06 02 61 02 00', 'bad-block-size', 1, 'R.tags'],
    ['a broken third item', tags(array), '06 00 00 05 00', 'bad-byte-length', 3, 'R.tags[2]'],
    ['the least of all counts', array, `${'ff '.repeat(9)}01`, 'bad-block-count', 0, 'array'],
    ['a value of a key', map, '02 02 6b 80 80 80 80 20 00', 'int-range', 3, 'map{"k"}'],
    ['a branch by its name', ['null', tags('boolean')], '02 07', 'bad-boolean', 1, 'union|R.tags'],
  ];
  it.each(cases)('%s', (_, schema, hex, code, offset, path) => {
    expect(faultOf(schema, hex)).toMatchObject({ ok: false, code, offset, path });
  });

  it('nulls without end', () => {
    const nulls = { type: 'array', items: 'null' };
    expect(faultOf(nulls, '80 80 80 80 08 00')).toMatchObject({ code: 'bad-block-count' });
    expect(print(nulls, Buffer.from('0600', 'hex')).text).toBe('[null,null,null]');
    // Each of the inner arrays is small, all of them together are not.
    const inner = '80897a00';
    const many = Buffer.concat([encode('int', 100), Buffer.from(`${inner.repeat(100)}00`, 'hex')]);
    expect(print({ type: 'array', items: nulls }, many).faults[0]?.code).toBe('bad-block-count');
  });

  it('a list without end', () => {
    const list = { ...R, fields: [{ name: 'next', type: ['null', 'R'] }] };
    const { ok, faults } = print(list, Buffer.alloc(100_000, 2));
    expect({ ok, code: faults[0]?.code }).toEqual({ ok: false, code: 'too-deep' });
    expect(print(list, Buffer.concat([Buffer.alloc(500, 2), Buffer.from([0])])).ok).toBe(true);
    const endless = { ...R, fields: [{ name: 'self', type: 'R' }] };
    expect(faultOf(endless, '')).toMatchObject({ code: 'too-deep' });
  });

  it('a varint longer than it needs be is read, with a warning', () => {
    const fault = faultOf(R, '82 00');
    expect(fault).toMatchObject({ ok: true, code: 'overlong-varint', offset: 0, path: 'R.a' });
    expect(print(R, Buffer.from('8200', 'hex')).text).toBe('{"a":1}');
  });
});

describe('values that do not fit are refused with their path', () => {
  const cases: [string, unknown, unknown, RegExp][] = [
    ['a word for an int', R, { a: 'x' }, /^R\.a: an integer of 32 bits is wanted, not "x"/],
    ['a field missing', R, {}, /^R: the field a is missing/],
    ['a field too many', R, { a: 1, b: 2 }, /^R: R has no field "b"/],
    ['an item', tags(array), { tags: ['x', 3] }, /^R\.tags\[1\]: string is wanted, not 3/],
    ['a long of 65 bits', 'long', '9223372036854775808', /integer of 64 bits/],
    ['a fraction', 'long', 1.5, /integer of 64 bits/],
    ['bytes of a wrong size', { type: 'fixed', name: 'X', size: 2 }, { hex: '00' }, /2 bytes/],
    ['half a character', 'string', '\ud800', /string is wanted/],
    ['no branch', ['null', 'int'], 'x', /one of null, int is wanted/],
    ['a wrong field of a branch', ['null', R], { a: null }, /^union\|R\.a: an integer/],
    ['no symbol', { type: 'enum', name: 'E', symbols: ['A'] }, 'B', /one of A is wanted/],
  ];
  it.each(cases)('%s', (_, schema, value, message) => {
    expect(() => encode(schema, value)).toThrow(message);
  });

  it('in the JSON encoding', () => {
    expect(() => encode(['null', 'int'], 3, 'avro')).toThrow(/a branch of null, int/);
    expect(() => encode(['null', 'int'], { int: 'x' }, 'avro')).toThrow(/union\|int: /);
    expect(() => encode('bytes', '\u0100', 'avro')).toThrow(/U\+0000 to U\+00FF/);
  });

  it('and nothing of them is left behind', () => {
    const writer = new Writer();
    writer.int(1);
    const write = valueWriter(typeOf(tags(array)), 'value');
    expect(() => write(writer, { tags: ['x', 3] })).toThrow();
    expect([...writer.written]).toEqual([2]);
  });
});

describe('names that mean something to JavaScript', () => {
  const fields = ['__proto__', 'constructor', 'toString'].map((name) => ({ name, type: 'int' }));
  const schema = { type: 'record', name: 'R', fields };

  it('are fields like others', () => {
    const { text } = print(schema, Buffer.from('020406', 'hex'));
    expect(text).toBe('{"__proto__":1,"constructor":2,"toString":3}');
    const cursor = new Cursor();
    cursor.open(Buffer.from('020406', 'hex'), 0, 3);
    const value = new DatumDecoder(typeOf(schema)).decode(cursor)?.value as object;
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it('are keys like others', () => {
    const bytes = encode(map, JSON.parse('{"__proto__":5}'));
    expect(print(map, bytes).text).toBe('{"__proto__":5}');
    const cursor = new Cursor();
    cursor.open(bytes, 0, bytes.length);
    const value = new DatumDecoder(typeOf(map)).decode(cursor)?.value as object;
    expect(Object.keys(value)).toEqual(['__proto__']);
  });

  it('are not taken for a field that is missing', () => {
    expect(() => encode({ ...R, fields: [{ name: 'toString', type: 'string' }] }, {})).toThrow(
      /the field toString is missing/,
    );
    const fallback = { name: 'constructor', type: 'int', default: 7 };
    expect(encode({ ...R, fields: [fallback] }, {})).toEqual(Buffer.from([14]));
  });
});

describe('logical types', () => {
  const show = (schema: unknown, value: unknown) =>
    JSON.parse(print(schema, encode(schema, value), 'plain', true).text) as unknown;
  const on = (type: string, logicalType: string, more: object = {}) => ({
    type,
    logicalType,
    ...more,
  });
  const fixed = (size: number, logicalType: string) =>
    on('fixed', logicalType, { name: 'X', size });
  it.each([
    [on('int', 'date'), 19_000, '2022-01-08'],
    [on('int', 'date'), -1, '1969-12-31'],
    [on('int', 'date'), 2_147_483_647, 2_147_483_647],
    [on('int', 'time-millis'), 86_399_999, '23:59:59.999'],
    [on('int', 'time-millis'), -1, -1],
    [on('long', 'time-micros'), 1, '00:00:00.000001'],
    [on('long', 'timestamp-millis'), -1, '1969-12-31T23:59:59.999Z'],
    [on('long', 'timestamp-micros'), 1_700_000_000_123_456, '2023-11-14T22:13:20.123456Z'],
    [on('long', 'timestamp-nanos'), '1700000000123456789', '2023-11-14T22:13:20.123456789Z'],
    [on('long', 'local-timestamp-millis'), 0, '1970-01-01T00:00:00.000'],
    [on('bytes', 'decimal', { precision: 5, scale: 2 }), { hex: 'ff38' }, '-2.00'],
    [on('bytes', 'decimal', { precision: 5, scale: 2 }), { hex: '05' }, '0.05'],
    [on('bytes', 'decimal', { precision: 5 }), { hex: '' }, '0'],
    [on('string', 'uuid'), 'as it is', 'as it is'],
    [
      fixed(16, 'uuid'),
      { hex: '00112233445566778899aabbccddeeff' },
      '00112233-4455-6677-8899-aabbccddeeff',
    ],
    [
      fixed(12, 'duration'),
      { hex: '01000000020000000300 0000'.replace(' ', '') },
      { months: 1, days: 2, millis: 3 },
    ],
  ])('%j of %j', (schema, value, shown) => {
    expect(show(schema, value)).toEqual(shown);
  });
});
