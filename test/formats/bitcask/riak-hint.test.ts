import { isDeepStrictEqual } from 'node:util';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { riak } from '../../../src/formats/bitcask/riak/index.ts';
import { liveFiles } from '../../../src/formats/bitcask/riak/pending.ts';
import { verifyStore } from '../../../src/formats/bitcask/verify.ts';
import { coverageFaults } from '../../../src/formats/coverage.ts';
import { DEFAULT_LIMITS, type Span } from '../../../src/formats/format.ts';
import { concat, fixtureFiles, MemorySource, memorySet } from '../../support/memory.ts';
import {
  DATA,
  HINT,
  hintOf,
  opened,
  put,
  record,
  Stream,
  scanData,
  scanHints,
  text,
} from './riak-helpers.ts';

const verify = (files: Record<string, Uint8Array>) => {
  const input = opened(files);
  return verifyStore(input, { limits: DEFAULT_LIMITS, set: input.set });
};
const codes = async (files: Record<string, Uint8Array>) =>
  (await verify(files)).findings.map(({ code, severity }) => `${severity} ${code}`);

const data = concat([record('a', '1'), record('bb', 'x'.repeat(50)), record('a'), record('', 'e')]);
const { records } = await scanData(data);
const hint = hintOf(records);
const { entries } = await scanHints(hint);
/** Offset of the CRC entry. */
const end = hint.length - 18;

describe('hint files', () => {
  it.each(['plain', 'merged'])('%s: every record has its entry, in order', async (name) => {
    const files = fixtureFiles(`bitcask/riak/${name}`);
    for (let file = 1; files[riak.dataName(file)]; file++) {
      const { records: all } = await scanData(files[riak.dataName(file)]!);
      const hints = await scanHints(files[riak.hintName(file)]!);
      expect(hints.damage).toEqual([]);
      expect(hints.entries.map(({ offset, length, position, size, ...same }) => same)).toEqual(
        all.map(({ timestamp, deleted, key }) => ({ timestamp, deleted, key })),
      );
      expect(hints.entries.map(({ position, size }) => [position, size])).toEqual(
        all.map(({ offset, length }) => [offset, length]),
      );
    }
  });

  it('are written as Bitcask writes them', async () => {
    const files = fixtureFiles('bitcask/riak/merged');
    for (let file = 1; file <= 5; file++) {
      const { records: all } = await scanData(files[riak.dataName(file)]!);
      expect(hintOf(all)).toEqual(Uint8Array.from(files[riak.hintName(file)]!));
    }
    // No tombstones in these, whose version would not be the same.
    for (const name of ['1.bitcask.data', '5.bitcask.data']) {
      const { records: all } = await scanData(files[name]!);
      const again = all.map(({ key, value, timestamp }) =>
        record(String(key), String(value), timestamp),
      );
      expect(concat(again)).toEqual(Uint8Array.from(files[name]!));
    }
  });

  it('tell of any flipped bit but the one that may be either', async () => {
    const wrong: unknown[] = [];
    for (let bit = 0; bit < hint.length * 8; bit++) {
      const bytes = hint.slice();
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
      const scan = await scanHints(bytes);
      // The tombstone bit of the CRC entry: Bitcask takes both.
      if (bit === (end + 10) * 8 + 7) {
        expect(scan).toMatchObject({ damage: [], entries: entries.map(({ key }) => ({ key })) });
        continue;
      }
      // The entries before the one that is hit, and nothing else, can still be believed.
      const before = entries.filter(({ offset, length }) => offset + length <= bit >>> 3);
      const [damage] = scan.damage;
      const hitEnd = bit >>> 3 >= end && !(bit >>> 3 >= end + 6 && bit >>> 3 < end + 10);
      const said = hitEnd
        ? damage?.offset === end && damage.message.includes('the CRC entry is hit')
        : damage?.diagnosis?.includes(`bit ${bit & 7} of the byte at ${bit >>> 3}`);
      const told = {
        damage: scan.damage.length === 1 && damage!.code === 'hint-corrupt' && said,
        before: isDeepStrictEqual(scan.entries, before),
      };
      if (!told.damage || !told.before) wrong.push({ bit, ...told, scan });
    }
    expect(wrong).toEqual([]);
  });

  it('without their CRC entry are what a crash leaves', async () => {
    for (let size = 0; size < hint.length; size++) {
      const scan = await scanHints(hint.slice(0, size));
      expect(scan.damage, `size ${size}`).toMatchObject([
        { code: 'torn-tail', severity: 'warning' },
      ]);
      const left = entries.filter(({ offset, length }) => offset + length <= size);
      expect(scan.entries, `size ${size}`).toEqual(left);
      const result = await verify({ [DATA]: data, [HINT]: hint.slice(0, size) });
      expect(result.verdict, `size ${size}`).toBe('torn-tail');
    }
  });

  it("whose entries do not fit together are no crash's", async () => {
    const bytes = hint.slice(0, end);
    bytes[entries[2]!.offset + 17]! ^= 4;
    const scan = await scanHints(bytes);
    expect(scan.damage).toMatchObject([{ code: 'hint-corrupt', offset: entries[1]!.offset }]);
    expect(scan.entries).toEqual(entries.slice(0, 1));
  });

  it('with bytes behind the CRC entry are not read by Bitcask', async () => {
    const scan = await scanHints(concat([hint, text('more')]));
    expect(scan.damage).toMatchObject([{ code: 'hint-corrupt', offset: end, length: 18 }]);
    expect(scan.entries).toEqual(entries);
  });

  it('with more than a bit wrong are not believed at all', async () => {
    const bytes = hint.slice();
    bytes[20]! ^= 0x81;
    bytes[60]! ^= 0x18;
    bytes[70]! ^= 0x18;
    const scan = await scanHints(bytes);
    expect(scan.damage).toMatchObject([{ code: 'hint-corrupt', offset: 0, length: hint.length }]);
    expect(scan.damage[0]!.message).toMatch(/^stored [0-9a-f]{8}, computed [0-9a-f]{8} over/);
    expect(scan.entries).toEqual([]);
  });

  it('whose checksum covers a size that leads too far are named', async () => {
    const bytes = hint.slice();
    const last = entries[3]!.offset;
    bytes[last + 5] = 12;
    new DataView(bytes.buffer).setUint32(end + 6, crc32(bytes.subarray(0, end)));
    const scan = await scanHints(bytes);
    expect(scan.damage[0]!.message).toContain('leads past the CRC entry');
    expect(scan.entries).toEqual(entries.slice(0, 3));
  });

  it('read the same through a window of any size, and from a stream', async () => {
    const broken = hint.slice(0, -3);
    for (const bytes of [hint, broken, concat([hint, hint]), hint.subarray(18)]) {
      const all = await scanHints(bytes);
      for (const [windowBytes, chunk] of [
        [32, 5],
        [100, 1],
        [1000, 7],
      ] as const) {
        const memory = new MemorySource(HINT, bytes, chunk);
        expect(await scanHints(bytes, { windowBytes }, memory)).toEqual(all);
      }
    }
    const streamed = await scanHints(hint, {}, new Stream(HINT, hint, 7));
    expect(streamed).toEqual({ entries, damage: [] });
    const torn = await scanHints(broken, {}, new Stream(HINT, broken, 7));
    expect(torn).toEqual(await scanHints(broken));
  });

  it('from before version 1.7 do not tell deletions', async () => {
    const old = hint.slice();
    // Offsets had 64 bits, and the CRC entry's was the highest.
    const deletion = entries.find(({ deleted }) => deleted)!;
    old[deletion.offset + 10] = 0;
    old[end + 10] = 0xff;
    new DataView(old.buffer).setUint32(end + 6, crc32(old.subarray(0, end)));
    expect(await codes({ [DATA]: data, [HINT]: old })).toEqual([]);
    // The same from a new version is a contradiction.
    old[end + 10] = 0x7f;
    expect(await codes({ [DATA]: data, [HINT]: old })).toContain('error hint-mismatch');
  });
});

describe('hints against data', () => {
  it('a whole hint that lacks a record hides it from Bitcask', async () => {
    const files = { [DATA]: data, [HINT]: hintOf(records.slice(0, 3)) };
    expect(await codes(files)).toEqual(['warning hint-missing']);
  });

  it('an entry behind the end of the data is one too many', async () => {
    const files = { [DATA]: data.subarray(0, records[3]!.offset), [HINT]: hint };
    expect(await codes(files)).toEqual(['error hint-mismatch']);
  });

  it('a store without hints is clean, one of whose files lacks its own is not', async () => {
    expect(await codes({ [DATA]: data })).toEqual([]);
    const two = { [DATA]: data, '2.bitcask.data': data, '2.bitcask.hint': hint };
    const [finding, ...more] = (await verify(two)).findings;
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ code: 'hint-missing', file: DATA, severity: 'warning' });
    expect(finding!.message).toContain('comes back');
  });
});

describe('files that a merge is done with', () => {
  const files = { [DATA]: data, [HINT]: hint, '2.bitcask.data': record('a', 'new') };
  const set = (modes: Record<string, number>) => {
    const plain = memorySet(files);
    const withModes = plain.files.map((file) => ({ ...file, mode: modes[file.name] ?? 0o100644 }));
    return { ...plain, files: withModes, siblings: withModes };
  };
  const findings = (modes: Record<string, number>) =>
    riak.verifySet!(
      { set: set(modes), dialect: riak, files: [] },
      { limits: DEFAULT_LIMITS, set: set(modes) },
    );

  it('are told by their mode', async () => {
    expect(liveFiles(set({}))).toBeUndefined();
    expect(await findings({})).toEqual([]);
    for (const mode of [0o100645, 0o104644]) {
      expect(liveFiles(set({ [DATA]: mode }))?.has(1)).toBe(false);
      expect(liveFiles(set({ [DATA]: mode }))?.has(2)).toBe(true);
      expect(await findings({ [DATA]: mode })).toMatchObject([
        { code: 'leftover-file', severity: 'warning', file: DATA },
      ]);
    }
  });

  it('are read where a file system gives all files that mode', async () => {
    const all = { [DATA]: 0o100777, '2.bitcask.data': 0o100777 };
    expect(liveFiles(set(all))).toBeUndefined();
    expect(await findings(all)).toMatchObject([{ code: 'leftover-file', severity: 'info' }]);
  });
});

describe('layout', () => {
  const layoutOf = async (bytes: Uint8Array): Promise<Span[]> => {
    const spans: Span[] = [];
    const context = { limits: DEFAULT_LIMITS, set: memorySet({ [HINT]: bytes }) };
    await riak.layout(new MemorySource(HINT, bytes), context, (span) => spans.push(span) > 0);
    return spans;
  };

  it('names every byte of a hint, and what nothing vouches for', async () => {
    const spans = await layoutOf(hint);
    expect(coverageFaults(spans, 0, hint.length)).toEqual([]);
    expect(spans.map(({ name, value }) => [name, value])).toEqual([
      ['entry', 'a'],
      ['entry', 'bb'],
      ['entry', 'a'],
      ['entry', ''],
      ['crc entry', crc32(hint.subarray(0, end)).toString(16).padStart(8, '0')],
    ]);
    const bytes = hint.slice();
    bytes[entries[1]!.offset + 3]! ^= 1;
    bytes[entries[1]!.offset + 2]! ^= 7;
    expect((await layoutOf(bytes)).map(({ damage }) => damage)).toEqual(
      Array(5).fill('hint-corrupt'),
    );
  });

  it('covers anything', async () => {
    const piece = fc.oneof(fc.constant(hint), fc.uint8Array({ maxLength: 60 }));
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }).map(concat), async (bytes) => {
        expect(coverageFaults(await layoutOf(bytes), 0, bytes.length)).toEqual([]);
        const { entries: told, damage } = await scanHints(bytes);
        // Either it is whole, or it is said why it is not; and what is told lies in the file.
        expect(damage.length).toBe(Buffer.compare(bytes, hint) === 0 ? 0 : 1);
        expect(told.every(({ offset, length }) => offset + length <= bytes.length)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a writer', () => {
  it('gives hints of positions beyond 4 GiB', async () => {
    const far = { ...records[0]!, offset: 5 * 2 ** 32 + 7, deleted: true };
    const scan = await scanHints(hintOf([far]));
    expect(scan.entries).toMatchObject([{ position: far.offset, deleted: true }]);
  });

  it('takes times that are not known for 0', async () => {
    const bytes = riak.encoder!.open(0n).record(put('k', 'v', Number.NaN), 0);
    expect((await scanData(bytes)).records).toMatchObject([{ timestamp: 0 }]);
  });
});
