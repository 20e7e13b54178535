/**
 * Files whose checksums hold and whose pages do not: as a writer with a mistake leaves them, or
 * somebody who means harm. Whatever is asked of such a store ends, in order or with an error that
 * names a page.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { Pager } from '../../../src/engines/btree/pager.ts';
import type { BtreeStore } from '../../../src/engines/btree/store.ts';
import { v2 } from '../../../src/formats/btree/v2/index.ts';
import {
  INTERIOR,
  LEAF,
  META_CRC_AT,
  pageCrc,
  storeSeed,
} from '../../../src/formats/btree/v2/layout.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { crc32c } from '../../../src/shared/crc32.ts';
import { DdiaError } from '../../../src/shared/errors.ts';
import { Random } from '../../../src/shared/random.ts';
import { opened, repaired, scan } from '../../formats/btree/support.ts';
import { fsck, opener, ROOT } from './invariants.ts';

const PAGE = 512;
const open = opener(0, { sync: 'sync' });
const bytes = (text: string) => Buffer.from(text);
const keyOf = (i: number) => `k${String(i).padStart(4, '0')}`;

const { get } = Pager.prototype;
afterEach(() => {
  Pager.prototype.get = get;
});

function diskWith(content: Buffer): SimDisk {
  const disk = new SimDisk({ root: ROOT });
  disk.makeDirectory(ROOT);
  const file = disk.open(`${ROOT}/tree.bt2`, 'create');
  file.write(content, 0, content.length, 0);
  file.close();
  return disk;
}

async function grown(keys: number): Promise<Buffer> {
  const disk = new SimDisk({ root: ROOT });
  const store = open(disk, { sync: 'none' });
  const filled = (i: number) => Buffer.alloc(i % 20 === 0 ? 1500 : i % 50, i);
  for (let i = 0; i < keys; i++) await store.put(bytes(keyOf((i * 7) % keys)), filled(i));
  store.sync();
  for (let i = 0; i < keys; i += 5) await store.delete(bytes(keyOf(i)));
  store.close();
  const file = disk.open(`${ROOT}/tree.bt2`, 'read');
  const content = Buffer.alloc(file.size());
  file.read(content, 0, content.length, 0);
  file.close();
  return content;
}

/** Offsets of the numbers of pages that a page leads to; the checksum of each is behind it. */
function linksOf(content: Buffer, page: number): number[] {
  const start = page * PAGE;
  const kind = content[start + 8];
  if (kind !== INTERIOR && kind !== LEAF) return kind === 5 ? [] : [start + 24];
  const links = kind === INTERIOR ? [start + 24] : [];
  for (const cell of cellsOf(content, page)) {
    const behind = cell + 4 + content.readUInt16LE(cell);
    if (kind === INTERIOR) links.push(cell + 2);
    else if (content.readUInt16LE(cell + 2) === 0xffff && behind + 12 <= start + PAGE) {
      links.push(behind + 4);
    }
  }
  return links;
}

/** Where the cells are that lie in the page. */
function cellsOf(content: Buffer, page: number): number[] {
  const start = page * PAGE;
  const count = Math.min(content.readUInt16LE(start + 10), (PAGE - 32) / 2);
  const cells = Array.from({ length: count }, (_, i) => content.readUInt16LE(start + 32 + 2 * i));
  return cells.filter((at) => at + 10 <= PAGE).map((at) => start + at);
}

function keysOf(content: Buffer, page: number): string[] {
  const cells = cellsOf(content, page);
  return cells.map((at) => content.toString('latin1', at + 4, at + 4 + content.readUInt16LE(at)));
}

const liveOf = (content: Buffer) =>
  content.readBigUInt64LE(32) > content.readBigUInt64LE(PAGE + 32) ? 0 : PAGE;

/** Makes all checksums hold again, from the pages that lead nowhere up to the meta page. */
function seal(content: Buffer): void {
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const live = liveOf(content);
  const seed = storeSeed(content.readBigUInt64LE(live + 24));
  const done = new Set<number>();
  const sealPage = (page: number): number => {
    if (page < 2 || page >= content.length / PAGE) return 0;
    if (done.has(page)) return content.readUInt32LE(page * PAGE);
    done.add(page);
    for (const link of linksOf(content, page)) {
      content.writeUInt32LE(sealPage(content.readUInt32LE(link)), link + 4);
    }
    const crc = pageCrc(seed, page, content, view, page * PAGE, PAGE);
    content.writeUInt32LE(crc, page * PAGE);
    return crc;
  };
  content.writeUInt32LE(sealPage(content.readUInt32LE(live + 48)), live + 52);
  content.writeUInt32LE(sealPage(content.readUInt32LE(live + 60)), live + 64);
  content.writeUInt32LE(crc32c.of(content, live, live + META_CRC_AT), live + META_CRC_AT);
}

function damage(content: Buffer, random: Random): void {
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)]!;
  const last = content.length / PAGE - 1;
  const anyPage = () => 2 + random.below(last - 1);
  const page = anyPage();
  const start = page * PAGE;
  const what = random.below(7);
  const links = linksOf(content, page);
  if (what === 0) content[start + 8 + random.below(PAGE - 8)] = random.below(256);
  else if (what === 1) content[start + 8 + random.below(2)] = random.below(8);
  else if (what === 2)
    content.writeUInt16LE(pick([0, 1, 300, 65_535]), start + 10 + random.below(3) * 2);
  else if (what === 3 && links.length > 0) {
    content.writeUInt32LE(pick([anyPage(), page, 0, last + 9]), pick(links));
  } else if (what === 4 && links.length > 0) {
    content.writeUInt32LE(content.readUInt32LE(pick(links)), pick(links));
  } else if (what === 5) {
    content.copyWithin(anyPage() * PAGE + 8, start + 8, start + PAGE);
  } else if (what === 6) {
    const field = pick([44, 48, 56, 60]);
    content.writeUInt32LE(pick([anyPage(), 3, 1000]), liveOf(content) + field);
  }
}

/** No operation looks at more pages than this, however the pages lead to each other. */
const LOOKS_MAX = 20_000;

async function workOn(store: BtreeStore, random: Random): Promise<void> {
  const bound = () => (random.below(3) === 0 ? undefined : bytes(keyOf(random.below(500))));
  for (let i = 0; i < 25; i++) {
    const key = bytes(keyOf(random.below(500)));
    const what = random.below(4);
    if (what === 0) await store.put(key, Buffer.alloc(random.below(5) === 0 ? 2000 : 90));
    else if (what === 1) await store.delete(key);
    else if (what === 2) store.get(key);
    else {
      const reverse = random.below(2) === 1;
      const keys = [...store.scan({ from: bound(), to: bound(), reverse })].map((row) => row.key);
      expect(keys).toEqual(
        [...new Set(keys.map((one) => one.toString('latin1')))]
          .map((text) => Buffer.from(text, 'latin1'))
          .sort((a, b) => Buffer.compare(a, b) * (reverse ? -1 : 1)),
      );
    }
  }
}

describe('a file whose checksums hold and whose pages do not', () => {
  it('is worked on to an end, or refused by the page', async () => {
    const base = await grown(400);
    let looks = 0;
    Pager.prototype.get = function (this: Pager, ...args) {
      if (++looks > LOOKS_MAX) throw new Error('it does not end');
      return get.apply(this, args);
    };
    let refused = 0;
    for (let seed = 0; seed < 150; seed++) {
      const random = new Random(seed);
      const content = Buffer.from(base);
      for (let n = random.below(4); n >= 0; n--) damage(content, random);
      seal(content);
      const disk = diskWith(content);
      looks = 0;
      try {
        const store = open(disk, { cacheBytes: 0, sync: 'batch', batchEvery: 5 });
        try {
          await workOn(store, random);
        } finally {
          store.close();
        }
      } catch (error) {
        refused++;
        if (!(error instanceof DdiaError)) throw error;
        expect(`${error.code} ${error.message}`, `seed ${seed}`).toMatch(
          /^(corrupt|poisoned) .*tree.bt2.*(page \d|meta page)/,
        );
      }
      // Nothing that it was told led it to make the file large.
      expect(disk.stat(`${ROOT}/tree.bt2`)!.size).toBeLessThan(2 * base.length + 200 * PAGE);
    }
    expect(refused).toBeGreaterThan(50);
  });

  it('has no separator put out of order by a leaf of another place that is split', async () => {
    const content = await grown(400);
    let parent = content.readUInt32LE(liveOf(content) + 48);
    const childOf = (link: number) => content.readUInt32LE(link);
    while (content[childOf(linksOf(content, parent)[0]!) * PAGE + 8] === INTERIOR) {
      parent = childOf(linksOf(content, parent)[0]!);
    }
    const links = linksOf(content, parent);
    const key = keysOf(content, childOf(links[1]!))[0]!;
    content.writeUInt32LE(childOf(links[3]!), links[1]!);
    seal(content);
    const disk = diskWith(content);
    const store = open(disk);
    const grow = async () => {
      for (let i = 0; i < 40; i++) await store.put(bytes(`${key}${i}`), Buffer.alloc(80));
    };
    await expect(grow()).rejects.toThrow(/page \d+ has keys of another place in the tree/);
    expect(() => store.close()).toThrow('nothing more is accepted');
    // Each page can be read as before, whatever the pages say of each other.
    expect((await fsck(disk)).filter((said) => said.includes('key-order'))).toEqual([]);
  });

  it.each([
    ['merged', 4],
    ['given cells of its neighbour', 6],
  ])('is not %s where the keys of one leaf are not behind the other', async (_, which) => {
    const content = await grown(400);
    const childrenOf = (page: number) =>
      linksOf(content, page).map((link) => content.readUInt32LE(link));
    let leaves = childrenOf(content.readUInt32LE(liveOf(content) + 48));
    while (content[leaves[0]! * PAGE + 8] === INTERIOR) leaves = leaves.flatMap(childrenOf);
    const rest = keysOf(content, leaves[which]!).slice(1);
    content.write('a', cellsOf(content, leaves[which]!)[0]! + 4);
    seal(content);
    const disk = diskWith(content);
    const store = open(disk);
    const shrink = async () => {
      for (const key of rest) await store.delete(bytes(key));
    };
    await expect(shrink()).rejects.toThrow(/page \d+ has keys of another place in the tree/);
    expect(() => store.close()).toThrow('nothing more is accepted');
    expect((await fsck(disk)).filter((said) => said.includes('key-order'))).toEqual([]);
  });

  it('is refused where the free list has a page twice, or one that there is not', async () => {
    const base = await grown(400);
    const list = base.readUInt32LE(liveOf(base) + 60) * PAGE;
    const entry = (content: Buffer, i: number, page: number) =>
      content.writeUInt32LE(page, list + 32 + 12 * i);
    const refusal = (change: (content: Buffer) => void): string => {
      const content = Buffer.from(base);
      change(content);
      seal(content);
      try {
        open(diskWith(content)).close();
        return 'opened';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(refusal(() => {})).toBe('opened');
    expect(refusal((content) => entry(content, 0, base.readUInt32LE(list + 44)))).toMatch(
      /page \d+ is given up, and free already/,
    );
    for (const page of [0, 1, base.length / PAGE, 0xffff_ffff]) {
      expect(refusal((content) => entry(content, 0, page))).toContain(
        `lists page ${page} as free, which is none`,
      );
    }
    expect(refusal((content) => content.writeUInt16LE(65_535, list + 10))).toContain(
      'it lists 65535 pages, at most 40 fit',
    );
  });
});

describe('a transaction that ends where an empty tree began', () => {
  it('leaves a file that has all the pages it promises', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = open(disk);
    const big = { key: bytes('big'), value: Buffer.alloc(3000) };
    const gone = [bytes('a'), big.key].map((key) => ({ key, value: undefined }));
    await store.batch([{ key: bytes('a'), value: bytes('1') }, big, ...gone]);
    store.close();
    expect(await fsck(disk)).toEqual([]);
    const again = open(disk);
    expect([...again.scan()]).toEqual([]);
    await again.put(bytes('b'), bytes('2'));
    again.close();
    expect(await fsck(disk)).toEqual([]);
  });
});

describe('what is asked for that cannot be', () => {
  it('a page size that the file has not is refused', async () => {
    const disk = new SimDisk({ root: ROOT });
    open(disk).close();
    expect(() => open(disk, { pageSize: 1024 })).toThrow(
      '/store/tree.bt2 has pages of 512 bytes, not 1024',
    );
    const store = open(disk, { pageSize: undefined });
    expect(store.stat().pageSize).toBe(512);
    store.close();
  });

  it('a key that is too long is not there, and cannot be put', async () => {
    const store = open(new SimDisk({ root: ROOT }));
    await store.put(bytes('a'), bytes('1'));
    for (const length of [103, 40_000]) {
      const key = Buffer.alloc(length, 'a');
      expect(store.get(key)).toBe(null);
      expect(await store.delete(key)).toBe(false);
      await expect(store.put(key, bytes(''))).rejects.toThrow('it may have 102');
    }
    store.close();
  });

  it('a load does not replace what was written meanwhile', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = open(disk);
    const loader = store.loader();
    await store.put(bytes('a'), bytes('1'));
    expect(() => store.finishLoad(loader)).toThrow('was written to while it was loaded');
    expect(`${store.get(bytes('a'))}`).toBe('1');
    store.close();
    expect(disk.list(ROOT)).toEqual(['tree.bt2']);
    expect(await fsck(disk)).toEqual([]);
  });
});

describe('a store without its meta pages', () => {
  it('is found below its latest root, and nothing that was deleted comes back', async () => {
    const content = await grown(400);
    const keys = Array.from({ length: 400 }, (_, i) => i)
      .filter((i) => i % 5 !== 0)
      .map(keyOf);
    const input = opened(v2, { 'tree.bt2': content.fill(0, 0, 2 * PAGE) });
    const { rows } = await scan(opened(v2, await repaired(input)));
    expect(rows.map(({ key }) => key)).toEqual(keys);
  });
});
