import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, type Span } from '../../../src/formats/format.ts';
import type { WalOpened } from '../../../src/formats/wal/model.ts';
import { planLogRepair } from '../../../src/formats/wal/repair.ts';
import { replayLog } from '../../../src/formats/wal/replay.ts';
import { encodeRecord } from '../../../src/formats/wal/v1/encode.ts';
import { v1 } from '../../../src/formats/wal/v1/index.ts';
import { verifyLog } from '../../../src/formats/wal/verify.ts';
import {
  concat,
  fixtureFiles,
  fixtureJson,
  MemorySource,
  memorySet,
  scanAll,
  told,
} from '../../support/memory.ts';

const text = (value: string) => Buffer.from(value);
const put = (seq: number, key: string, value: string | Uint8Array) =>
  encodeRecord(0, seq, {
    op: 'put',
    key: text(key),
    value: typeof value === 'string' ? text(value) : value,
  });
const mark = (seq: number, op: string) =>
  encodeRecord(0, seq, { op, key: text(''), value: text('') });

function opened(files: Record<string, Uint8Array>): WalOpened {
  const set = memorySet(files);
  return { set, dialect: v1, files: set.files };
}
const contextOf = (input: WalOpened) => ({ limits: DEFAULT_LIMITS, set: input.set });
const verify = (files: Record<string, Uint8Array>) => {
  const input = opened(files);
  return verifyLog(input, contextOf(input));
};
const codes = async (files: Record<string, Uint8Array>) =>
  (await verify(files)).findings.map(({ code }) => code);

interface Expected {
  records: { seq: number; op: string; key: unknown; value: unknown }[];
  clean: boolean;
  findings?: string[];
  valid_prefix?: number;
}

describe('golden files', () => {
  const cases = ['clean', 'torn-tail', 'bad-crc', 'bad-length', 'batch-without-commit', 'spliced'];
  it.each(cases)('%s gives what its expectation says', async (name) => {
    const files = fixtureFiles(`wal/v1/${name}`);
    const expected = fixtureJson<Expected>(`wal/v1/${name}/expected.json`);
    const input = opened(files);
    const records: unknown[] = [];
    for (const [file, bytes] of Object.entries(files).sort()) {
      const scan = await scanAll(v1, bytes, {}, file);
      records.push(...scan.records.map(({ seq, op, key, value }) => ({ seq, op, key, value })));
    }
    expect(records).toEqual(expected.records);
    const result = await verify(files);
    expect(result.clean).toBe(expected.clean);
    expect(Object.keys(result.counts)).toEqual(expected.findings ?? []);
    const replay = await replayLog(input, { after: 0n }, contextOf(input), () => {});
    if (expected.valid_prefix !== undefined) expect(replay.prefix).toBe(expected.valid_prefix);
  });
});

/** Eight records of different sizes: 0 to 200 bytes of value, a delete, a commit. */
const sample = [
  put(1, 'a', ''),
  put(2, 'bb', 'x'.repeat(7)),
  put(3, 'ccc', new Uint8Array(200).fill(0)),
  encodeRecord(0, 4, { op: 'delete', key: text('a'), value: text('') }),
  put(5, 'dddd', 'y'.repeat(63)),
  mark(6, 'commit'),
  put(
    7,
    'e',
    new Uint8Array(30).map((_, i) => i),
  ),
  put(8, 'f', 'last'),
];
const starts = sample.map((_, i) => sample.slice(0, i).reduce((sum, r) => sum + r.length, 0));

describe('damage', () => {
  it('loses at most the record that a flipped bit is in, and always sees it', async () => {
    const whole = concat(sample);
    const { records: intact } = await scanAll(v1, whole);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = whole.slice();
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
      const hit = starts.findLastIndex((start) => start <= bit >>> 3);
      const { records } = await scanAll(v1, bytes);
      const others = intact.filter((_, i) => i !== hit);
      const left = records.filter(({ offset }) => offset !== starts[hit]);
      expect(left, `bit ${bit}`).toEqual(others);
      const result = await verify({ '000001.wal': bytes });
      expect(result.clean, `bit ${bit}`).toBe(false);
      if (hit < sample.length - 1) expect(result.verdict, `bit ${bit}`).toBe('damaged');
    }
  });

  it('explains every single flipped bit within a record that is followed by an intact one', async () => {
    const whole = concat(sample);
    for (let bit = 0; bit < starts[7]! * 8; bit++) {
      const bytes = whole.slice();
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
      const { findings } = await verify({ '000001.wal': bytes });
      expect(findings).toHaveLength(1);
      expect(findings[0]!.diagnosis, `bit ${bit}`).toContain(
        `bit ${bit & 7} of the byte at ${bit >>> 3}`,
      );
    }
  });

  it('takes every truncation inside a record for a torn tail', async () => {
    const whole = concat(sample);
    for (let size = 0; size <= whole.length; size++) {
      const { records } = await scanAll(v1, whole.slice(0, size));
      const ends = starts.map((start, i) => start + sample[i]!.length);
      expect(records).toHaveLength(ends.filter((end) => end <= size).length);
      const result = await verify({ '000001.wal': whole.slice(0, size) });
      const atEnd = size === 0 || ends.includes(size);
      expect(result.verdict, `size ${size}`).toBe(atEnd ? 'clean' : 'torn-tail');
      if (!atEnd) expect(result.findings[0]!.evidence).toContain('no later record');
    }
  });

  it('finds the next record at any byte offset', async () => {
    for (let junk = 0; junk < 60; junk++) {
      const garbage = new Uint8Array(junk).map((_, i) => (i * 37 + junk) & 255);
      const bytes = concat([put(1, 'a', '1'), garbage, put(2, 'b', '2'), put(3, 'c', '3')]);
      const { records, damage } = await scanAll(v1, bytes);
      expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3]);
      expect(damage.reduce((sum, one) => sum + one.length, 0)).toBe(junk);
    }
  });

  it('reads the same through a window of any size', async () => {
    const bytes = concat([
      ...sample,
      new Uint8Array(50),
      put(9, 'z', 'q'.repeat(500)),
      put(10, 'y', ''),
    ]);
    const whole = await scanAll(v1, bytes);
    for (const [windowBytes, chunk] of [
      [32, 5],
      [64, 64],
      [100, 1],
      [1000, 7],
    ] as const) {
      const small = await scanAll(v1, bytes, { windowBytes }, undefined, chunk);
      expect(small).toEqual(whole);
    }
  });

  it('does not mistake a record inside a damaged value for one of the log', async () => {
    const inner = concat([put(1, 'inner', 'x'), put(2, 'inner', 'y')]);
    const bytes = concat([put(1, 'a', '1'), put(2, 'log', inner), put(3, 'c', '3')]);
    const at = put(1, 'a', '1').length + 25 + 3 + inner.length - 1;
    bytes[at]! ^= 1;
    const { records } = await scanAll(v1, bytes);
    expect(records.map(({ key }) => key)).toEqual(['a', 'c']);
  });

  it('tells a torn tail from a hole by what later segments hold', async () => {
    const cut = concat(sample).slice(0, -3);
    const hole = await verify({ '000001.wal': cut, '000002.wal': put(9, 'z', '1') });
    expect(hole.findings[0]).toMatchObject({ code: 'bad-length', file: '000001.wal' });
    expect(hole.findings[0]!.evidence).toContain('000002.wal holds an intact record at 0');
    const torn = await verify({ '000001.wal': cut, '000002.wal': new Uint8Array(0) });
    expect(torn.verdict).toBe('torn-tail');
  });

  it('names hostile lengths without asking for memory', async () => {
    const bytes = new Uint8Array(30).fill(0xff);
    const { damage } = await scanAll(v1, bytes);
    expect(damage).toHaveLength(1);
    expect(damage[0]).toMatchObject({ code: 'torn-tail', offset: 0, length: 30 });
    const over = put(1, 'k', new Uint8Array(5000));
    const limited = await scanAll(v1, over, { recordBytes: 4096 });
    expect(limited.damage[0]!.message).toContain('the limit is 4096');
  });

  it('names an op that the checksum vouches for', async () => {
    const odd = put(2, 'k', 'v');
    odd[16] = 9;
    const { crc32 } = await import('node:zlib');
    new DataView(odd.buffer).setUint32(
      4,
      crc32(Buffer.concat([Buffer.of(9), text('k'), text('v')])),
      true,
    );
    expect(await codes({ '000001.wal': concat([put(1, 'a', ''), odd, put(3, 'c', '')]) })).toEqual([
      'bad-op',
    ]);
  });

  it('searches a stretch of near-misses in linear time', async () => {
    // Headers that agree with themselves and claim 200 KiB each, every 25 bytes; none has its checksum.
    const size = 1 << 20;
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    for (let p = 0; p + 225_000 < size; p += 25) {
      view.setUint32(p, 200_021, true);
      bytes[p + 16] = 1;
      view.setInt32(p + 17, 0, true);
      view.setInt32(p + 21, 200_000, true);
    }
    const begun = performance.now();
    const { records } = await scanAll(v1, concat([bytes, put(1, 'a', 'x')]));
    expect(records).toHaveLength(1);
    // 32,000 candidates of 200 KB: byte by byte that would be 6.6 GB of checksums, several seconds.
    expect(performance.now() - begun).toBeLessThan(1500);
  });
});

describe('sequence', () => {
  const log = (...records: Uint8Array[]) => codes({ '000001.wal': concat(records) });
  it('sees gaps, regressions, duplicates and misplaced records', async () => {
    const r = (seq: number) => put(seq, `k${seq}`, 'v');
    expect(await log(r(1), r(2), r(5), r(6))).toEqual(['seq-gap']);
    expect(await log(r(1), r(2), r(3), r(2), r(3), r(4))).toEqual(['seq-regression']);
    expect(await log(r(1), r(2), r(2), r(3))).toEqual(['seq-duplicate']);
    expect(await log(r(1), r(2), r(9), r(3), r(4))).toEqual(['seq-gap']);
    expect(await log(r(1), r(2), r(3), r(4))).toEqual([]);
    expect(await log(r(3), r(4))).toEqual(['seq-gap']);
  });

  it('names missing segments, and does not tell the gap twice', async () => {
    const files = { '000001.wal': put(1, 'a', ''), '000003.wal': put(5, 'c', '') };
    expect(await codes(files)).toEqual(['segment-gap']);
  });

  it('names commits that seal nothing and markers that carry something', async () => {
    expect(await log(put(1, 'a', ''), mark(2, 'commit'), mark(3, 'commit'))).toEqual([
      'empty-commit',
    ]);
    const loaded = encodeRecord(0, 2, { op: 'commit', key: text('x'), value: text('') });
    expect(await log(put(1, 'a', ''), loaded)).toEqual(['marker-payload']);
  });
});

describe('replay', () => {
  it('names a batch that lost the record before its commit', async () => {
    const records = [put(1, 'a', '1'), put(2, 'b', '2'), put(3, 'c', '3'), mark(4, 'commit')];
    records[2]![26]! ^= 1;
    const input = opened({ '000001.wal': concat([...records, put(5, 'd', '')]) });
    const keys: unknown[] = [];
    const result = await replayLog(input, { after: 0n }, contextOf(input), (r) =>
      keys.push(told(r).key),
    );
    expect(keys).toEqual(['a', 'b']);
    expect(result.end?.code).toBe('crc-mismatch');
    expect(result.behind.records).toBe(2);
    expect(result.incomplete).toMatchObject([{ commitSeq: '4', proven: true }]);
  });

  it('leaves out what comes at or before --after', async () => {
    const input = opened({ '000001.wal': concat(sample) });
    const seqs: number[] = [];
    await replayLog(input, { after: 4n }, contextOf(input), (r) => seqs.push(r.seq));
    expect(seqs).toEqual([5, 7, 8]);
  });
});

describe('properties', () => {
  const operation = fc.record({
    op: fc.constantFrom('put', 'delete', 'commit', 'checkpoint'),
    key: fc.uint8Array({ maxLength: 40 }),
    value: fc.uint8Array({ maxLength: 3000 }),
  });

  it('reads back what it writes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 30 }),
        fc.nat(300),
        async (operations, window) => {
          const bytes = concat(operations.map((one, i) => encodeRecord(0, i + 1, one)));
          const { records, damage } = await scanAll(v1, bytes, { windowBytes: 25 + window });
          expect(damage).toEqual([]);
          expect(records.map(({ op }) => op)).toEqual(operations.map(({ op }) => op));
          expect(records.map(({ length }) => length)).toEqual(
            operations.map(({ key, value }) => 25 + key.length + value.length),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('accounts for every byte of anything', async () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc
        .array(fc.oneof(fc.constantFrom(...sample), fc.uint8Array({ maxLength: 60 })), {
          maxLength: 12,
        })
        .map(concat),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (bytes) => {
        const input = opened({ '000001.wal': bytes });
        const plan = await planLogRepair(input, { mend: true }, contextOf(input));
        expect(plan.ledger.reduce((sum, span) => sum + span.length, 0)).toBe(bytes.length);
        const spans: Span[] = [];
        await v1.layout(new MemorySource('000001.wal', bytes), contextOf(input), (span) => {
          spans.push(span);
          return true;
        });
        expectTiling(spans, 0, bytes.length);
      }),
      { numRuns: 200 },
    );
  });
});

function expectTiling(spans: readonly Span[], start: number, end: number): void {
  let at = start;
  for (const span of spans) {
    expect(span.offset).toBe(at);
    at += span.length;
    if (span.children) expectTiling(span.children, span.offset, span.offset + span.length);
  }
  expect(at).toBe(end);
}
