import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coverageFaults } from '../../../src/formats/coverage.ts';
import {
  type ByteSource,
  DEFAULT_LIMITS,
  type Probe,
  type Span,
} from '../../../src/formats/format.ts';
import { lsmV1Encoder } from '../../../src/formats/wal/lsm-v1/encode.ts';
import { lsmV1 } from '../../../src/formats/wal/lsm-v1/index.ts';
import type { WalDamage } from '../../../src/formats/wal/model.ts';
import { verifyLog } from '../../../src/formats/wal/verify.ts';
import {
  concat,
  fixtureFiles,
  fixtureJson,
  MemorySource,
  memorySet,
  scanAll,
  type Told,
} from '../../support/memory.ts';

const NAME = 'wal.log';
const text = (value: string) => new Uint8Array(Buffer.from(value));
const scan = (bytes: Uint8Array, limits = {}, chunk?: number) =>
  scanAll(lsmV1, bytes, limits, NAME, chunk);
const write = (key: Uint8Array, value: Uint8Array) =>
  lsmV1Encoder.encode!(0, 0, { op: value.length > 0 ? 'put' : 'delete', key, value });
const put = (key: string, value: string | Uint8Array) =>
  write(text(key), typeof value === 'string' ? text(value) : value);
const user = (i: number, value: string | Uint8Array = `value ${i % 7} ${'x'.repeat(i % 23)}`) =>
  put(`user:${String(i).padStart(5, '0')}`, value);
const users = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => user(from + i, i % 9 === 4 ? '' : undefined));

function verify(bytes: Uint8Array) {
  const set = memorySet({ [NAME]: bytes });
  return verifyLog({ set, dialect: lsmV1, files: set.files }, { limits: DEFAULT_LIMITS, set });
}

async function layout(bytes: Uint8Array): Promise<Span[]> {
  const spans: Span[] = [];
  const context = { limits: DEFAULT_LIMITS, set: memorySet({ [NAME]: bytes }) };
  await lsmV1.layout(new MemorySource(NAME, bytes), context, (span) => spans.push(span) > 0);
  return spans;
}

/** Every byte is in one record or one lost stretch, in order. */
function expectTiled(size: number, records: Told[], damage: WalDamage[]): void {
  const spans = [...records, ...damage.filter(({ lost }) => lost)];
  let at = 0;
  for (const { offset, length } of spans.sort((a, b) => a.offset - b.offset)) {
    if (offset !== at || length <= 0) expect({ offset, length }).toEqual({ offset: at, length: 1 });
    at += length;
  }
  expect(at).toBe(size);
}

function overwritten(bytes: Uint8Array, offset: number, by: Uint8Array | number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(by, offset);
  return copy;
}

const u32 = (value: number) => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
};
const u32At = (bytes: Uint8Array, at: number) => Buffer.from(bytes).readUInt32BE(at);

interface Expected {
  records: { op: string; key: unknown; value: unknown }[];
  clean: boolean;
  findings?: string[];
}

describe('golden files', () => {
  it.each(['clean', 'torn-tail'])('%s gives what its expectation says', async (name) => {
    const bytes = fixtureFiles(`wal/lsm-v1/${name}`)[NAME]!;
    const expected = fixtureJson<Expected>(`wal/lsm-v1/${name}/expected.json`);
    const { records } = await scan(bytes);
    expect(records.map(({ op, key, value }) => ({ op, key, value }))).toEqual(expected.records);
    const result = await verify(bytes);
    expect(result.clean).toBe(expected.clean);
    expect(Object.keys(result.counts)).toEqual(expected.findings ?? []);
    expect(result.verdict).toBe(name === 'clean' ? 'clean' : 'torn-tail');
  });
});

// A copy: the slices of a Buffer share its memory.
const golden = new Uint8Array(fixtureFiles('wal/lsm-v1/clean')[NAME]!);

describe('one flipped bit', () => {
  /**
   * The guarantee, for a log of like records: a flipped bit in a key or a value changes that record
   * alone, and cannot be seen. One in a length is reported, and costs the record that it is in,
   * unless the length then leads to exactly where a later record begins: the records between are in
   * its value then.
   */
  it('costs one record of the golden file, or is in sight of the lengths', async () => {
    const { records: intact } = await scan(golden);
    let landed = 0;
    for (let bit = 0; bit < golden.length * 8; bit++) {
      const at = bit >>> 3;
      const bytes = overwritten(golden, at, [golden[at]! ^ (1 << (bit & 7))]);
      const hit = intact.findLast(({ offset }) => offset <= at)!;
      const inRecord = at - hit.offset;
      const keyLength = u32At(golden, hit.offset);
      const inLength = inRecord < 4 || (inRecord >= 4 + keyLength && inRecord < 8 + keyLength);
      const { records, damage } = await scan(bytes);
      expectTiled(bytes.length, records, damage);
      const others = intact.filter((record) => record !== hit);
      const left = records.filter(({ offset }) => offset !== hit.offset);
      if (!inLength) {
        expect(damage, `bit ${bit}`).toEqual([]);
        expect(left, `bit ${bit}`).toEqual(others);
        continue;
      }
      const end = endByLengths(bytes, hit.offset);
      const next = others.find(({ offset }) => offset === end);
      if (next || end === bytes.length) {
        landed++;
        expect(left).toEqual(others.filter(({ offset }) => offset < hit.offset || offset >= end));
        continue;
      }
      expect(damage.length, `bit ${bit}`).toBe(1);
      expect(damage[0]!.offset).toBe(hit.offset);
      if (damage[0]!.lost && !damage[0]!.tail)
        expect(damage[0]!.subject).toBe(`put or delete of "${hit.key}"`);
      expect(damage[0]!.length).toBe(hit.length);
      expect(left, `bit ${bit}`).toEqual(others);
      if (!damage[0]!.diagnosis) continue;
      expect(damage[0]!.diagnosis).toContain(`bit ${bit & 7} of the byte at ${at}`);
      const mended = overwritten(
        bytes,
        damage[0]!.mend!.offset,
        Buffer.from(damage[0]!.mend!.hex, 'hex'),
      );
      expect(mended).toEqual(golden);
    }
    expect(landed).toBeLessThan(10);
  });

  function endByLengths(bytes: Uint8Array, offset: number): number {
    const valueLengthAt = offset + 4 + u32At(bytes, offset);
    if (valueLengthAt + 4 > bytes.length) return -1;
    return valueLengthAt + 4 + u32At(bytes, valueLengthAt);
  }

  it('in any length of a longer log costs that record, and is named', async () => {
    const parts = users(300);
    const bytes = concat(parts);
    const { records: intact } = await scan(bytes);
    let named = 0;
    let tried = 0;
    for (let i = 40; i < 260; i += 7) {
      const hit = intact[i]!;
      for (const field of [0, 14]) {
        for (let bit = 0; bit < 32; bit += 3) {
          const at = hit.offset + field + 3 - (bit >>> 3);
          const { records, damage } = await scan(
            overwritten(bytes, at, [bytes[at]! ^ (1 << (bit & 7))]),
          );
          const lost = intact.filter((record) => !records.some((r) => r.offset === record.offset));
          tried++;
          if (damage.length === 1 && damage[0]!.diagnosis?.includes(`byte at ${at}`)) named++;
          else continue;
          expect(lost).toEqual(damage[0]!.lost ? [hit] : lost);
        }
      }
    }
    expect(named / tried).toBeGreaterThan(0.95);
  });

  it('that makes a record swallow others is told as that record, not as theirs', async () => {
    const parts = users(60);
    const bytes = concat(parts);
    const { records: intact } = await scan(bytes);
    const hit = intact[30]!;
    // 1024 bytes more of value: some forty records, and no record begins where it ends.
    const at = hit.offset + 14 + 2;
    const { records, damage } = await scan(overwritten(bytes, at, [bytes[at]! ^ 4]));
    expect(damage).toHaveLength(1);
    expect(damage[0]).toMatchObject({ code: 'bad-length', offset: hit.offset, length: hit.length });
    expect(damage[0]!.diagnosis).toContain(`bit 2 of the byte at ${at} (in value_length)`);
    expect(damage[0]!.subject).toBe('put or delete of "user:00030"');
    expect(records).toEqual(intact.filter((record) => record !== hit));
  });

  it('that leads to exactly where a later record begins is a warning', async () => {
    const same = Array.from({ length: 40 }, (_, i) => user(i, 'v'.repeat(14))); // 32 bytes each
    const bytes = concat(same);
    const at = 32 * 20 + 17;
    const { records, damage } = await scan(overwritten(bytes, at, [bytes[at]! ^ 64]));
    expect(damage).toHaveLength(1);
    expect(damage[0]).toMatchObject({ severity: 'warning', lost: false, offset: 640 });
    expect(records).toHaveLength(38);
    expect(records[20]).toMatchObject({ offset: 640, length: 96 });
  });

  it('never makes keys of values where they differ, although every length still fits', async () => {
    // Key and value fields of 8 bytes each: a length hit by 8 leads to the field after the next.
    const parts = Array.from({ length: 64 }, (_, i) =>
      write(text(`k${String(i).padStart(3, '0')}`), new Uint8Array(4).fill(128 + i)),
    );
    const bytes = concat(parts);
    const { records: intact } = await scan(bytes);
    for (const at of [16 * 30 + 3, 16 * 30 + 11]) {
      const { records, damage } = await scan(overwritten(bytes, at, [bytes[at]! ^ 8]));
      expect(damage).toHaveLength(1);
      expect(damage[0]).toMatchObject({ offset: 480, length: 16 });
      expect(records).toEqual(intact.filter(({ offset }) => offset !== 480));
    }
  });
});

describe('torn tails', () => {
  const logs: [string, Uint8Array][] = [
    ['golden', golden],
    ['users', concat(users(12))],
    ['small fields', concat(Array.from({ length: 30 }, (_, i) => write(u32(i), u32(i * 77777))))],
    ['lists', concat(Array.from({ length: 18 }, (_, i) => user(i, listOfStrings(i + 1))))],
  ];

  /** What other programs put into values: strings with their lengths, a chain of its own. */
  function listOfStrings(count: number): Uint8Array {
    return concat(
      Array.from({ length: count }, (_, i) => {
        const word = text(`alpha beta ${i}`.slice(i % 5));
        return concat([u32(word.length), word]);
      }),
    );
  }

  it.each(logs)('every truncation of %s loses the cut record alone', async (_, bytes) => {
    const { records: intact } = await scan(bytes);
    for (let size = 0; size <= bytes.length; size++) {
      const { records, damage } = await scan(bytes.slice(0, size));
      const whole = intact.filter(({ offset, length }) => offset + length <= size);
      expect(records, `size ${size}`).toEqual(whole);
      const end = whole.reduce((sum, { length }) => sum + length, 0);
      if (end === size) expect(damage).toEqual([]);
      else {
        expect(damage, `size ${size}`).toHaveLength(1);
        expect(damage[0]).toMatchObject({ code: 'torn-tail', offset: end, length: size - end });
        expect(damage[0]!.tail).toBe(true);
      }
    }
  });

  it.each(['zeros', 'ones', 'text', 'noise'])('%s behind the last record', async (kind) => {
    for (const size of [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 100, 5000]) {
      const tail = new Uint8Array(size).map((_, i) =>
        kind === 'zeros'
          ? 0
          : kind === 'ones'
            ? 255
            : kind === 'text'
              ? 97 + (i % 26)
              : (i * 89) ^ 77,
      );
      const { records, damage } = await scan(concat([golden, tail]));
      expect(records).toHaveLength(21);
      expect(damage).toHaveLength(1);
      expect(damage[0]).toMatchObject({ code: 'torn-tail', offset: golden.length, length: size });
      if (kind === 'zeros') expect(damage[0]!.message).toContain('zero bytes');
      expect((await verify(concat([golden, tail]))).verdict).toBe('torn-tail');
    }
  });

  it('of a file that has only the beginning of a record', async () => {
    for (const head of [[0], [0, 0, 0, 5], [0, 0, 0, 5, 104, 105], [0, 0, 0, 1, 97, 0, 0]]) {
      const { records, damage } = await scan(new Uint8Array(head));
      expect(records).toEqual([]);
      expect(damage).toHaveLength(1);
      expect(damage[0]!.code).toBe('torn-tail');
    }
    expect(await scan(new Uint8Array(0))).toEqual({ records: [], damage: [] });
  });
});

describe('holes', () => {
  const parts = users(400);
  const bytes = concat(parts);
  const kinds: [string, (size: number) => Uint8Array][] = [
    ['zeros', (size) => new Uint8Array(size)],
    ['ones', (size) => new Uint8Array(size).fill(255)],
    ['noise', (size) => new Uint8Array(size).map((_, i) => (i * i * 31 + 7) >>> 3)],
    ['text', (size) => new Uint8Array(size).map((_, i) => 32 + (i % 90))],
  ];

  it.each(kinds)('a sector of %s costs the records it touches', async (_, fill) => {
    const { records: intact } = await scan(bytes);
    for (const from of [512, 1024, 3000, 3007, 3013, 3021, 5555, 7168]) {
      const { records, damage } = await scan(overwritten(bytes, from, fill(512)));
      const untouched = intact.filter(
        ({ offset, length }) => offset + length <= from || offset >= from + 512,
      );
      const found = untouched.filter(({ offset }) => records.some((r) => r.offset === offset));
      expect(untouched.length - found.length, `at ${from}`).toBeLessThanOrEqual(1);
      expect(damage.every(({ code, tail }) => code === 'bad-length' && !tail)).toBe(true);
      expectTiled(bytes.length, records, damage);
    }
  });

  it('keys stay keys behind a record whose key_length is gone', async () => {
    const { records: intact } = await scan(bytes);
    for (const i of [100, 101, 102, 103]) {
      const hit = intact[i]!;
      const { records, damage } = await scan(overwritten(bytes, hit.offset, [9, 9, 9, 9]));
      expect(damage).toHaveLength(1);
      expect(damage[0]).toMatchObject({ offset: hit.offset, length: hit.length });
      expect(records).toEqual(intact.filter((record) => record !== hit));
    }
  });

  it('are found in a log of values larger than any window', async () => {
    const large = Array.from({ length: 8 }, (_, i) =>
      user(i, new Uint8Array(1_500_000).fill(65 + i)),
    );
    const log = concat(large);
    const size = large[0]!.length;
    const { records, damage } = await scan(overwritten(log, 0, [7, 7, 7, 7]));
    expect(records.map(({ offset }) => offset / size)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(damage).toMatchObject([{ offset: 0, length: size, code: 'bad-length' }]);
  });

  it('a record beyond the limit is one', async () => {
    const log = concat([...users(20), user(20, new Uint8Array(5000).fill(120)), ...users(20, 21)]);
    const { records, damage } = await scan(log, { recordBytes: 4096 });
    expect(damage).toHaveLength(1);
    expect(damage[0]).toMatchObject({ code: 'bad-length', length: 5018 });
    expect(damage[0]!.message).toContain('the limit is 4096');
    expect(records).toHaveLength(40);
  });

  it('lengths of 4 GiB in a small file cost nothing', async () => {
    for (const head of [
      [255, 255, 255, 255, 255, 255, 255, 255],
      [0, 0, 0, 1, 97, 255, 255, 255, 255],
      [127, 255, 255, 255, 0, 0, 0, 1],
    ]) {
      const hostile = overwritten(new Uint8Array(30).fill(1), 0, head);
      const { records, damage } = await scan(hostile);
      expectTiled(30, records, damage);
      expect(damage).toHaveLength(1);
    }
  });
});

describe('what is not damage', () => {
  it('a value that holds a log, wherever it ends', async () => {
    const inner = concat(users(30, 500));
    for (const value of [inner, concat([inner, text('trailer')]), concat([text('head'), inner])]) {
      const log = concat([...users(50), user(77, value), ...users(50, 100)]);
      const { records, damage } = await scan(log);
      expect(records).toHaveLength(101);
      expect(damage.filter(({ lost }) => lost)).toEqual([]);
    }
  });

  it('an empty key, and one deletion of it', async () => {
    const log = concat([
      put('a', '1'),
      put('', '2'),
      put('b', '3'),
      new Uint8Array(8),
      put('c', '4'),
    ]);
    const { records, damage } = await scan(log);
    expect(damage).toEqual([]);
    expect(records.map(({ op, key }) => `${op} ${key}`)).toEqual([
      'put a',
      'put ',
      'put b',
      'delete ',
      'put c',
    ]);
  });

  it('any log of any keys and values, through windows and reads of any size', async () => {
    const record = fc.record({
      key: fc.uint8Array({ minLength: 1, maxLength: 40 }),
      value: fc.uint8Array({ maxLength: 120 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { maxLength: 60 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 50 }),
        async (operations, windowBytes, chunk) => {
          const parts = operations.map(({ key, value }) => write(key, value));
          const bytes = concat(parts);
          const { records, damage } = await scan(bytes, { windowBytes }, chunk);
          expect(damage.filter(({ lost }) => lost)).toEqual([]);
          expect(records.map(({ length }) => length)).toEqual(parts.map(({ length }) => length));
          expect(records.map(({ op }) => op)).toEqual(
            operations.map(({ value }) => (value.length > 0 ? 'put' : 'delete')),
          );
          expect(coverageFaults(await layout(bytes), 0, bytes.length)).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('any bytes', () => {
  it('are tiled by records and damage, in the scan and in the layout', async () => {
    const small = fc.constantFrom(0, 0, 0, 0, 1, 2, 3, 8, 97, 255);
    const bytesOf = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(small, { maxLength: 400 }).map((list) => new Uint8Array(list)),
    );
    await fc.assert(
      fc.asyncProperty(bytesOf, fc.integer({ min: 1, max: 64 }), async (bytes, windowBytes) => {
        const { records, damage } = await scan(bytes, { windowBytes });
        expectTiled(bytes.length, records, damage);
        expect(coverageFaults(await layout(bytes), 0, bytes.length)).toEqual([]);
        expect(await scan(bytes)).toEqual({ records, damage });
      }),
      { numRuns: 400 },
    );
  });

  it('cost time that grows with their number, whatever they are', async () => {
    const size = 2_000_000;
    const broken = new Uint8Array([255, 255, 255, 255, 0, 0]);
    const three = concat([...users(3, 7), broken]);
    const patterns: [string, Uint8Array][] = [
      ['zeros', new Uint8Array(1)],
      ['ones', new Uint8Array([255])],
      ['short keys', new Uint8Array([0, 0, 0, 1])],
      ['long keys', new Uint8Array([0, 0, 255, 255])],
      ['leaps', new Uint8Array([0, 0, 0, 1, 9, 3, 255, 255, 0])],
      ['chains of three', three],
    ];
    for (const [name, pattern] of patterns) {
      const bytes = concat([concat(users(20)), new Uint8Array(size)]);
      for (let i = bytes.length - size; i < bytes.length; i++) {
        bytes[i] = pattern[i % pattern.length]!;
      }
      const begun = performance.now();
      const { records, damage } = await scan(bytes);
      expectTiled(bytes.length, records, damage);
      // Some 50 ms each; a step more for each byte skipped would be minutes.
      expect(performance.now() - begun, name).toBeLessThan(10_000);
    }
  });

  it('are left when the scan is aborted, or has seen enough', async () => {
    const bytes = concat(users(200));
    const set = memorySet({ [NAME]: bytes });
    const aborted = { limits: DEFAULT_LIMITS, set, signal: AbortSignal.abort(new Error('enough')) };
    const nothing = { record() {}, damage() {} };
    const source = () => new MemorySource(NAME, bytes);
    await expect(lsmV1.scan(source(), aborted, nothing)).rejects.toThrow('enough');
    let seen = 0;
    const done = () => seen >= 5;
    const context = { limits: DEFAULT_LIMITS, set };
    await lsmV1.scan(source(), context, { record: () => seen++, damage() {}, done });
    expect(seen).toBe(5);
  });

  it('come from a pipe as well', async () => {
    const hit = concat(users(300));
    hit[5000] = 255;
    hit[5001] = 255;
    for (const bytes of [golden, golden.slice(0, 390), hit, concat([golden, new Uint8Array(99)])]) {
      const records: number[] = [];
      const damage: WalDamage[] = [];
      const context = { limits: DEFAULT_LIMITS, set: memorySet({}) };
      await lsmV1.scan(pipe(bytes), context, {
        record: ({ offset }) => records.push(offset),
        damage: (one) => damage.push(one),
      });
      const whole = await scan(bytes);
      expect(records).toEqual(whole.records.map(({ offset }) => offset));
      expect(damage).toEqual(whole.damage);
    }
  });

  function pipe(bytes: Uint8Array): ByteSource {
    let at = 0;
    let size: number | undefined;
    return {
      name: NAME,
      forwardOnly: true,
      get size() {
        return size;
      },
      async read(target, start, length, position) {
        expect(position).toBe(at);
        const part = bytes.subarray(at, at + Math.min(length, 333));
        target.set(part, start);
        at += part.length;
        if (part.length === 0) size = at;
        return part.length;
      },
    };
  }
});

describe('detection', () => {
  const probe = (head: Uint8Array, name = 'unknown', size = head.length): Probe => ({
    name,
    size,
    head,
    siblings: [name],
  });
  const confidence = (...given: Parameters<typeof probe>) =>
    lsmV1.detect(probe(...given)).confidence;

  it('goes by the name, and by records in a row that reach the end', () => {
    expect(confidence(golden)).toBe('likely');
    expect(confidence(golden, NAME)).toBe('likely');
    expect(confidence(new Uint8Array(50).fill(9), NAME)).toBe('likely');
    expect(confidence(golden.slice(0, 300), 'unknown', 5000)).toBe('likely');
    expect(lsmV1.segmentNumber(NAME)).toBe(1);
    expect(lsmV1.segmentNumber('000001.wal')).toBeUndefined();
  });

  it('claims nothing else', () => {
    const noise = new Uint8Array(9000).map((_, i) => (i * i * 31 + i * 7) >>> 2);
    expect(confidence(golden.slice(0, 300))).toBe('no');
    expect(confidence(golden, 'sstable_000001.sst')).toBe('no');
    expect(confidence(put('a', 'b'))).toBe('no');
    expect(confidence(new Uint8Array(0))).toBe('no');
    expect(confidence(new Uint8Array(4096))).toBe('no');
    expect(confidence(noise)).toBe('no');
    expect(confidence(text('to be or not to be, '.repeat(99)))).toBe('no');
    expect(confidence(fixtureFiles('wal/v1/clean')['000001.wal']!)).toBe('no');
    expect(confidence(fixtureFiles('wal/leveldb/db')['000010.log']!)).toBe('no');
    expect(confidence(fixtureFiles('wal/btree-v1/with-redo-log')['btree.wal']!)).toBe('no');
  });
});

describe('writing', () => {
  const encode = (op: string, key: string, value: string) =>
    lsmV1Encoder.encode!(0, 0, { op, key: text(key), value: text(value) });

  it('gives the golden file back', async () => {
    const parts: Uint8Array[] = [];
    const context = { limits: DEFAULT_LIMITS, set: memorySet({}) };
    await lsmV1.scan(new MemorySource(NAME, golden), context, {
      record({ bytes, keyStart, keyEnd, valueStart, valueEnd }) {
        parts.push(write(bytes.slice(keyStart, keyEnd), bytes.slice(valueStart, valueEnd)));
      },
      damage() {},
    });
    expect(concat(parts)).toEqual(golden);
    expect(lsmV1Encoder.segmentName(1)).toBe(NAME);
  });

  it('refuses what would be read as something else', () => {
    expect(() => encode('put', 'k', '')).toThrow(/empty value/);
    expect(() => encode('put', 'k', '')).toThrow(
      expect.objectContaining({ code: 'unsupported-value' }),
    );
    expect(() => encode('delete', 'k', 'v')).toThrow(
      expect.objectContaining({ code: 'unsupported-value' }),
    );
    expect(() => encode('delete', '', '')).toThrow(
      expect.objectContaining({ code: 'unsupported-key' }),
    );
    expect(() => encode('commit', '', '')).toThrow(
      expect.objectContaining({ code: 'unsupported-op' }),
    );
  });
});
