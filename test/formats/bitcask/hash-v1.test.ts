import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashV1 } from '../../../src/formats/bitcask/hash-v1/index.ts';
import { bitcask } from '../../../src/formats/bitcask/index.ts';
import { HintEntry } from '../../../src/formats/bitcask/model.ts';
import { coverageFaults } from '../../../src/formats/coverage.ts';
import { DEFAULT_LIMITS, type Probe } from '../../../src/formats/format.ts';
import {
  concat,
  fixtureFiles,
  fixtureJson,
  MemorySource,
  memorySet,
} from '../../support/memory.ts';
import * as book from './textbook.ts';
import {
  expectSame,
  expectTiled,
  flipped,
  mended,
  noise,
  overwritten,
  put,
  text,
} from './textbook.ts';

const NAME = '000001.data';
const HINT = '000001.hint';
const scan = (bytes: Uint8Array, limits = {}, chunk?: number) =>
  book.scanSource(hashV1, new MemorySource(NAME, bytes, chunk), limits);
const anchored = (bytes: Uint8Array, ...anchors: number[]) =>
  book.scanSource(
    hashV1,
    new MemorySource(NAME, bytes),
    {},
    { anchors: Float64Array.from(anchors) },
  );
const hints = (bytes: Uint8Array, limits = {}) =>
  book.scanHintFile(hashV1, new MemorySource(HINT, bytes), limits);
const layout = (bytes: Uint8Array, name = NAME) => book.layoutOf(hashV1, bytes, name);

const BEGIN = 1_700_000_000;
const writer = hashV1.encoder!.open(0n);
const record = (
  key: string | Uint8Array,
  value: string | Uint8Array | undefined,
  timestamp = BEGIN,
) => writer.record(put(key, value, { timestamp }), 0).slice();

/** Records of any size, a second apart. */
const users = (count: number, from = 0, begin = BEGIN) =>
  Array.from({ length: count }, (_, i) =>
    record(
      `user:${String(from + i).padStart(5, '0')}`,
      i % 9 === 4 ? undefined : noise(1 + ((i * 7) % 90), i),
      begin + from + i,
    ),
  );
/** Records of 64 bytes. */
const uniform = (count: number, time: (i: number) => number) =>
  Array.from({ length: count }, (_, i) =>
    record(`key:${String(i).padStart(12, '0')}`, noise(32, i), time(i)),
  );

interface Expected {
  live: Record<string, unknown>;
  clean: boolean;
  findings?: string[];
}

describe('golden files', () => {
  const cases = ['clean', 'merged-with-hint', 'hint-truncated', 'hint-wrong-offset', 'hint-orphan'];
  it.each(cases)('%s gives what its expectation says', async (name) => {
    const files = fixtureFiles(`bitcask/hash-v1/${name}`);
    const expected = fixtureJson<Expected>(`bitcask/hash-v1/${name}/expected.json`);
    expect(await book.liveOf(hashV1, files)).toEqual(expected.live);
    const set = memorySet(files);
    const input = { set, dialect: hashV1, files: bitcask.select(set, hashV1) };
    const result = await bitcask.verify(input, { limits: DEFAULT_LIMITS });
    expect(result.clean).toBe(expected.clean);
    expect(Object.keys(result.counts)).toEqual(expected.findings ?? []);
  });
});

// A copy: the slices of a Buffer share its memory.
const golden = new Uint8Array(fixtureFiles('bitcask/hash-v1/clean')['000001.data']!);
const second = new Uint8Array(fixtureFiles('bitcask/hash-v1/clean')['000002.data']!);

describe('one flipped bit', () => {
  const files: [string, Uint8Array][] = [
    ['golden', golden],
    ['golden with a deletion', second],
    ['records of one size', concat(uniform(14, (i) => BEGIN + i))],
  ];

  /**
   * The guarantee: a flipped bit costs at most its record. In a key or a value it cannot be seen;
   * in a size it is told, and mended where it is the only explanation; in a timestamp it costs
   * nothing.
   */
  it.each(files)('of %s costs at most its record', async (_, bytes) => {
    const { records: intact } = await scan(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const at = bit >>> 3;
      const hit = intact.findLast(({ offset }) => offset <= at)!;
      // Most of the file is values, of which every bit is like the next.
      if (at - hit.offset > 24 && (bit & 7) !== at % 8) continue;
      const hurt = flipped(bytes, at, bit & 7);
      const scanned = await scan(hurt);
      expectTiled(bytes.length, scanned);
      const { records, damage } = scanned;
      const left = records.filter(({ offset }) => offset !== hit.offset);
      expectSame(
        left,
        intact.filter((one) => one !== hit),
        `bit ${bit}`,
      );
      const self = records.find(({ offset }) => offset === hit.offset);
      for (const { diagnosis } of damage) {
        if (diagnosis) expect(diagnosis).toContain(`bit ${bit & 7} of the byte at ${at} `);
      }
      const field = at - hit.offset;
      if (field < 8) {
        expectSame({ ...self!, timestamp: 0, salvaged: false }, { ...hit, timestamp: 0 });
        if (damage.length === 0) continue;
        expectSame(
          damage.map(({ code, lost }) => [code, lost]),
          [['bad-timestamp', false]],
        );
        expectSame(self!.timestamp, hit.timestamp);
        expectSame(mended(hurt, damage[0]!), bytes);
      } else if (field < 16) {
        // The last record may be cut short by it: the rest of it is then no record.
        const isShort = hit === intact.at(-1) && self !== undefined;
        const places = damage.map(({ offset, length }) => [offset, length]);
        if (!isShort) expectSame(places, [[hit.offset, hit.length]], `bit ${bit}`);
        else if (damage[0]!.length >= 8) {
          expect(damage[0]!.evidence).toContain('and so would the record before it');
        }
        if (damage[0]!.mend) expectSame(mended(hurt, damage[0]!), bytes);
      } else expectSame(damage, []);
    }
  });

  it('in any size of a longer file is told as such, and nearly always named', async () => {
    const bytes = concat(users(300));
    const { records: intact } = await scan(bytes);
    let named = 0;
    let tried = 0;
    for (let i = 0; i < 300; i += 7) {
      const hit = intact[i]!;
      for (let bit = 0; bit < 64; bit += 3) {
        const at = hit.offset + 8 + (bit >>> 3);
        const { records, damage } = await scan(flipped(bytes, at, bit & 7));
        expectSame(
          records,
          intact.filter((one) => one !== hit),
          `record ${i}, bit ${bit}`,
        );
        expect(damage).toHaveLength(1);
        expect(damage[0]).toMatchObject({ code: 'bad-length', offset: hit.offset, lost: true });
        tried++;
        if (!damage[0]!.diagnosis) continue;
        named++;
        expectSame(damage[0]!.key, text(String(hit.key)));
        expect(damage[0]!.deleted).toBe(hit.deleted);
        expectSame(mended(flipped(bytes, at, bit & 7), damage[0]!), bytes);
      }
    }
    expect(named / tried).toBeGreaterThan(0.95);
  });

  it('that makes a record swallow others up to the very end of one is seen by their times', async () => {
    const bytes = concat(uniform(60, (i) => BEGIN + i));
    const { records: intact } = await scan(bytes);
    // 512 bytes more of value: eight records.
    const { records, damage } = await scan(flipped(bytes, 64 * 20 + 13, 1));
    expect(records).toEqual(intact.filter((_, i) => i !== 20));
    expect(damage).toMatchObject([{ code: 'bad-length', offset: 1280, length: 64, lost: true }]);
    expect(damage[0]!.diagnosis).toContain('bit 1 of the byte at 1293 (in value_size)');
  });

  it('is a warning where their times could be those of a store in a value', async () => {
    const bytes = concat(uniform(60, (i) => BEGIN + ((i * 7919) % 1000) * 1000));
    const { records, damage } = await scan(flipped(bytes, 64 * 20 + 13, 1));
    expect(records).toHaveLength(60 - 8);
    expect(damage).toMatchObject([
      { code: 'bad-length', severity: 'warning', lost: false, offset: 1280, length: 576 },
    ]);
    expect(damage[0]!.mend).toBeUndefined();
  });
});

describe('what a hint says', () => {
  const merged = concat(uniform(60, (i) => BEGIN + ((i * 7919) % 1000) * 1000));
  const places = Array.from({ length: 60 }, (_, i) => i * 64);

  it('decides where a record begins that another seems to hold', async () => {
    const { records: intact } = await scan(merged);
    const { records, damage } = await anchored(flipped(merged, 64 * 20 + 13, 1), ...places);
    expect(records).toEqual(intact.filter((_, i) => i !== 20));
    expect(damage).toMatchObject([{ code: 'bad-length', offset: 1280, length: 64, lost: true }]);
    expect(damage[0]!.evidence).toBe('a hint says that a record begins at 1344, and one does');
    expect(damage[0]!.subject).toBe('put "key:000000000020"');
    expect(mended(flipped(merged, 64 * 20 + 13, 1), damage[0]!)).toEqual(merged);
  });

  it('finds the record behind damage whose time is hit as well', async () => {
    const times = overwritten(merged, 64 * 21, new Uint8Array(8).fill(0xee));
    const hurt = overwritten(times, 64 * 20 + 8, new Uint8Array(8).fill(0xdd));
    const { records: without } = await scan(hurt);
    expect(without.map(({ offset }) => offset / 64)).not.toContain(21);
    const { records } = await anchored(hurt, ...places);
    expect(records.map(({ offset }) => offset / 64)).toContain(21);
    expect(records).toHaveLength(59);
  });

  it('changes nothing where it is wrong', async () => {
    const whole = await scan(merged);
    for (const shift of [1, 5, 16, 32, 63]) {
      expect(await anchored(merged, ...places.map((at) => at + shift))).toEqual(whole);
    }
    const every = Array.from({ length: merged.length }, (_, i) => i);
    expect(await anchored(merged, ...every)).toEqual(whole);
    const hurt = overwritten(merged, 64 * 20 + 8, new Uint8Array(8).fill(0xdd));
    expect(await anchored(hurt, ...places.map((at) => at + 9))).toEqual(await scan(hurt));
  });
});

describe('timestamps', () => {
  const bytes = concat(users(20));

  it.each([
    ['no number', Number.NaN],
    ['infinite', Number.NEGATIVE_INFINITY],
    ['before 1970', -12.5],
    ['beyond the year 9999', 1e300],
  ])('%s: a warning, and the record is read', async (_, time) => {
    const { records: intact } = await scan(bytes);
    for (const i of [0, 7, 19]) {
      const hurt = bytes.slice();
      new DataView(hurt.buffer).setFloat64(intact[i]!.offset, time, true);
      const { records, damage } = await scan(hurt);
      expect(records.map(({ key, value }) => [key, value])).toEqual(
        intact.map(({ key, value }) => [key, value]),
      );
      expect(records[i]!.timestamp).toBe(time);
      expect(damage).toMatchObject([
        { code: 'bad-timestamp', severity: 'warning', offset: intact[i]!.offset, length: 8 },
      ]);
      expect(damage[0]).toMatchObject({ lost: false, records: 0 });
      expect(damage[0]!.mend).toBeUndefined();
    }
  });

  const clocks: [string, (i: number) => number][] = [
    ['from 0', (i) => i],
    ['from 1', (i) => i + 1],
    ['that stands at 0', () => 0],
    ['that stands', () => 1000],
    ['in milliseconds', (i) => BEGIN * 1000 + i],
    ['that runs backwards', (i) => BEGIN - i * 1e5],
    ['that was set', (i) => (i < 20 ? i + 1 : BEGIN + i)],
  ];
  it.each(clocks)('of a clock %s are believed', async (_, clock) => {
    const parts = Array.from({ length: 40 }, (_, i) =>
      record(`key${i}`, noise(1 + (i % 30), i), clock(i)),
    );
    const log = concat(parts);
    const { records, damage } = await scan(log);
    expect(damage).toEqual([]);
    expect(records.map(({ timestamp }) => timestamp)).toEqual(parts.map((_, i) => clock(i)));
    // Damage costs its record there too.
    for (const i of [5, 12, 30]) {
      const hurt = overwritten(
        log,
        records[i]!.offset + 8,
        [255, 255, 255, 255, 255, 255, 255, 255],
      );
      const { records: left } = await scan(hurt);
      expect(left).toEqual(records.filter((_, j) => j !== i));
    }
  });
});

describe('torn tails', () => {
  const inner = concat(users(6, 500, BEGIN - 1e6));
  const files: [string, Uint8Array][] = [
    ['golden', golden],
    ['golden with a deletion', second],
    ['users', concat(users(14))],
    [
      'stores in values',
      concat([...users(4), record('a', inner, BEGIN + 4), record('b', inner, BEGIN + 5)]),
    ],
    ['a counter for a clock', concat(uniform(9, (i) => i + 1))],
  ];

  it.each(files)('every truncation of %s loses the cut record alone', async (_, bytes) => {
    const { records: intact } = await scan(bytes);
    for (let size = 0; size <= bytes.length; size++) {
      const { records, damage } = await scan(bytes.slice(0, size));
      const whole = intact.filter(({ offset, length }) => offset + length <= size);
      expectSame(records, whole, `size ${size}`);
      const end = whole.reduce((sum, { length }) => sum + length, 0);
      if (end === size) expectSame(damage, []);
      else {
        expect(damage, `size ${size}`).toHaveLength(1);
        expect(damage[0]).toMatchObject({ code: 'torn-tail', offset: end, length: size - end });
        expect(damage[0]).toMatchObject({ tail: true, lost: true });
        expect(damage[0]!.diagnosis).toBeUndefined();
      }
    }
  });

  it.each(['zeros', 'ones', 'text', 'noise'])('%s behind the last record', async (kind) => {
    for (const size of [1, 2, 7, 8, 9, 15, 16, 17, 100, 5000]) {
      const fill: Record<string, Uint8Array> = {
        zeros: new Uint8Array(size),
        ones: new Uint8Array(size).fill(255),
        text: text('lorem ipsum dolor '.repeat(300)).slice(0, size),
        noise: noise(size, 3),
      };
      const { records, damage } = await scan(concat([golden, fill[kind]!]));
      expect(records).toHaveLength(20);
      expect(damage).toMatchObject([
        { code: 'torn-tail', offset: golden.length, length: size, tail: true },
      ]);
      if (kind === 'zeros') expect(damage[0]!.message).toContain('zero bytes');
      if (size >= 100) expect(damage[0]!.begun).toBe(kind === 'zeros');
    }
  });

  it('of a file that has only the beginning of a record, or none', async () => {
    for (const size of [1, 8, 16, 20]) {
      const { records, damage } = await scan(record('key', 'value').slice(0, size));
      expect(records).toEqual([]);
      expect(damage).toMatchObject([{ code: 'torn-tail', offset: 0, length: size, begun: true }]);
    }
    expect(await scan(new Uint8Array(0))).toEqual({ records: [], damage: [] });
  });
});

describe('holes', () => {
  const bytes = concat(users(400));
  const kinds: [string, (size: number) => Uint8Array][] = [
    ['zeros', (size) => new Uint8Array(size)],
    ['ones', (size) => new Uint8Array(size).fill(255)],
    ['noise', (size) => noise(size, 9)],
    ['text', (size) => text('so it goes '.repeat(60)).slice(0, size)],
  ];

  it.each(kinds)('a sector of %s costs the records it touches', async (_, fill) => {
    const { records: intact } = await scan(bytes);
    for (const from of [0, 512, 1024, 3000, 3007, 3013, 5555, 7168]) {
      const scanned = await scan(overwritten(bytes, from, fill(512)));
      const touched = ({ offset, length }: { offset: number; length: number }) =>
        offset + length > from && offset < from + 512;
      // A record whose header is whole is read with what is in its place now.
      const untouched = scanned.records.filter((one) => !touched(one));
      expectSame(
        untouched,
        intact.filter((one) => !touched(one)),
        `at ${from}`,
      );
      expect(scanned.damage.every(({ code, tail }) => code === 'bad-length' && !tail)).toBe(true);
      expectTiled(bytes.length, scanned);
    }
  });

  it('two damaged records cost those two', async () => {
    const { records: intact } = await scan(bytes);
    for (const gap of [1, 2, 3]) {
      const [a, b] = [intact[100]!, intact[100 + gap]!];
      const sizes = new Uint8Array(8).fill(0xcc);
      const hurt = overwritten(overwritten(bytes, a.offset + 8, sizes), b.offset + 8, sizes);
      const { records } = await scan(hurt);
      expect(records).toEqual(intact.filter((one) => one !== a && one !== b));
    }
  });

  it('a damaged record whose value holds an older store costs that record only', async () => {
    const inner = concat(users(8, 700, BEGIN - 1e7));
    const log = concat([...users(30), record('backup', inner, BEGIN + 30), ...users(30, 31)]);
    const { records: intact } = await scan(log);
    expect(intact).toHaveLength(61);
    const hit = intact[30]!;
    for (const sizes of [
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
      [6, 0, 0, 0, 0xff, 0xff, 0, 0],
      [6, 0, 0, 0, 9, 0, 0, 0],
    ]) {
      const { records, damage } = await scan(overwritten(log, hit.offset + 8, sizes));
      const others = ({ offset }: { offset: number }) => offset !== hit.offset;
      expect(records.filter(others)).toEqual(intact.filter(others));
      expect(damage).toHaveLength(1);
    }
  });

  it('a store in the value in front of it is left alone', async () => {
    const inner = concat([...users(8, 700), text('trailer')]);
    const log = concat([...users(30), record('backup', inner, BEGIN + 30), ...users(30, 31)]);
    const { records: intact } = await scan(log);
    const hit = intact[31]!;
    for (const by of [new Uint8Array(16).fill(0xcc), new Uint8Array(16), noise(16)]) {
      const { records, damage } = await scan(overwritten(log, hit.offset, by));
      expect(records).toEqual(intact.filter((one) => one !== hit));
      expect(damage).toMatchObject([{ offset: hit.offset, length: hit.length }]);
    }
  });

  it('a record behind which the clock went back is found all the same', async () => {
    const log = concat([...users(30), ...users(30, 30, BEGIN - 1e6)]);
    const { records: intact } = await scan(log);
    expect(intact).toHaveLength(60);
    for (const i of [29, 30, 31]) {
      const sizes = new Uint8Array(8).fill(0xcc);
      const { records } = await scan(overwritten(log, intact[i]!.offset + 8, sizes));
      expect(records).toEqual(intact.filter((_, j) => j !== i));
    }
  });

  it('are found in a file of values larger than any window', async () => {
    const large = Array.from({ length: 6 }, (_, i) =>
      record(`large${i}`, noise(1_500_000, i), BEGIN + i),
    );
    const log = concat(large);
    const size = large[0]!.length;
    const { records, damage } = await scan(overwritten(log, size + 8, [7, 7, 7, 7]));
    expect(records.map(({ offset }) => offset / size)).toEqual([0, 2, 3, 4, 5]);
    expect(damage).toMatchObject([{ offset: size, length: size, code: 'bad-length' }]);
  });

  it('a record beyond the limit is one', async () => {
    const log = concat([...users(20), record('long', noise(5000), BEGIN + 20), ...users(20, 21)]);
    const { records, damage } = await scan(log, { recordBytes: 4096 });
    expect(damage).toMatchObject([{ code: 'bad-length', length: 5020 }]);
    expect(damage[0]!.message).toContain('the limit is 4096');
    expect(records).toHaveLength(40);
  });

  it('sizes of 4 GiB in a small file cost nothing', async () => {
    for (const sizes of [
      [255, 255, 255, 255, 255, 255, 255, 255],
      [1, 0, 0, 0, 255, 255, 255, 255],
      [255, 255, 0, 0, 255, 255, 255, 3],
    ]) {
      const hostile = overwritten(record('k', noise(30)), 8, sizes);
      const scanned = await scan(hostile);
      expectTiled(hostile.length, scanned);
      expect(scanned.damage).toHaveLength(1);
    }
  });
});

describe('what is not damage', () => {
  it('a value that holds a store, wherever it ends', async () => {
    const inner = concat(users(30, 500, BEGIN - 1e6));
    for (const value of [inner, concat([inner, text('trailer')]), concat([text('head'), inner])]) {
      const log = concat([...users(50), record('backup', value, BEGIN + 50), ...users(50, 51)]);
      const { records, damage } = await scan(log);
      expect(records).toHaveLength(101);
      expect(damage.filter(({ lost }) => lost)).toEqual([]);
    }
  });

  it('an empty key', async () => {
    const log = concat([
      record('a', '1'),
      record('', '2'),
      record('', undefined),
      record('b', '3'),
    ]);
    const { records, damage } = await scan(log);
    expect(damage).toEqual([]);
    expect(records.map(({ key, deleted }) => [key, deleted])).toEqual([
      ['a', false],
      ['', false],
      ['', true],
      ['b', false],
    ]);
  });

  it('any store of any keys and values, through windows and reads of any size', async () => {
    const someRecord = fc.record({
      key: fc.uint8Array({ minLength: 1, maxLength: 40 }),
      value: fc.uint8Array({ maxLength: 120 }),
      timestamp: fc.double({ min: 1e9, max: 2e9, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(someRecord, { maxLength: 60 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 50 }),
        async (operations, windowBytes, chunk) => {
          const parts = operations.map(({ key, value, timestamp }) =>
            record(key, value.length > 0 ? value : undefined, timestamp),
          );
          const bytes = concat(parts);
          const { records, damage } = await scan(bytes, { windowBytes }, chunk);
          expect(damage).toEqual([]);
          expect(records.map(({ length }) => length)).toEqual(parts.map(({ length }) => length));
          expect(records.map(({ timestamp, deleted }) => [timestamp, deleted])).toEqual(
            operations.map(({ timestamp, value }) => [timestamp, value.length === 0]),
          );
          expect(coverageFaults(await layout(bytes), 0, bytes.length)).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('any bytes', () => {
  it('are tiled by records and damage, in the scan and in the layout', async () => {
    const small = fc.constantFrom(0, 0, 0, 0, 1, 2, 16, 97, 0x41, 0xd9, 255);
    const hurtStore = fc
      .array(fc.tuple(fc.nat(700), fc.uint8Array({ maxLength: 40 })), { maxLength: 4 })
      .map((hits) => {
        const store = concat([...users(12), record('in', concat(users(3)), BEGIN + 12)]);
        return hits.reduce((bytes, [at, by]) => overwritten(bytes, at % bytes.length, by), store);
      });
    const someBytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(small, { maxLength: 400 }).map((list) => new Uint8Array(list)),
      hurtStore,
    );
    await fc.assert(
      fc.asyncProperty(someBytes, fc.integer({ min: 1, max: 64 }), async (bytes, windowBytes) => {
        const whole = await scan(bytes);
        expectTiled(bytes.length, whole);
        expect(await scan(bytes, { windowBytes })).toEqual(whole);
        expect(await book.scanSource(hashV1, book.pipe(NAME, bytes, 7))).toEqual(whole);
        expect(coverageFaults(await layout(bytes), 0, bytes.length)).toEqual([]);
        expect(coverageFaults(await layout(bytes, HINT), 0, bytes.length)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('cost time that grows with their number, whatever they are', async () => {
    const header = (time: number, keySize: number, valueSize: number) => {
      const bytes = new Uint8Array(16);
      const view = new DataView(bytes.buffer);
      view.setFloat64(0, time, true);
      view.setUint32(8, keySize, true);
      view.setUint32(12, valueSize, true);
      return bytes;
    };
    const broken = new Uint8Array(7).fill(255);
    const patterns: [string, Uint8Array][] = [
      ['zeros', new Uint8Array(1)],
      ['ones', new Uint8Array([255])],
      ['times', header(BEGIN, 0x41d954fc, 0x41d954fc)],
      ['records of 50 MB', header(BEGIN, 16, 50_000_000)],
      ['records of 400 KB', header(BEGIN, 10, 400_000)],
      ['empty records', header(BEGIN, 1, 0)],
      ['every other one broken', concat([record('k', 'v'), header(BEGIN, 9, 0), broken])],
      ['older ones', concat([record('k', 'v', BEGIN - 1e7), record('l', 'w'), broken])],
      ['another clock', concat([header(3, 1, 2), new Uint8Array(3), broken])],
    ];
    for (const [name, pattern] of patterns) {
      const size = 1_000_000;
      const bytes = concat([...users(20), new Uint8Array(size)]);
      for (let i = bytes.length - size; i < bytes.length; i++)
        bytes[i] = pattern[i % pattern.length]!;
      const begun = performance.now();
      expectTiled(bytes.length, await scan(bytes));
      // Some 200 ms at most; a step more for each byte skipped would be minutes.
      expect(performance.now() - begun, name).toBeLessThan(10_000);
    }
  });

  it('are left when the scan is aborted, has seen enough, or begins later', async () => {
    const bytes = concat(users(200));
    const set = memorySet({});
    const source = () => new MemorySource(NAME, bytes);
    const aborted = { limits: DEFAULT_LIMITS, set, signal: AbortSignal.abort(new Error('enough')) };
    const nothing = { record() {}, damage() {} };
    await expect(hashV1.scan(source(), aborted, nothing)).rejects.toThrow('enough');
    let seen = 0;
    const done = () => seen >= 5;
    const context = { limits: DEFAULT_LIMITS, set };
    await hashV1.scan(source(), context, { record: () => seen++, damage() {}, done });
    expect(seen).toBe(5);
    const { records } = await scan(bytes);
    const from = records[100]!.offset;
    const later = await book.scanSource(hashV1, source(), {}, { from });
    expect(later.records).toEqual(records.slice(100));
  });
});

describe('hint files', () => {
  const NAME_3 = '000003.hint';
  const bytes = new Uint8Array(fixtureFiles('bitcask/hash-v1/merged-with-hint')[NAME_3]!);
  const data = fixtureFiles('bitcask/hash-v1/merged-with-hint')['000003.data']!;

  it('tell of the records of their data file', async () => {
    const { entries, damage } = await hints(bytes);
    const { records } = await scan(data);
    expect(damage).toEqual([]);
    expect(entries.map(({ dataFile }) => dataFile)).toEqual(records.map(() => 3));
    expect(
      entries.map(({ position, size, timestamp, key }) => [position, size, timestamp, key]),
    ).toEqual(
      records.map(({ offset, length, timestamp, key }) => [offset, length, timestamp, key]),
    );
    expect(coverageFaults(await layout(bytes, HINT), 0, bytes.length)).toEqual([]);
    expect(await hints(bytes, { windowBytes: 16 })).toEqual({ entries, damage });
    const piped = await book.scanHintFile(hashV1, book.pipe(HINT, bytes.slice(0, -3), 9));
    expect(piped).toEqual(await hints(bytes.slice(0, -3)));
  });

  it('that are cut give the entries before, and where they end', async () => {
    const { entries: intact } = await hints(bytes);
    for (let size = 0; size < bytes.length; size++) {
      const { entries, damage } = await hints(bytes.slice(0, size));
      const whole = intact.filter(({ offset, length }) => offset + length <= size);
      expectSame(entries, whole);
      const end = whole.at(-1) ? whole.at(-1)!.offset + whole.at(-1)!.length : 0;
      const told = damage.map(({ code, offset, length }) => [code, offset, length]);
      expectSame(told, end === size ? [] : [['hint-corrupt', end, size - end]]);
    }
  });

  it.each([
    ['key_size', 24, [0, 0, 0, 5], 'key_size is 83886080, the limit is 67108864'],
    [
      'a key longer than its record',
      24,
      [40],
      'size is 43, a record with a key of 40 bytes has at least 56',
    ],
    ['size', 12, [20], 'size is 20, a record with a key of 5 bytes has at least 21'],
    ['offset', 4, [0, 0, 0, 0, 0, 0, 0x20, 0], 'offset is 9007199254740992, no file is so long'],
    ['all', 0, new Array(33).fill(0), 'size is 0, a record with a key of 0 bytes has at least 16'],
  ])('with an impossible %s give the entries before', async (_, field, by, message) => {
    const { entries, damage } = await hints(
      overwritten(bytes, 33 * 2 + (field as number), by as number[]),
    );
    expect(entries.map(({ key }) => key)).toEqual(['key00', 'key01']);
    expect(damage).toMatchObject([
      { code: 'hint-corrupt', offset: 66, length: bytes.length - 66, message },
    ]);
  });
});

describe('detection', () => {
  const probe = (head: Uint8Array, name = 'unknown', size = head.length): Probe => ({
    name,
    size,
    head,
    siblings: [name],
  });
  const confidence = (...given: Parameters<typeof probe>) =>
    hashV1.detect(probe(...given)).confidence;
  const hint = fixtureFiles('bitcask/hash-v1/merged-with-hint')['000003.hint']!;

  it('goes by times and sizes in a row, and by names', () => {
    expect(confidence(golden)).toBe('certain');
    expect(confidence(golden.slice(0, 300), 'unknown', 5000)).toBe('certain');
    expect(confidence(golden.slice(0, 300))).toBe('certain');
    expect(confidence(record('a', 'b'), NAME)).toBe('certain');
    expect(confidence(hint, HINT)).toBe('certain');
    expect(confidence(new Uint8Array(50).fill(9), NAME)).toBe('likely');
    expect(confidence(new Uint8Array(50).fill(9), HINT)).toBe('likely');
    expect(confidence(new Uint8Array(0), NAME)).toBe('likely');
    expect(confidence(concat(uniform(9, (i) => i)), NAME)).toBe('likely');
    expect(hashV1.dataFile('000012.data')).toBe(12);
    expect(hashV1.dataFile('1.bitcask.data')).toBeUndefined();
    expect(hashV1.hintFile('7.hint')).toBe(7);
    expect([hashV1.dataName(12), hashV1.hintName(1_234_567)]).toEqual([
      '000012.data',
      '1234567.hint',
    ]);
  });

  it('claims nothing else', () => {
    expect(confidence(golden.slice(0, 30))).toBe('no');
    expect(confidence(new Uint8Array(0))).toBe('no');
    expect(confidence(new Uint8Array(4096))).toBe('no');
    expect(confidence(noise(9000))).toBe('no');
    expect(confidence(text('to be or not to be, '.repeat(99)))).toBe('no');
    expect(confidence(fixtureFiles('wal/v1/clean')['000001.wal']!)).toBe('no');
    expect(confidence(fixtureFiles('wal/lsm-v1/clean')['wal.log']!)).toBe('no');
    expect(confidence(fixtureFiles('bitcask/log-v1/clean')['segment_000001.dat']!)).toBe('no');
    expect(confidence(fixtureFiles('bitcask/riak/plain')['1.bitcask.data']!)).toBe('no');
  });
});

describe('writing', () => {
  it.each([golden, second])('gives the golden file back', async (bytes) => {
    const parts: Uint8Array[] = [];
    const context = { limits: DEFAULT_LIMITS, set: memorySet({}) };
    const again = hashV1.encoder!.open(7n);
    await hashV1.scan(new MemorySource(NAME, bytes), context, {
      record({ bytes: from, offset, timestamp, deleted, ...at }) {
        const value = deleted ? undefined : from.slice(at.valueStart, at.valueEnd);
        const one = put(from.slice(at.keyStart, at.keyEnd), value, { timestamp });
        parts.push(again.record(one, offset).slice());
      },
      damage() {},
    });
    expect(concat([again.data(1, false), ...parts, again.dataEnd()])).toEqual(bytes);
    expect(hashV1.encoder!.fileBytesDefault).toBe(10 * 1024 * 1024);
  });

  it('gives the golden hint back', async () => {
    const bytes = new Uint8Array(fixtureFiles('bitcask/hash-v1/merged-with-hint')['000003.hint']!);
    const context = { limits: DEFAULT_LIMITS, set: memorySet({}) };
    const parts = [writer.hint(3, 638, 19).slice()];
    await hashV1.scanHint(new MemorySource(HINT, bytes), context, {
      entry: (entry) => parts.push(writer.entry(entry).slice()),
      damage() {},
    });
    expect(concat([...parts, writer.hintEnd()])).toEqual(bytes);
  });

  it('keeps long records, and offsets beyond 4 GiB', async () => {
    const bytes = concat([record('long', noise(100_000)), record('gone', undefined)]);
    const { records } = await scan(bytes);
    expect(records.map(({ key, deleted }) => [key, deleted])).toEqual([
      ['long', false],
      ['gone', true],
    ]);
    const far = Object.assign(new HintEntry(), { size: 16, position: 2 ** 40 + 5, timestamp: 1 });
    const { entries } = await hints(writer.entry(far).slice());
    expect(entries[0]!.position).toBe(2 ** 40 + 5);
  });

  it('refuses what the layout cannot hold, with the reason', () => {
    const refused = (message: RegExp) =>
      expect.objectContaining({ code: 'not-storable', message: expect.stringMatching(message) });
    const entry = (more: Partial<HintEntry>) => () =>
      writer.entry(Object.assign(new HintEntry(), { size: 16 }, more));
    const more = (options: object) => () =>
      writer.record(put('k', 'v', { timestamp: 1, ...options }), 0);
    expect(() => record('k', '')).toThrow(refused(/how a deletion is written/));
    expect(() => record('', undefined, 0)).toThrow(refused(/the same as unused space/));
    expect(more({ expires: 1 })).toThrow(refused(/time to live/));
    expect(more({ timestamp: Number.NaN })).toThrow(refused(/timestamp NaN/));
    expect(() => writer.data(2 ** 32, false)).toThrow(refused(/file number/));
    expect(entry({ deleted: true })).toThrow(refused(/no entries for deletions/));
    expect(entry({ dataFile: 2 ** 32 })).toThrow(refused(/file_id/));
    expect(entry({ size: 2 ** 32 })).toThrow(refused(/size 4294967296/));
    expect(entry({ size: -1 })).toThrow(refused(/size -1/));
  });
});
