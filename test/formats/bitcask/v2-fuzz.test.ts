/** Whatever becomes of a file: what is told of it is true, complete, and found in bounded time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BitcaskPut } from '../../../src/formats/bitcask/model.ts';
import { encodeDataHeader } from '../../../src/formats/bitcask/v2/headers.ts';
import { dataName, HEAD_BYTES, hintName } from '../../../src/formats/bitcask/v2/layout.ts';
import { RecordCodec } from '../../../src/formats/bitcask/v2/record.ts';
import { concat } from '../../support/memory.ts';
import {
  cutOut,
  type Files,
  put,
  reopened,
  type Scanned,
  STORE,
  scan,
  scanHint,
  store,
  type Told,
  verify,
  withFile,
} from './v2-store.ts';

const ONE = dataName(1);

/** Records of one file: some in batches, some deletions, some long. */
const lists: fc.Arbitrary<BitcaskPut[]> = fc
  .array(
    fc.record({
      key: fc.nat(20),
      length: fc.oneof({ weight: 9, arbitrary: fc.nat(60) }, fc.nat(3000)),
      fill: fc.integer({ min: 97, max: 122 }),
      deleted: fc.nat(5).map((one) => one === 0),
      continued: fc.nat(3).map((one) => one === 0),
    }),
    { minLength: 1, maxLength: 25 },
  )
  .map((all) =>
    all.map(({ key, length, fill, deleted, continued }, i) =>
      put(i + 1, `k${key}`, deleted ? undefined : String.fromCharCode(fill).repeat(length), {
        continued: continued && i < all.length - 1,
      }),
    ),
  );

const hits = fc.array(
  fc.record({
    at: fc.nat(100_000),
    length: fc.constantFrom(1, 1, 4, 40, 200, 600),
    how: fc.constantFrom('zeros', 'ones', 'noise', 'elsewhere'),
    seed: fc.nat(255),
  }),
  { minLength: 1, maxLength: 3 },
);
type Hits = typeof hits extends fc.Arbitrary<infer T> ? T : never;

function hit(bytes: Uint8Array, all: Hits): Uint8Array {
  const copy = bytes.slice();
  for (const { at, length, how, seed } of all) {
    const from = at % bytes.length;
    const part = copy.subarray(from, from + length);
    if (how === 'zeros') part.fill(0);
    else if (how === 'ones') part.fill(0xff);
    else if (how === 'elsewhere') copy.copyWithin(from, seed, seed + part.length);
    else
      part.forEach((byte, i) => {
        part[i] = byte ^ ((seed + 1) * (i + 31) * 7);
      });
  }
  return copy;
}

/** Batches of a file: lists of numbers that are there all or not at all. */
function batchesOf(records: readonly Told[]): number[][] {
  const batches: number[][] = [[]];
  for (const { seq, continued } of records) {
    batches.at(-1)!.push(seq);
    if (!continued) batches.push([]);
  }
  return batches.slice(0, -1);
}

/** Every byte behind the header is of a record that is told, or of damage. */
function expectAccounted({ records, damage }: Scanned, size: number): void {
  const lost = damage.filter((one) => one.lost && one.length > 0 && one.code !== 'bad-header');
  const spans = [...records, ...lost].sort((a, b) => a.offset - b.offset);
  let at = Math.min(64, size);
  for (const { offset, length } of spans) {
    expect(offset).toBe(at);
    at += length;
  }
  expect(at).toBe(size);
}

/** What is told was written, in this very form. */
function expectTrue(told: readonly Told[], written: readonly Told[], sameplace: boolean): void {
  for (const { salvaged: _, ...one } of told) {
    const original = written.find(({ seq }) => seq === one.seq);
    const { offset } = sameplace ? original! : one;
    expect({ ...one, salvaged: false }).toEqual({ ...original, offset });
  }
}

function expectWholeBatches(told: readonly Told[], written: readonly Told[]): Set<number> {
  const seqs = new Set(told.map(({ seq }) => seq));
  for (const batch of batchesOf(written)) {
    const there = batch.filter((seq) => seqs.has(seq)).length;
    expect([0, batch.length], `batch ${batch}`).toContain(there);
  }
  return seqs;
}

const windows = fc.constantFrom(256, 1000, 256 * 1024);

it('a store is read back as it was written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(lists, { maxLength: 3 }), windows, async (some, windowBytes) => {
      let seq = 0;
      const numbered = some.map((list) => list.map((one) => ({ ...one, seq: ++seq })));
      const files = store(numbered.length === 0 ? [[]] : numbered);
      expect((await verify(files, { windowBytes })).clean).toBe(true);
      for (const [i, list] of numbered.entries()) {
        const name = dataName(i + 1);
        const { records } = await scan(files, { name, limits: { windowBytes }, chunk: 700 });
        expect(records.map((one) => [one.seq, one.key, one.value?.length])).toEqual(
          list.map((one) => [one.seq, Buffer.from(one.key).toString(), one.value?.length]),
        );
      }
    }),
    { numRuns: 40 },
  );
});

describe('bytes that are overwritten', () => {
  it('cost what they are of, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(lists, hits, windows, async (list, all, windowBytes) => {
        const files = store([list]);
        const { records: written } = await scan(files);
        const bytes = hit(files[ONE]!, all);
        const got = await scan(withFile(files, ONE, bytes), { limits: { windowBytes } });
        expectAccounted(got, bytes.length);
        // What was moved may be told where it went, if its own place has it no more.
        expectTrue(got.records, written, !all.some(({ how }) => how === 'elsewhere'));
        const seqs = expectWholeBatches(got.records, written);
        const same = (from: number, to: number) =>
          Buffer.compare(bytes.subarray(from, to), files[ONE]!.subarray(from, to)) === 0;
        for (const batch of batchesOf(written)) {
          const untouched = batch.every((seq) => {
            const { offset, length } = written[seq - 1]!;
            return same(offset, offset + length);
          });
          if (untouched) expect(seqs.has(batch[0]!), `batch ${batch}`).toBe(true);
        }
        expect(got.damage.length > 0).toBe(!same(0, bytes.length));
      }),
      { numRuns: 400 },
    );
  });

  it('of a hint file leave what is told of it true', async () => {
    await fc.assert(
      fc.asyncProperty(lists, hits, async (list, all) => {
        const files = store([list]);
        const { entries: written } = await scanHint(files);
        const bytes = hit(files[hintName(1)]!, all);
        const { entries, damage } = await scanHint(withFile(files, hintName(1), bytes));
        expect(entries).toEqual(written.slice(0, entries.length));
        const same = Buffer.compare(bytes, files[hintName(1)]!) === 0;
        expect(damage.length > 0).toBe(!same);
      }),
      { numRuns: 200 },
    );
  });
});

describe('bytes that are cut out, put in, moved or repeated', () => {
  const edits = fc.record({
    kind: fc.constantFrom('cut', 'insert', 'copy', 'repeat'),
    a: fc.nat(100_000),
    b: fc.nat(100_000),
    to: fc.nat(100_000),
    aligned: fc.boolean(),
    known: fc.boolean(),
  });

  it('leave what is told of them true', async () => {
    await fc.assert(
      fc.asyncProperty(lists, edits, windows, async (list, edit, windowBytes) => {
        const closed = store([list]);
        const { records: written } = await scan(closed);
        const bytes = closed[ONE]!;
        const starts = [...written.map(({ offset }) => offset), bytes.length];
        const place = (n: number) =>
          edit.aligned ? starts[n % starts.length]! : 64 + (n % (bytes.length - 64));
        const [from, to] = [place(edit.a), place(edit.b)].sort((x, y) => x - y) as [number, number];
        const target = place(edit.to);
        const part = bytes.slice(from, to);
        const changed = {
          cut: () => cutOut(bytes, from, to),
          insert: () =>
            concat([bytes.slice(0, target), part.map((byte) => byte ^ 0x55), bytes.slice(target)]),
          copy: () => {
            const copy = bytes.slice();
            copy.set(part.subarray(0, bytes.length - target), target);
            return copy;
          },
          repeat: () => concat([bytes.slice(0, target), part, bytes.slice(target)]),
        }[edit.kind]();
        const files: Files = edit.known ? withFile(closed, ONE, changed) : { [ONE]: changed };
        const got = await scan(files, { limits: { windowBytes } });
        expectAccounted(got, changed.length);
        expectTrue(got.records, written, false);
        const seqs = expectWholeBatches(got.records, written);
        const same = Buffer.compare(changed, bytes) === 0;
        if (edit.known && !same) expect((await verify(files)).clean).toBe(false);
        if (edit.known && edit.kind === 'cut') {
          // All that the cut did not touch is there.
          for (const batch of batchesOf(written)) {
            const whole = batch.every((seq) => {
              const { offset, length } = written[seq - 1]!;
              return from === to || to <= offset || from >= offset + length;
            });
            const within = from > written[batch[0]! - 1]!.offset && to > from;
            const last = written[batch.at(-1)! - 1]!;
            if (whole && !(within && from < last.offset)) expect(seqs.has(batch[0]!)).toBe(true);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

it('the end of a file that was written to is torn unless a record behind proves otherwise', async () => {
  await fc.assert(
    fc.asyncProperty(lists, fc.nat(100_000), fc.nat(300), async (list, where, length) => {
      // Now and then everything so far was synced.
      let synced = 0;
      const unsynced = list.map((one) => {
        const told = { ...one, unsynced: one.seq - synced };
        if (one.seq % 4 === 0 && !one.continued) synced = one.seq;
        return told;
      });
      const files = reopened(store([unsynced]));
      const { records: written } = await scan(files);
      const bytes = files[ONE]!.slice();
      const from = 64 + (where % (bytes.length - 64));
      bytes.fill(0xcc, from, from + length + 1);
      const got = await scan(withFile(files, ONE, bytes));
      expectAccounted(got, bytes.length);
      expectTrue(got.records, written, true);
      expectWholeBatches(got.records, written);
      const intact = ({ offset, length: total }: Told) =>
        offset + total <= from || offset > from + length;
      const due = written.find((one) => !intact(one))!.seq;
      const proven = written.some((one) => intact(one) && one.seq - one.unsynced >= due);
      // A byte that happens to be one bit from what it was is mended, and no crash does that.
      if (got.damage.some(({ lost }) => !lost)) return;
      expect(got.damage.some(({ code }) => code === 'torn-tail')).toBe(!proven);
    }),
    { numRuns: 300 },
  );
});

describe('a file that is made to take long', () => {
  const header = encodeDataHeader({ file: 1, storeId: STORE, kind: 1 });
  const crc = new DataView(header.buffer).getUint32(60, true);
  const SIZE = 4 * 1024 * 1024;
  /** Bytes a millisecond; what is measured is ten times that. */
  const RATE_MIN = 300;

  const hostile: Record<string, () => Uint8Array> = {
    'heads that check, each with all that follows for its body': () => {
      const bytes = new Uint8Array(SIZE);
      const view = new DataView(bytes.buffer);
      const codec = new RecordCodec(crc);
      const none = new Uint8Array(0);
      for (let at = 64; at + HEAD_BYTES <= SIZE; at += HEAD_BYTES) {
        codec.encode(...([bytes, view, at, at, at, none, none, 0, 0, false, 1] as const));
        view.setUint32(at + 20, SIZE - at - HEAD_BYTES, true);
        codec.seal(bytes, view, at, at, at + HEAD_BYTES);
      }
      return bytes;
    },
    'fields of a head at every eighth byte': () =>
      new Uint8Array(SIZE).map((_, i) => [255, 255, 0, 0, 0, 0, 1, 0][i % 8]!),
    'intact records of another file': () => {
      const other = new RecordCodec(crc ^ 0x1357_9bdf);
      const bytes = new Uint8Array(SIZE);
      const view = new DataView(bytes.buffer);
      const key = new Uint8Array(4);
      for (let at = 64; at + 50 <= SIZE; ) {
        at += other.encode(...([bytes, view, at, at, at, key, key, 0, 0, false, 1] as const));
      }
      return bytes;
    },
    'records every second of which does not check': () => {
      const codec = new RecordCodec(crc);
      const bytes = new Uint8Array(SIZE);
      const view = new DataView(bytes.buffer);
      const key = new Uint8Array(30);
      for (let at = 64, seq = 1; at + 80 <= SIZE; seq++) {
        const from = at;
        at += codec.encode(...([bytes, view, at, at, seq, key, key, 0, 0, false, 1] as const));
        if (seq % 2 === 0) bytes.fill(0x77, from, from + 20);
      }
      return bytes;
    },
    zeros: () => new Uint8Array(SIZE),
  };

  it.each(Object.keys(hostile))('%s', async (name) => {
    const bytes = hostile[name]!();
    bytes.set(header);
    const start = performance.now();
    const got = await scan({ [ONE]: bytes });
    const took = performance.now() - start;
    expectAccounted(got, bytes.length);
    expect(took).toBeLessThan(SIZE / RATE_MIN);
  });
});
