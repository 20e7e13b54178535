/** Logs of whole operations: what is seen of them in place of the pages, and what is not. */
import { describe, expect, it } from 'vitest';
import { bulkLoad, type Entry } from '../../../src/formats/btree/v1/bulk-load.ts';
import { v1 } from '../../../src/formats/btree/v1/index.ts';
import { DEFAULT_LIMITS } from '../../../src/formats/format.ts';
import { encodeEntry } from '../../../src/formats/wal/btree-v1/encode.ts';
import { btreeV1 } from '../../../src/formats/wal/btree-v1/index.ts';
import { wal } from '../../../src/formats/wal/index.ts';
import { concat, memorySet } from '../../support/memory.ts';
import { codes, type Files, opened, plan, repaired, scan, verify } from './support.ts';

const PAGE = 512;

/** Pages of a tree of these keys. */
function pagesOf(keys: readonly string[], value = 60): Uint8Array[] {
  const pages: Uint8Array[] = [];
  const entries = keys.map((key): Entry => {
    const bytes = Buffer.from(key + 'v'.repeat(value));
    const ends = { keyEnd: key.length, valueEnd: bytes.length };
    return { bytes, keyStart: 0, valueStart: key.length, ...ends };
  });
  bulkLoad(
    PAGE,
    () => entries,
    (page) => pages.push(page.slice()),
  );
  return pages;
}

const before = pagesOf(['a', 'b', 'c']);
const after = pagesOf(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']);
/** One operation: from the one tree to the other. */
const operation = [before[0]!, ...after.slice(1), after[0]!];
const numbers = [0, ...after.slice(1).map((_, i) => i + 1), 0];
const log = (images = operation, first = 1) =>
  images.map((image, i) => encodeEntry(first + i, numbers[i]!, image));
const filesOf = (entries: Uint8Array[]): Files => ({
  'btree.db': concat(before),
  'btree.wal': concat(entries),
});
const keysOf = async (files: Files) =>
  (await scan(opened(v1, files))).rows.map(({ key }) => key).join('');
const notes = async (files: Files) =>
  (await verify(opened(v1, files))).findings.map(({ code }) => code);

describe('a log of whole operations', () => {
  it('is seen in place of the pages', async () => {
    const files = filesOf(log());
    expect(await keysOf(files)).toBe('abcdefghij');
    expect(await notes(files)).toEqual(['log-applied']);
  });

  it('that does not get to its end is not seen, wherever it is cut', async () => {
    const whole = concat(log());
    for (let cut = 1; cut < whole.length; cut += 37) {
      const files = filesOf([whole.subarray(0, cut)]);
      expect(await keysOf(files), `cut at ${cut}`).toBe('abc');
      expect(await notes(files), `cut at ${cut}`).toEqual(['log-unfinished']);
    }
  });

  it('that is hit anywhere in an image is not seen, and what is before it is', async () => {
    const second = [after[0]!, ...before.slice(1), before[0]!];
    // The second operation goes back to where the first began.
    const back = second.map((image, i) => encodeEntry(6 + i, i === 1 ? 1 : 0, image));
    const entries = [...log(), ...back];
    expect(await keysOf(filesOf(entries))).toBe('abc');
    for (const [i, keys] of [
      [5, 'abcdefghij'],
      [6, 'abcdefghij'],
      [7, 'abcdefghij'],
      [0, 'abc'],
      [2, 'abc'],
    ] as const) {
      const hurt = entries.map((entry) => entry.slice());
      hurt[i]![20]! ^= 1;
      expect(await keysOf(filesOf(hurt)), `entry ${i}`).toBe(keys);
    }
  });

  it('begins with the metadata of the file: else its images are seen as far as they go', async () => {
    const other = [after[0]!, ...after.slice(1)].map((image, i) => encodeEntry(i + 1, i, image));
    expect(await keysOf(filesOf(other))).toBe('abcdefghij');
    expect(await notes(filesOf(other))).toEqual(['log-applied']);
    const own = [before[0]!, ...after.slice(1)].map((image, i) => encodeEntry(i + 1, i, image));
    expect(await keysOf(filesOf(own))).toBe('abc');
  });

  it('with a gap in its seqs ends there', async () => {
    const entries = log();
    expect(await keysOf(filesOf([...entries.slice(0, 2), ...entries.slice(3)]))).toBe('abc');
  });

  it('is part of what a repair makes of the tree', async () => {
    const files = filesOf(log());
    const result = await repaired(opened(v1, files));
    expect(await keysOf(result)).toBe('abcdefghij');
    expect(await codes(opened(v1, result))).toEqual([]);
    // Where a link of a page has to be set that the file does not have, the tree is built anew.
    const odd = operation.map((image) => image.slice());
    odd[2]![6] = 1;
    const mended = await repaired(opened(v1, filesOf(log(odd))));
    expect(await keysOf(mended)).toBe('abcdefghij');
    expect(await codes(opened(v1, mended))).toEqual([]);
    const cut = filesOf([concat(log()).subarray(0, 1500)]);
    expect(await keysOf(await repaired(opened(v1, cut)))).toBe('abc');
  });

  it('is accounted for to its last byte where a repair empties it', async () => {
    const whole = concat(log());
    const files = { ...filesOf([whole]), 'btree.wal': concat([whole, whole.subarray(0, 700)]) };
    const { ledger, rewrite } = await plan(opened(v1, files));
    expect(rewrite).toContain('btree.wal');
    const spans = ledger.filter(({ file }) => file === 'btree.wal');
    expect(spans.map(({ offset, length, fate }) => [offset, length, fate])).toEqual([
      [0, whole.length, 'salvaged'],
      [whole.length, 700, 'dropped'],
    ]);
    expect(ledger.reduce((sum, { records }) => sum + records, 0)).toBe('abcdefghij'.length);
    expect(await keysOf(await repaired(opened(v1, files)))).toBe('abcdefghij');
  });

  it('is no damage to its own dialect, though the tree holds other keys at these numbers', async () => {
    // Leaf 2 gets what leaf 3 holds: a merge that empties the right one of two.
    const tree = pagesOf([...'abcdefghijklmnopqrstu']);
    const images: [number, Uint8Array][] = [
      [0, tree[0]!],
      [2, tree[3]!],
      [0, tree[0]!],
    ];
    const marked = images.map(([page, image], i) => encodeEntry(i + 1, page, image));
    const unmarked = [encodeEntry(1, 2, tree[3]!)];
    const found = async (entries: Uint8Array[]) => {
      const set = memorySet({ 'btree.db': concat(tree), 'btree.wal': concat(entries) });
      const files = set.files.filter(({ name }) => name === 'btree.wal');
      const context = { limits: DEFAULT_LIMITS, options: {} };
      const { findings } = await wal.verify({ set, dialect: btreeV1, files }, context);
      return findings.map(({ code }) => code);
    };
    expect(await found(marked)).toEqual([]);
    expect(await found(unmarked)).toEqual(['bad-page']);
  });
});

describe('a page that is there twice', () => {
  it('gives each of its records once, to the ledger as well', async () => {
    const root = after.length - 1;
    const pages = after.map((page, i) => (i === root ? new Uint8Array(PAGE).fill(0xee) : page));
    const files = { 'btree.db': concat([...pages, after[1]!]) };
    const { ledger } = await plan(opened(v1, files));
    const kept = ledger.filter(({ fate }) => fate !== 'dropped');
    expect(kept.reduce((sum, { records }) => sum + records, 0)).toBe('abcdefghij'.length);
  });
});
