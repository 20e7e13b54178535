import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyStoreRepair } from '../../../src/formats/bitcask/apply-repair.ts';
import { planStoreRepair } from '../../../src/formats/bitcask/repair.ts';
import { riak } from '../../../src/formats/bitcask/riak/index.ts';
import { verifyStore } from '../../../src/formats/bitcask/verify.ts';
import { coverageFaults } from '../../../src/formats/coverage.ts';
import { DEFAULT_LIMITS, type Span } from '../../../src/formats/format.ts';
import { concat, fixtureFiles, MemorySource, root } from '../../support/memory.ts';
import {
  DATA,
  expectedContent,
  HINT,
  opened,
  put,
  record,
  scanData,
  type Told,
  text,
} from './riak-helpers.ts';

const verify = (files: Record<string, Uint8Array>) => {
  const input = opened(files);
  return verifyStore(input, { limits: DEFAULT_LIMITS, set: input.set });
};

/** A record with any value, tombstones too. */
function raw(key: string, value: Uint8Array): Uint8Array {
  const bytes = record(key, new Uint8Array(value.length));
  bytes.set(value, 14 + key.length);
  new DataView(bytes.buffer).setUint32(0, crc32(bytes.subarray(4)));
  return bytes;
}

describe('files of Erlang Bitcask', () => {
  it.each(['plain', 'merged'])(
    '%s: the newest record by place is what Bitcask has',
    async (name) => {
      const files = fixtureFiles(`bitcask/riak/${name}`);
      const live = new Map<unknown, unknown>();
      for (let file = 1; files[riak.dataName(file)]; file++) {
        const { records, damage } = await scanData(files[riak.dataName(file)]!);
        expect(damage).toEqual([]);
        for (const { key, value, deleted } of records) {
          if (deleted) live.delete(key);
          else live.set(key, value);
        }
      }
      expect(live).toEqual(expectedContent());
      expect(live.size).toBe(171);
    },
  );

  it.each(['plain', 'merged'])('%s verifies clean, hints and all', async (name) => {
    const result = await verify(fixtureFiles(`bitcask/riak/${name}`));
    expect(result.findings).toEqual([]);
    expect(result.clean).toBe(true);
  });

  it('tells which file a tombstone of the second version is about', async () => {
    const { records } = await scanData(fixtureFiles('bitcask/riak/plain')['4.bitcask.data']!);
    expect(records.map(({ key, extra }) => ({ key, extra }))).toEqual([
      { key: 'key0169', extra: { tombstone: 'v2', of: 2 } },
      { key: 'key0176', extra: { tombstone: 'v2', of: 3 } },
      { key: 'key0183', extra: { tombstone: 'v2', of: 2 } },
      { key: 'key0190', extra: { tombstone: 'v2', of: 2 } },
      { key: 'key0197', extra: { tombstone: 'v2', of: 2 } },
    ]);
    expect(records.every(({ deleted, value }) => deleted && value === '')).toBe(true);
  });
});

it('the page on the layout has the bytes of the fixture', () => {
  const page = readFileSync(join(root, 'src/formats/bitcask/riak/FORMAT.md'), 'utf8');
  const [, example = ''] = page.split('## A worked example')[1]!.split('```');
  const files = fixtureFiles('bitcask/riak/plain');
  const [data, ...hints] = example.trim().split('\n\n');
  for (const [part, name] of [[data, DATA], ...hints.map((hint) => [hint, HINT])]) {
    for (const line of part!.split('\n')) {
      const [, offset, digits] = /^([0-9a-f]{8}) {2}((?:[0-9a-f]{2} )+)/.exec(line)!;
      const at = Number.parseInt(offset!, 16);
      const bytes = Buffer.from(digits!.replaceAll(' ', ''), 'hex');
      expect(Buffer.from(files[name!]!.subarray(at, at + bytes.length)), line).toEqual(bytes);
    }
  }
});

describe('tombstones', () => {
  it.each([
    ['bitcask_tombstone', { tombstone: 'v0' }],
    ['bitcask_tombstone1\x00\x00\x01\x02', { tombstone: 'v1', upTo: 258 }],
    ['bitcask_tombstone2\x00\x00\x00\x07', { tombstone: 'v2', of: 7 }],
    ['bitcask_tombstone3\x00\x00\x00\x07', { tombstone: 'other' }],
    [
      'bitcask_tombstones are great',
      { tombstone: 'other', content: 'bitcask_tombstones are great' },
    ],
  ])('%j deletes its key', async (value, extra) => {
    const { records } = await scanData(raw('k', text(value)));
    expect(records).toMatchObject([{ deleted: true, value: '', extra }]);
  });

  it.each(['bitcask_tombston', 'Bitcask_tombstone', 'bitcask tombstone', ''])(
    '%j is a value',
    async (value) => {
      const { records } = await scanData(raw('k', text(value)));
      expect(records).toMatchObject([{ deleted: false, value, extra: undefined }]);
    },
  );
});

/** Records of different sizes, one of them with nothing in it, one deletion. */
const sample = [
  record('a', ''),
  record('bb', 'x'.repeat(7), 2000),
  record('ccc', new Uint8Array(200)),
  record('a'),
  record('dddd', 'y'.repeat(63)),
  record('', ''),
  record(
    'f',
    new Uint8Array(30).map((_, i) => i),
  ),
  record('g', 'last'),
];
const whole = concat(sample);
const starts = sample.map((_, i) => sample.slice(0, i).reduce((sum, r) => sum + r.length, 0));
const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
  const copy = bytes.slice();
  copy[bit >>> 3]! ^= 1 << (bit & 7);
  return copy;
};

/** Records and damage tile the file. */
function accounts(
  size: number,
  { records, damage }: Awaited<ReturnType<typeof scanData>>,
): boolean {
  const spans = [...records, ...damage].sort((a, b) => a.offset - b.offset);
  let at = 0;
  for (const { offset, length } of spans) {
    if (offset !== at) return false;
    at += length;
  }
  return at === size;
}

describe('damage', () => {
  it('loses the record that a flipped bit is in, says which bit, and mends it', async () => {
    const { records: intact } = await scanData(whole);
    const wrong: unknown[] = [];
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = flipped(whole, bit);
      const hit = starts.findLastIndex((start) => start <= bit >>> 3);
      const scan = await scanData(bytes);
      const [damage] = scan.damage;
      const { mend, diagnosis = '', key, deleted } = damage!;
      const mended = bytes.slice();
      mended.set(Buffer.from(mend?.hex ?? '', 'hex'), mend?.offset);
      const { clean, verdict } = await verify({ [DATA]: bytes });
      const told = {
        others: isDeepStrictEqual(scan.records, intact.toSpliced(hit, 1)),
        accounts: accounts(whole.length, scan),
        one: scan.damage.length === 1 && damage!.length === sample[hit]!.length,
        diagnosis: diagnosis.includes(`bit ${bit & 7} of the byte at ${bit >>> 3}`),
        mended: whole.every((byte, i) => byte === mended[i]),
        what: Buffer.from(key!).toString() === intact[hit]!.key && deleted === intact[hit]!.deleted,
        verdict: !clean && (hit === sample.length - 1 || verdict === 'damaged'),
      };
      if (!Object.values(told).every(Boolean)) wrong.push({ bit, ...told });
    }
    expect(wrong).toEqual([]);
  });

  it('takes every truncation inside a record for a torn tail', async () => {
    const ends = starts.map((start, i) => start + sample[i]!.length);
    const wrong: unknown[] = [];
    for (let size = 0; size <= whole.length; size++) {
      const bytes = whole.slice(0, size);
      const { records } = await scanData(bytes);
      const { verdict } = await verify({ [DATA]: bytes });
      const expected = size === 0 || ends.includes(size) ? 'clean' : 'torn-tail';
      const left = ends.filter((end) => end <= size).length;
      if (records.length !== left || verdict !== expected) wrong.push({ size, verdict });
    }
    expect(wrong).toEqual([]);
  });

  it('loses two neighbours only, when both are hit', async () => {
    const bytes = whole.slice();
    bytes[starts[2]! + 100]! ^= 1;
    bytes[starts[3]! + 16]! ^= 1;
    const { records, damage } = await scanData(bytes);
    expect(records).toHaveLength(6);
    expect(damage.map(({ offset }) => offset)).toEqual([starts[2], starts[3]]);
  });

  it('is not led astray by a size that leads to another record', async () => {
    // Records of 32 bytes: bit 5 of a value's size leads to the end of the next one.
    const records = ['a', 'b', 'c', 'd'].map((key) => record(key, 'v'.repeat(17)));
    const bytes = concat(records);
    bytes[13]! ^= 32;
    const scan = await scanData(bytes);
    expect(scan.records.map(({ key }) => key)).toEqual(['b', 'c', 'd']);
    expect(scan.damage).toMatchObject([{ code: 'crc-mismatch', length: 32, subject: 'put "a"' }]);
  });

  it('finds the next record at any byte offset', async () => {
    for (let junk = 1; junk < 60; junk++) {
      const garbage = new Uint8Array(junk).map((_, i) => (i * 37 + junk) & 255);
      const bytes = concat([record('a', '1'), garbage, record('b', '2'), record('c', '3')]);
      const scan = await scanData(bytes);
      expect(scan.records.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
      expect(scan.damage.reduce((sum, one) => sum + one.length, 0)).toBe(junk);
    }
  });

  it('reads the same through a window of any size, and from a stream', async () => {
    const long = record('z', 'q'.repeat(500));
    long[200]! ^= 3;
    const parts = [new Uint8Array(50), record('x', ''), long, record('y', ''), text('junk')];
    const bytes = concat([...sample, ...parts]);
    const all = await scanData(bytes);
    expect(all.damage).toHaveLength(3);
    for (const [windowBytes, chunk] of [
      [32, 5],
      [64, 64],
      [100, 1],
      [1000, 7],
    ] as const) {
      expect(await scanData(bytes, { windowBytes }, { chunk })).toEqual(all);
      expect(await scanData(bytes, { windowBytes }, { chunk, stream: true })).toEqual(all);
    }
  });

  it('reads on from where it is told to', async () => {
    const { records } = await scanData(whole);
    expect(await scanData(whole, {}, { from: starts[3]! })).toEqual({
      records: records.slice(3),
      damage: [],
    });
  });

  it('does not mistake a record inside a damaged value for one of the store', async () => {
    const inner = concat([record('inner', 'x'), record('inner', 'y')]);
    const parts = [record('a', '1'), record('outer', inner), record('c', '3')];
    const bytes = concat(parts);
    const at = parts[0]!.length;
    bytes.set(text('hit!'), at + 14 + 5 + inner.length - 4);
    const { records } = await scanData(bytes);
    expect(records.map(({ key }) => key)).toEqual(['a', 'c']);

    // With its head gone too, only the hint knows.
    bytes.fill(0xee, at, at + 14);
    const anchors = Float64Array.of(0, at, at + parts[1]!.length);
    const hinted = await scanData(bytes, {}, { anchors });
    expect(hinted.records.map(({ key }) => key)).toEqual(['a', 'c']);
    expect(hinted.damage[0]!.evidence).toContain('the hint has the next record at');
    const alone = await scanData(bytes);
    expect(alone.records.map(({ key }) => key)).toEqual(['a', 'inner', 'c']);
  });

  it('calls preallocated zeros what they are', async () => {
    const { records, damage } = await scanData(concat([whole, new Uint8Array(4096)]));
    expect(records).toHaveLength(8);
    expect(damage).toMatchObject([{ code: 'torn-tail', offset: whole.length, length: 4096 }]);
    expect(damage[0]!.message).toContain('4096 zero bytes');
  });

  it('names hostile sizes without asking for memory', async () => {
    const { damage } = await scanData(new Uint8Array(30).fill(0xff));
    expect(damage).toMatchObject([{ code: 'torn-tail', offset: 0, length: 30, begun: false }]);
    expect(damage[0]!.message).toContain('make a record of 4295032844 bytes');
    const over = await scanData(record('k', new Uint8Array(5000)), { recordBytes: 4096 });
    expect(over.damage[0]!.message).toContain('the limit is 4096');
  });

  it('searches near-misses in linear time, wherever they are', async () => {
    // At every byte begins a record of 21 to 64 KiB whose checksum does not hold.
    const dense = new Uint8Array(1 << 19).fill(0x55);
    for (let p = 0; p < dense.length; p += 4) dense.set([0, 0], p);
    // Small intact records between heads that claim a megabyte each.
    const small = record('k', 'v');
    const claims = Array.from({ length: 8000 }, () => {
      const head = new Uint8Array(14).fill(1);
      new DataView(head.buffer).setUint32(10, 1 << 20);
      return concat([small, head]);
    });
    const begun = performance.now();
    expect((await scanData(concat([dense, small]))).records).toHaveLength(1);
    expect((await scanData(concat(claims))).records).toHaveLength(8000);
    // One checksum for each claim would be 8 GB of them.
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});

describe('repair', () => {
  it('gives back the files as Bitcask wrote them, where a flipped bit is all', async () => {
    const files = fixtureFiles('bitcask/riak/plain');
    const copy = (name: string) => Uint8Array.from(files[name]!);
    const data = copy('2.bitcask.data');
    data[2000]! ^= 4;
    const hint = copy('3.bitcask.hint');
    hint[1000]! ^= 16;
    const torn = copy('4.bitcask.hint').subarray(0, -18);
    const { '1.bitcask.hint': gone, ...others } = files;
    const damaged = { '2.bitcask.data': data, '3.bitcask.hint': hint, '4.bitcask.hint': torn };
    const repaired = await repair({ ...others, ...damaged }, true);
    expect([...repaired.keys()].sort()).toEqual(Object.keys(files).sort());
    for (const [name, bytes] of repaired) expect(bytes, name).toEqual(copy(name));
  });

  it('drops a record, and tells of it no more', async () => {
    const files = fixtureFiles('bitcask/riak/plain');
    const data = Uint8Array.from(files['3.bitcask.data']!);
    data.fill(0x7a, 2000, 2020);
    const repaired = await repair({ ...files, '3.bitcask.data': data }, false);
    const result = await verify(Object.fromEntries(repaired));
    expect(result).toMatchObject({ findings: [], stats: { files: 4, hints: 4 } });
    expect(repaired.get('3.bitcask.data')!.length).toBeLessThan(data.length);
  });
});

async function repair(files: Record<string, Uint8Array>, mend: boolean) {
  const input = opened(files);
  const context = { limits: DEFAULT_LIMITS, set: input.set };
  const plan = { ...(await planStoreRepair(input, { mend }, context)), inputs: [] };
  const written = new Map<string, Uint8Array>();
  await applyStoreRepair(input, plan, context, {
    create(name) {
      const parts: Uint8Array[] = [];
      return {
        write: (bytes, start, end) => parts.push(bytes.slice(start, end)),
        finish: () => written.set(name, concat(parts)),
      };
    },
  });
  return written;
}

describe('properties', () => {
  const key = fc.uint8Array({ maxLength: 40 });
  const value = fc.option(fc.uint8Array({ maxLength: 3000 }), { nil: undefined });
  const puts = fc.array(fc.tuple(key, value, fc.nat(0xffff_ffff)), { maxLength: 30 });

  it('reads back what it writes, whatever the window', async () => {
    await fc.assert(
      fc.asyncProperty(puts, fc.nat(300), async (all, window) => {
        const bytes = concat(all.map(([k, v, time]) => record(k, v, time)));
        const scan = await scanData(bytes, { windowBytes: 14 + window });
        expect(scan.damage).toEqual([]);
        const plain = ({ length, timestamp, deleted }: Told) => ({ length, timestamp, deleted });
        expect(scan.records.map(plain)).toEqual(
          all.map(([k, v, timestamp]) => ({
            length: 14 + k.length + (v?.length ?? 17),
            timestamp,
            deleted: v === undefined,
          })),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('accounts for every byte of anything', async () => {
    const piece = fc.oneof(fc.constantFrom(...sample), fc.uint8Array({ maxLength: 60 }));
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(piece, { maxLength: 12 }).map(concat),
    );
    await fc.assert(
      fc.asyncProperty(anything, fc.nat(100), async (bytes, window) => {
        const scan = await scanData(bytes, { windowBytes: 14 + window });
        expect(accounts(bytes.length, scan)).toBe(true);
        expect(coverageFaults(await layoutOf(DATA, bytes), 0, bytes.length)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

async function layoutOf(name: string, bytes: Uint8Array): Promise<Span[]> {
  const spans: Span[] = [];
  const { set } = opened({ [name]: bytes });
  await riak.layout(new MemorySource(name, bytes), { limits: DEFAULT_LIMITS, set }, (span) => {
    spans.push(span);
    return true;
  });
  return spans;
}

describe('what is not storable', () => {
  const writer = riak.encoder!.open(0n);
  it.each([
    [put(new Uint8Array(65_536), ''), 'key_size ends at 65535'],
    [put('k', 'bitcask_tombstone of the unknown soldier'), 'takes it for a deletion'],
    [put('k', 'v', -1), 'unsigned integer of 32 bits'],
    [put('k', 'v', 2 ** 32), 'unsigned integer of 32 bits'],
    [{ ...put('k', 'v'), expires: 5 }, 'expires by itself'],
  ])('%#', (one, reason) => {
    expect(() => writer.record(one, 0)).toThrow(reason);
  });

  it('numbers of files that Bitcask does not have', () => {
    expect(() => writer.data(0, false)).toThrow('numbered from 1');
    expect(() => writer.data(2 ** 32, false)).toThrow('numbered from 1');
  });
});

describe('layout', () => {
  it('names every byte of a data file', async () => {
    const files = fixtureFiles('bitcask/riak/plain');
    for (const [name, bytes] of Object.entries(files)) {
      expect(coverageFaults(await layoutOf(name, bytes), 0, bytes.length)).toEqual([]);
    }
    const [first] = await layoutOf('4.bitcask.data', files['4.bitcask.data']!);
    expect(first!.children!.map(({ name, value }) => [name, value])).toEqual([
      ['crc', expect.stringMatching(/^[0-9a-f]{8}$/)],
      ['timestamp', 1_795_242_382],
      ['key_size', 7],
      ['value_size', 22],
      ['key', 'key0169'],
      ['tombstone', 'bitcask_tombstone2\x00\x00\x00\x02'],
    ]);
  });
});

describe('detection', () => {
  const files = fixtureFiles('bitcask/riak/plain');
  const probe = (name: string, head: Uint8Array) =>
    riak.detect({ name, head, size: head.length, siblings: [] });

  it('is certain where a checksum holds, whatever the name', () => {
    for (const [name, bytes] of Object.entries(files)) {
      expect(probe(name, bytes).confidence, name).toBe('certain');
      expect(probe('unknown', bytes).confidence, name).toBe('certain');
    }
    expect(probe(DATA, concat([text('garbage'), files[DATA]!])).confidence).toBe('certain');
  });

  it('goes by the name where none does', () => {
    expect(probe(DATA, new Uint8Array(0)).confidence).toBe('likely');
    expect(probe('9.bitcask.hint', text('too short')).confidence).toBe('likely');
    expect(probe('unknown', new Uint8Array(100)).confidence).toBe('no');
    // Records inside another file are no reason.
    expect(probe('unknown', concat([text('garbage'), files[DATA]!])).confidence).toBe('no');
  });

  it('knows names as Bitcask makes them', () => {
    expect(riak.dataFile('17.bitcask.data')).toBe(17);
    expect(riak.dataFile('017.bitcask.data')).toBeUndefined();
    expect(riak.dataFile('4294967296.bitcask.data')).toBeUndefined();
    expect(riak.hintFile('17.bitcask.hint')).toBe(17);
    expect(riak.hintFile('17.bitcask.data')).toBeUndefined();
    expect([riak.dataName(17), riak.hintName(17)]).toEqual(['17.bitcask.data', '17.bitcask.hint']);
  });
});
