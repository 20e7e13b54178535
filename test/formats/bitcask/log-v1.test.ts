import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitcask } from '../../../src/formats/bitcask/index.ts';
import { logV1 } from '../../../src/formats/bitcask/log-v1/index.ts';
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

const NAME = 'segment_000001.dat';
const HINT = 'segment_000001.hint';
const scan = (bytes: Uint8Array, limits = {}, chunk?: number) =>
  book.scanSource(logV1, new MemorySource(NAME, bytes, chunk), limits);
const hints = (bytes: Uint8Array, limits = {}) =>
  book.scanHintFile(logV1, new MemorySource(HINT, bytes), limits);

const writer = logV1.encoder!.open(0n);
const record = (key: string | Uint8Array, value?: string | Uint8Array) =>
  writer.record(put(key, value), 0).slice();
const users = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    record(`user:${String(i).padStart(4, '0')}`, i % 9 === 4 ? undefined : noise((i * 7) % 90, i)),
  );

interface Expected {
  live: Record<string, unknown>;
  clean: boolean;
  findings?: string[];
}

describe('golden files', () => {
  it.each(['clean', 'bad-crc'])('%s gives what its expectation says', async (name) => {
    const files = fixtureFiles(`bitcask/log-v1/${name}`);
    const expected = fixtureJson<Expected>(`bitcask/log-v1/${name}/expected.json`);
    expect(await book.liveOf(logV1, files)).toEqual(expected.live);
    const set = memorySet(files);
    const input = { set, dialect: logV1, files: bitcask.select(set, logV1) };
    const result = await bitcask.verify(input, { limits: DEFAULT_LIMITS });
    expect(result.clean).toBe(expected.clean);
    expect(Object.keys(result.counts)).toEqual(expected.findings ?? []);
  });

  it('the flipped bit of bad-crc is named, and the record that it is in', async () => {
    const { damage } = await scan(fixtureFiles('bitcask/log-v1/bad-crc')[NAME]!);
    expect(damage).toMatchObject([
      {
        code: 'crc-mismatch',
        offset: 336,
        length: 28,
        diagnosis: 'bit 1 of the byte at 353 is flipped',
        evidence: 'an intact record follows at 364',
        subject: 'put "key10"',
        key: text('key10'),
        deleted: false,
        tail: false,
      },
    ]);
  });
});

const golden = new Uint8Array(fixtureFiles('bitcask/log-v1/clean')[NAME]!);
const tombstoned = new Uint8Array(fixtureFiles('bitcask/log-v1/clean')['segment_000002.dat']!);
const uniform = concat(
  Array.from({ length: 14 }, (_, i) => record(`key${1000 + i}`, noise(45, i))),
);
const varied = concat(
  Array.from({ length: 16 }, (_, i) => record('k'.repeat(i % 9) + i, noise((i * 13) % 60, i))),
);

describe('one flipped bit', () => {
  const files: [string, Uint8Array][] = [
    ['golden', golden],
    ['a deletion', tombstoned],
    ['records of 64 bytes', uniform],
    ['keys of any size', varied],
  ];

  it.each(files)('of %s costs at most its record, and is always seen', async (_, bytes) => {
    const { records: intact } = await scan(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const at = bit >>> 3;
      const hurt = flipped(bytes, at, bit & 7);
      const hit = intact.findLast(({ offset }) => offset <= at)!;
      const scanned = await scan(hurt);
      expectTiled(bytes.length, scanned);
      const { records, damage } = scanned;
      const left = records.filter(({ offset }) => offset !== hit.offset);
      const others = intact.filter((one) => one !== hit);
      expectSame(left, others, `bit ${bit}`);
      const places = damage.map(({ offset, length }) => [offset, length]);
      expectSame(places, [[hit.offset, hit.length]], `bit ${bit}`);
      if (damage[0]!.diagnosis) {
        expect(damage[0]!.diagnosis).toContain(`bit ${bit & 7} of the byte at ${at} `);
        expectSame(mended(hurt, damage[0]!), bytes);
      }
      // A size is either set right, or both may be hit and the record is not read.
      const inSizes = at - hit.offset >= 4 && at - hit.offset < 12;
      expect(damage[0]!.code).toBe(inSizes ? 'bad-length' : 'crc-mismatch');
      if (!inSizes) {
        expect(damage[0]!.diagnosis).toBeDefined();
        expect(damage[0]!.deleted).toBe(hit.deleted);
        expectSame(damage[0]!.key, text(String(hit.key)));
        continue;
      }
      const self = records.find(({ offset }) => offset === hit.offset);
      expect(damage[0]!.lost).toBe(self === undefined);
      if (self) expectSame(self, { ...hit, salvaged: true });
      else {
        expect(damage[0]!.message).toContain('which of them is hit cannot be told');
        expect(damage[0]!.tail).toBe(false);
      }
    }
  });

  it('of a size is set right, where all keys before are of one size', async () => {
    const bytes = concat(Array.from({ length: 44 }, (_, i) => record(`key${1000 + i}`, noise(45))));
    const { records: intact } = await scan(bytes);
    for (const { offset } of intact.slice(32)) {
      for (let bit = 0; bit < 64; bit++) {
        const { records } = await scan(flipped(bytes, offset + 4 + (bit >>> 3), bit & 7));
        expectSame(
          records,
          intact.map((one) => ({ ...one, salvaged: one.offset === offset })),
        );
      }
    }
  });

  it('and another one are told apart', async () => {
    const bytes = flipped(flipped(uniform, 64 * 5 + 20, 3), 64 * 5 + 50, 6);
    const { damage } = await scan(bytes);
    expect(damage).toHaveLength(1);
    expect(damage[0]!.diagnosis).toBe(
      'two bits are flipped: bit 3 of the byte at 340 and bit 6 of the byte at 370',
    );
    expect(damage[0]!.mend).toBeUndefined();
  });
});

describe('sizes that are gone', () => {
  const head = users(12);
  const lost = record('user:9999', noise(70, 5));
  const at = concat(head).length;

  it.each([
    ['followed by records', users(3)],
    ['at the end', []],
  ])('are found by the checksum, %s', async (_, behind) => {
    const bytes = concat([...head, lost, ...behind]);
    const { records: intact } = await scan(bytes);
    for (const field of ['key_size', 'value_size']) {
      const hurt = overwritten(
        bytes,
        at + (field === 'key_size' ? 4 : 8),
        [0xde, 0xad, 0xbe, 0xef],
      );
      const { records, damage } = await scan(hurt);
      const whole = intact.map((one) => ({ ...one, salvaged: one.offset === at }));
      expect(records).toEqual(whole);
      expect(damage).toHaveLength(1);
      expect(damage[0]!.message).toMatch(new RegExp(`^${field} is 3735928559, and the checksum`));
      expect(damage[0]!.diagnosis).toBeUndefined();
      expect(mended(hurt, damage[0]!)).toEqual(bytes);
    }
  });

  it('cost the record where the checksum is gone too', async () => {
    const bytes = concat([...head, lost, ...users(3)]);
    const { records: intact } = await scan(bytes);
    const { records, damage } = await scan(overwritten(bytes, at, new Uint8Array(12).fill(0xee)));
    expect(records).toEqual(intact.filter(({ offset }) => offset !== at));
    expect(damage).toMatchObject([
      { code: 'bad-length', offset: at, length: lost.length, lost: true, tail: false },
    ]);
  });

  it('do not make records of what the value holds', async () => {
    const inner = concat(users(4));
    const bytes = concat([...head, record('store', inner), ...users(3)]);
    const { records: intact } = await scan(bytes);
    for (let bit = 0; bit < 64; bit++) {
      const { records } = await scan(flipped(bytes, at + 4 + (bit >>> 3), bit & 7));
      const others = ({ offset }: { offset: number }) => offset !== at;
      expect(records.filter(others)).toEqual(intact.filter(others));
    }
    // The same where the content is hit.
    const { records } = await scan(flipped(bytes, at + 40, 1));
    expect(records).toEqual(intact.filter(({ offset }) => offset !== at));
  });
});

describe('torn tails', () => {
  it.each([
    ['golden', golden],
    ['a deletion', tombstoned],
    ['users', concat(users(20))],
  ])('every truncation of %s loses the cut record alone', async (_, bytes) => {
    const { records: intact } = await scan(bytes);
    for (let size = 0; size <= bytes.length; size++) {
      const { records, damage } = await scan(bytes.slice(0, size));
      const whole = intact.filter(({ offset, length }) => offset + length <= size);
      expect(records).toEqual(whole);
      const end = whole.reduce((sum, { length }) => sum + length, 0);
      if (end === size) expect(damage).toEqual([]);
      else {
        expect(damage, `size ${size}`).toHaveLength(1);
        expect(damage[0]).toMatchObject({ code: 'torn-tail', offset: end, length: size - end });
        expect(damage[0]).toMatchObject({ tail: true, begun: true, lost: true });
        expect(damage[0]!.diagnosis).toBeUndefined();
      }
    }
  });

  it.each(['zeros', 'ones', 'noise'])('%s behind the last record', async (kind) => {
    for (const size of [1, 11, 12, 13, 24, 100, 5000]) {
      const tail =
        kind === 'noise' ? noise(size) : new Uint8Array(size).fill(kind === 'ones' ? 255 : 0);
      const { records, damage } = await scan(concat([golden, tail]));
      expect(records).toHaveLength(20);
      expect(damage).toMatchObject([
        { code: 'torn-tail', offset: golden.length, length: size, tail: true },
      ]);
      if (kind === 'zeros') expect(damage[0]!.message).toContain('zero bytes');
    }
  });

  it('a record at the end that does not check is one too, by its tail', async () => {
    const { damage } = await scan(flipped(golden, golden.length - 1, 0));
    expect(damage).toMatchObject([{ code: 'crc-mismatch', tail: true, lost: true }]);
    expect(damage[0]!.evidence).toBe('the file ends with it');
  });
});

describe('holes', () => {
  it('end at the next intact record, wherever it is', async () => {
    for (let junk = 1; junk < 60; junk++) {
      const bytes = concat([record('a', '1'), noise(junk, junk), record('b', '2'), record('c')]);
      const scanned = await scan(bytes);
      expect(scanned.records.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
      expectTiled(bytes.length, scanned);
      expect(scanned.damage.every(({ tail }) => !tail)).toBe(true);
    }
  });

  it('a sector costs the records it touches', async () => {
    const bytes = concat(users(200));
    const { records: intact } = await scan(bytes);
    for (const [i, from] of [512, 1024, 3000, 3007, 5555, 7168].entries()) {
      const fill = [new Uint8Array(512), new Uint8Array(512).fill(255), noise(512)][i % 3]!;
      const { records, damage } = await scan(overwritten(bytes, from, fill));
      const untouched = intact.filter(
        ({ offset, length }) => offset + length <= from || offset >= from + 512,
      );
      expect(records).toEqual(untouched);
      expect(damage.every(({ tail, lost }) => lost && !tail)).toBe(true);
    }
  });

  it('twelve zero bytes are a put of nothing, more are a hole', async () => {
    const [a, b] = [record('a', '1'), record('b', '2')];
    const one = await scan(concat([a, new Uint8Array(12), b]));
    expect(one.damage).toEqual([]);
    expect(one.records[1]).toMatchObject({ key: '', value: '', length: 12, deleted: false });
    for (const size of [11, 13, 24, 25]) {
      const more = await scan(concat([a, new Uint8Array(size), b]));
      expect(more.records.map(({ key }) => key)).toEqual(['a', 'b']);
      expect(more.damage).toMatchObject([{ code: 'bad-length', offset: 14, length: size }]);
    }
  });

  it('a record beyond the limit is one', async () => {
    const bytes = concat([...users(5), record('long', noise(5000)), ...users(5)]);
    const { records, damage } = await scan(bytes, { recordBytes: 4096 });
    expect(records).toHaveLength(10);
    expect(damage).toMatchObject([{ code: 'bad-length', length: 5016 }]);
    expect(damage[0]!.message).toContain('the limit is 4096');
  });

  it('are found around records larger than any window', async () => {
    const large = Array.from({ length: 5 }, (_, i) => record(`large${i}`, noise(1_500_000, i)));
    const bytes = concat(large);
    const size = large[0]!.length;
    const { records, damage } = await scan(overwritten(bytes, size, new Uint8Array(12)));
    expect(records.map(({ offset }) => offset / size)).toEqual([0, 2, 3, 4]);
    expect(damage).toMatchObject([{ offset: size, length: size }]);
    const { damage: one } = await scan(flipped(bytes, size + 700_000, 3));
    expect(one).toMatchObject([{ code: 'crc-mismatch', offset: size, length: size }]);
  });
});

describe('any records', () => {
  const someRecord = fc.record({
    key: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    value: fc.option(fc.uint8Array({ maxLength: 120 }), { nil: undefined }),
  });

  it('are read as they were written, through windows and reads of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(someRecord, { maxLength: 60 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 50 }),
        async (operations, windowBytes, chunk) => {
          const parts = operations.map(({ key, value }) => record(key, value));
          const bytes = concat(parts);
          const { records, damage } = await scan(bytes, { windowBytes }, chunk);
          expect(damage).toEqual([]);
          expect(records.map(({ length }) => length)).toEqual(parts.map(({ length }) => length));
          expect(records.map(({ deleted }) => deleted)).toEqual(
            operations.map(({ value }) => value === undefined),
          );
          const again = records.map(({ key, value, deleted }) =>
            record(bytesOf(key), deleted ? undefined : bytesOf(value)),
          );
          expect(concat(again)).toEqual(bytes);
          expect(coverageFaults(await layout(bytes), 0, bytes.length)).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });

  const bytesOf = (value: unknown) =>
    typeof value === 'string' ? text(value) : Buffer.from((value as { hex: string }).hex, 'hex');
});

const layout = (bytes: Uint8Array, name = NAME) => book.layoutOf(logV1, bytes, name);

describe('any bytes', () => {
  it('are tiled by records and damage, in the scan and in the layout', async () => {
    const small = fc.constantFrom(0, 0, 0, 0, 1, 2, 3, 12, 97, 255);
    const someBytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(small, { maxLength: 400 }).map((list) => new Uint8Array(list)),
      fc
        .tuple(fc.nat(19), fc.nat(600), fc.uint8Array({ maxLength: 40 }))
        .map(([from, at, by]) => overwritten(concat(users(20).slice(from)), Math.min(at, 29), by)),
    );
    await fc.assert(
      fc.asyncProperty(someBytes, fc.integer({ min: 1, max: 64 }), async (bytes, windowBytes) => {
        const whole = await scan(bytes);
        expectTiled(bytes.length, whole);
        expect(await scan(bytes, { windowBytes })).toEqual(whole);
        expect(await book.scanSource(logV1, book.pipe(NAME, bytes, 7))).toEqual(whole);
        expect(coverageFaults(await layout(bytes), 0, bytes.length)).toEqual([]);
        expect(coverageFaults(await layout(bytes, HINT), 0, bytes.length)).toEqual([]);
      }),
      { numRuns: 250 },
    );
  });

  it('cost time that grows with their number, whatever they are', async () => {
    const header = (keySize: number, valueSize: number) => {
      const bytes = new Uint8Array(12);
      new DataView(bytes.buffer).setUint32(4, keySize);
      new DataView(bytes.buffer).setUint32(8, valueSize);
      bytes[0] = 1;
      return bytes;
    };
    const bad = overwritten(record('k', 'v'), 0, [1, 2, 3, 4]);
    const patterns: [string, Uint8Array][] = [
      ['zeros', new Uint8Array(1)],
      ['ones', new Uint8Array([255])],
      ['small sizes', new Uint8Array([0, 0, 0, 1])],
      ['sizes of 1 KiB', new Uint8Array([0, 0, 4, 0])],
      ['records of 200 KB', header(16, 200_000)],
      ['bad records', bad],
      ['good and bad', concat([record('k', 'v'), bad])],
    ];
    for (const [name, pattern] of patterns) {
      const size = 300_000;
      const bytes = concat([...users(20), new Uint8Array(size)]);
      for (let i = bytes.length - size; i < bytes.length; i++)
        bytes[i] = pattern[i % pattern.length]!;
      const begun = performance.now();
      expectTiled(bytes.length, await scan(bytes));
      // Some 300 ms at most; a pass over a record for each byte skipped would be minutes.
      expect(performance.now() - begun, name).toBeLessThan(10_000);
    }
  });

  it('are left when the scan is aborted, has seen enough, or begins later', async () => {
    const bytes = concat(users(200));
    const set = memorySet({});
    const source = () => new MemorySource(NAME, bytes);
    const aborted = { limits: DEFAULT_LIMITS, set, signal: AbortSignal.abort(new Error('enough')) };
    const nothing = { record() {}, damage() {} };
    await expect(logV1.scan(source(), aborted, nothing)).rejects.toThrow('enough');
    let seen = 0;
    const done = () => seen >= 5;
    const context = { limits: DEFAULT_LIMITS, set };
    await logV1.scan(source(), context, { record: () => seen++, damage() {}, done });
    expect(seen).toBe(5);
    const { records } = await scan(bytes);
    const from = records[100]!.offset;
    const later = await book.scanSource(logV1, source(), {}, { from });
    expect(later.records).toEqual(records.slice(100));
  });
});

describe('hint files', () => {
  const entry = (key: string, position: number) => {
    const one = new HintEntry();
    one.bytes = text(key);
    one.keyEnd = one.bytes.length;
    one.position = position;
    return writer.entry(one).slice();
  };
  const bytes = concat([entry('a', 0), entry('key', 14), entry('', 0xffff_ffff)]);

  it('are read as they were written', async () => {
    expect([...bytes.subarray(0, 9)]).toEqual([0, 0, 0, 1, 0, 0, 0, 0, 97]);
    const { entries, damage } = await hints(bytes);
    expect(damage).toEqual([]);
    const told = { dataFile: 1, size: -1, timestamp: Number.NaN };
    expect(entries).toEqual([
      { ...told, offset: 0, length: 9, position: 0, key: 'a' },
      { ...told, offset: 9, length: 11, position: 14, key: 'key' },
      { ...told, offset: 20, length: 8, position: 0xffff_ffff, key: '' },
    ]);
    expect(coverageFaults(await layout(bytes, HINT), 0, bytes.length)).toEqual([]);
    expect(await hints(bytes, { windowBytes: 8 })).toEqual({ entries, damage });
  });

  it('that are cut give the entries before, and where they end', async () => {
    const { entries: intact } = await hints(bytes);
    for (let size = 0; size < bytes.length; size++) {
      const { entries, damage } = await hints(bytes.slice(0, size));
      const whole = intact.filter(({ offset, length }) => offset + length <= size);
      expect(entries).toEqual(whole);
      const end = whole.at(-1) ? whole.at(-1)!.offset + whole.at(-1)!.length : 0;
      expect(damage).toMatchObject(
        end === size ? [] : [{ code: 'hint-corrupt', offset: end, length: size - end }],
      );
    }
  });

  it('with an impossible key_size give the entries before', async () => {
    const { entries, damage } = await hints(overwritten(bytes, 9, [0xff]));
    expect(entries.map(({ key }) => key)).toEqual(['a']);
    expect(damage).toMatchObject([{ code: 'hint-corrupt', offset: 9, length: 19 }]);
    expect(damage[0]!.message).toContain('key_size is 4278190083, the limit is 67108864');
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
    logV1.detect(probe(...given)).confidence;

  it('goes by checksums, and by names', () => {
    expect(confidence(golden)).toBe('certain');
    expect(confidence(concat([noise(99), golden]))).toBe('certain');
    expect(confidence(new Uint8Array(50).fill(9), NAME)).toBe('likely');
    expect(confidence(new Uint8Array(0), NAME)).toBe('likely');
    expect(confidence(noise(9), HINT)).toBe('likely');
    expect(logV1.dataFile(NAME)).toBe(1);
    expect(logV1.dataFile(HINT)).toBeUndefined();
    expect(logV1.hintFile('segment_1234567.hint')).toBe(1_234_567);
    expect([logV1.dataName(12), logV1.hintName(1_234_567)]).toEqual([
      'segment_000012.dat',
      'segment_1234567.hint',
    ]);
  });

  it('claims nothing else', () => {
    expect(confidence(new Uint8Array(0))).toBe('no');
    expect(confidence(new Uint8Array(4096))).toBe('no');
    expect(confidence(noise(9000))).toBe('no');
    expect(confidence(text('to be or not to be, '.repeat(99)))).toBe('no');
    expect(confidence(fixtureFiles('wal/v1/clean')['000001.wal']!)).toBe('no');
    expect(confidence(fixtureFiles('bitcask/hash-v1/clean')['000001.data']!)).toBe('no');
    expect(confidence(fixtureFiles('bitcask/riak/plain')['1.bitcask.data']!)).toBe('no');
  });
});

describe('writing', () => {
  it.each([golden, tombstoned])('gives the golden file back', async (bytes) => {
    const parts: Uint8Array[] = [];
    const context = { limits: DEFAULT_LIMITS, set: memorySet({}) };
    const again = logV1.encoder!.open(7n);
    await logV1.scan(new MemorySource(NAME, bytes), context, {
      record({ bytes: from, offset, keyStart, keyEnd, valueStart, valueEnd, deleted }) {
        const value = deleted ? undefined : from.slice(valueStart, valueEnd);
        parts.push(again.record(put(from.slice(keyStart, keyEnd), value), offset).slice());
      },
      damage() {},
    });
    expect(concat([again.data(1, false), ...parts, again.dataEnd()])).toEqual(bytes);
    expect(logV1.encoder!.fileBytesDefault).toBe(1024 * 1024);
  });

  it('keeps empty values, and long records', async () => {
    const bytes = concat([record('empty', ''), record('long', noise(100_000)), record('gone')]);
    const { records } = await scan(bytes);
    expect(records.map(({ key, deleted }) => [key, deleted])).toEqual([
      ['empty', false],
      ['long', false],
      ['gone', true],
    ]);
    expect(records[0]!.value).toBe('');
  });

  it('refuses what the layout cannot hold, with the reason', () => {
    const refused = (message: RegExp) =>
      expect.objectContaining({ code: 'not-storable', message: expect.stringMatching(message) });
    const entry = (more: Partial<HintEntry>) => () =>
      writer.entry(Object.assign(new HintEntry(), more));
    expect(() => record('k', '__BITCASK_TOMBSTONE__')).toThrow(
      refused(/how a deletion is written/),
    );
    expect(() => record('', '')).toThrow(refused(/the same as unused space/));
    expect(() => writer.record(put('k', 'v', { expires: 1 }), 0)).toThrow(refused(/time to live/));
    expect(() => writer.record(put('k', 'v'), 2 ** 32)).toThrow(refused(/an offset is a u32/));
    expect(entry({ position: 2 ** 32 })).toThrow(refused(/an offset is a u32/));
    expect(entry({ deleted: true })).toThrow(refused(/no entries for deletions/));
    expect(() => record('k', '__BITCASK_TOMBSTONE__!')).not.toThrow();
  });
});
