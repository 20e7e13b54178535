/**
 * Files whose tree contradicts itself, as no byte hit at random gives them: pointers to any page,
 * separators that lead back, pages twice. Whatever is asked of such a store ends, with what is
 * right as far as the tree tells or with an error that names a page; and what was in a leaf that the
 * tree leads to is there afterwards, unless it was written over.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { Pager } from '../../../src/engines/btree-v1/pager.ts';
import type { V1Store } from '../../../src/engines/btree-v1/store.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { DdiaError } from '../../../src/shared/errors.ts';
import { Random } from '../../../src/shared/random.ts';
import { fsck, opener, ROOT } from './invariants.ts';

const PAGE = 512;
const open = opener(0, { sync: 'sync', pageSize: PAGE });
const bytes = (text: string) => Buffer.from(text);
const keyOf = (i: number) => `k${String(i).padStart(4, '0')}`;

const { get } = Pager.prototype;
afterEach(() => {
  Pager.prototype.get = get;
});

function contentOf(disk: SimDisk): Buffer {
  const file = disk.open(`${ROOT}/btree.db`, 'read');
  const content = Buffer.alloc(file.size());
  file.read(content, 0, content.length, 0);
  file.close();
  return content;
}

function diskWith(content: Buffer): SimDisk {
  const disk = new SimDisk({ root: ROOT });
  disk.makeDirectory(ROOT);
  const file = disk.open(`${ROOT}/btree.db`, 'create');
  file.write(content, 0, content.length, 0);
  file.close();
  return disk;
}

interface Cell {
  key: Buffer;
  /** Offset in the file of what follows the key: in an internal page the child. */
  behind: number;
}

/** Cells of a page that is whole. */
function cellsOf(content: Buffer, page: number): Cell[] {
  const start = page * PAGE;
  const leaf = content[start] === 1;
  const cells: Cell[] = [];
  let at = start + 7;
  for (let n = content.readUInt16BE(start + 1); n > 0; n--) {
    const behind = at + 2 + content.readUInt16BE(at);
    cells.push({ key: content.subarray(at + 2, behind), behind });
    at = leaf ? behind + 2 + content.readUInt16BE(behind) : behind + 4;
  }
  return cells;
}

function pagesOf(content: Buffer, type: number): number[] {
  const pages = Array.from({ length: content.length / PAGE - 1 }, (_, i) => i + 1);
  return pages.filter((p) => content[p * PAGE] === type && content.readUInt16BE(p * PAGE + 1) > 0);
}

/** Keys of all leaves, whether the tree leads to them or not. */
function keysIn(content: Buffer): Set<string> {
  const keys = pagesOf(content, 1).flatMap((page) => cellsOf(content, page));
  return new Set(keys.map(({ key }) => key.toString('latin1')));
}

async function grown(keys: number): Promise<Buffer> {
  const disk = new SimDisk({ root: ROOT });
  const store = await open(disk, { sync: 'none' });
  for (let i = 0; i < keys; i++)
    await store.put(bytes(keyOf((i * 7) % keys)), Buffer.alloc(i % 50));
  for (let i = 0; i < keys; i += 5) await store.delete(bytes(keyOf(i)));
  store.close();
  return contentOf(disk);
}

/** Pages stay such that each can be read by itself: what they say together is wrong. */
function damage(content: Buffer, random: Random): void {
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)]!;
  const internal = pagesOf(content, 0);
  const page = pick(internal);
  const cells = cellsOf(content, page);
  const places = [page * PAGE + 3, ...cells.map(({ behind }) => behind)];
  const anyPage = () => random.below(content.length / PAGE);
  const what = random.below(6);
  if (what === 0) content.writeUInt32BE(pick([page, pick(internal), anyPage()]), pick(places));
  else if (what === 1) content.writeUInt32BE(content.readUInt32BE(pick(places)), pick(places));
  else if (what === 2) pick(cells).key[random.below(3)] = random.below(256);
  else if (what === 3) pick(cells).key.set(pick(cellsOf(content, pick(internal))).key);
  else if (what === 4) {
    const { key } = pick(cellsOf(content, pick(pagesOf(content, 1))));
    key[random.below(3)] = random.below(256);
  } else content.copyWithin(anyPage() * PAGE, page * PAGE, (page + 1) * PAGE);
}

/** No operation looks at more pages than this, however the pages lead to each other. */
const LOOKS_MAX = 20_000;

async function workOn(store: V1Store, random: Random, touched: Set<string>): Promise<void> {
  const bound = () => (random.below(3) === 0 ? undefined : bytes(keyOf(random.below(600))));
  for (let i = 0; i < 40; i++) {
    const name = keyOf(random.below(600));
    const what = random.below(5);
    if (what < 2) touched.add(name);
    if (what === 0) await store.put(bytes(name), Buffer.alloc(random.below(200)));
    else if (what === 1) await store.delete(bytes(name));
    else if (what === 2) store.get(bytes(name));
    else if (what === 3) store.count({ from: bound() ?? bytes(''), to: bound() });
    else {
      const reverse = random.below(2) === 1;
      const keys = [...store.scan({ from: bound(), to: bound(), reverse })].map(({ key }) => key);
      const sorted = keys.toSorted((a, b) => Buffer.compare(a, b) * (reverse ? -1 : 1));
      expect(new Set(keys.map(String)).size).toBe(keys.length);
      expect(keys).toEqual(sorted);
    }
  }
}

describe('a tree that contradicts itself', () => {
  it('is worked on to an end, or refused by the page', async () => {
    const base = await grown(500);
    let looks = 0;
    Pager.prototype.get = function (this: Pager, ...args) {
      if (++looks > LOOKS_MAX) throw new Error('it does not end');
      return get.apply(this, args);
    };
    let refused = 0;
    for (let seed = 0; seed < 400; seed++) {
      const random = new Random(seed);
      const content = Buffer.from(base);
      for (let n = random.below(3); n >= 0; n--) damage(content, random);
      const disk = diskWith(content);
      const touched = new Set<string>();
      looks = 0;
      try {
        const store = await open(disk);
        try {
          await workOn(store, random, touched);
        } finally {
          store.close();
        }
      } catch (error) {
        refused++;
        if (!(error instanceof DdiaError)) throw error;
        expect(`${error.code} ${error.message}`, `seed ${seed}`).toMatch(
          /^(corrupt|poisoned) .*btree.db.*(page \d+ cannot be used|its metadata says)/,
        );
      }
      const there = keysIn(contentOf(disk));
      const lost = [...keysIn(content)].filter((key) => !there.has(key) && !touched.has(key));
      expect(lost, `seed ${seed}`).toEqual([]);
    }
    expect(refused).toBeGreaterThan(200);
  });

  it('is noticed where a second pointer to a page moves to where the first one was', async () => {
    const content = await grown(120);
    const root = content.readUInt32BE(0) * PAGE;
    const links = [root + 3, ...cellsOf(content, root / PAGE).map(({ behind }) => behind)];
    const children = links.map((at) => content.readUInt32BE(at));
    expect(children.every((page) => content[page * PAGE] === 1)).toBe(true);
    content.writeUInt32BE(children[2]!, links[3]!);
    const store = await open(diskWith(content));
    const [first] = cellsOf(content, children[2]!);
    expect(store.get(first!.key)).not.toBe(null);
    // The first two become one: what was the third child is the second now.
    for (const { key } of cellsOf(content, children[0]!)) await store.delete(Buffer.from(key));
    const [lost] = cellsOf(content, children[3]!);
    expect(() => store.get(lost!.key)).toThrow(
      `page ${children[2]} cannot be used: it has keys outside`,
    );
    store.close();
  });

  it('is not written anew by vacuum, which would lose what repair can find', async () => {
    const content = await grown(500);
    // The first leaf is out of the tree: its parent leads to the second one instead.
    const parent = pagesOf(content, 0).find((page) => {
      return content[content.readUInt32BE(page * PAGE + 3) * PAGE] === 1;
    })!;
    const [first] = cellsOf(content, parent);
    content.writeUInt32BE(content.readUInt32BE(first!.behind), parent * PAGE + 3);
    const disk = diskWith(content);
    const store = await open(disk);
    await expect(store.vacuum()).rejects.toThrow('btree.db is not whole: ');
    store.close();
    expect(contentOf(disk).equals(content)).toBe(true);
    expect(disk.list(ROOT)).toEqual(['btree.db']);
  });
});

describe('what is not a matter of one page', () => {
  it('a key that fits into a leaf and into no internal page is refused by its length', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = await open(disk);
    const loader = store.loader();
    const ends = { keyEnd: PAGE - 12, valueEnd: 0 };
    loader.add({ bytes: Buffer.alloc(PAGE - 12, 'm'), keyStart: 0, valueStart: 0, ...ends });
    store.finishLoad(loader);
    await expect(store.put(bytes('a'), Buffer.alloc(20))).rejects.toThrow(
      'a separator has 500 bytes; in pages of 512 there may be 499',
    );
    expect(() => store.close()).toThrow('nothing more is accepted');
    expect(await fsck(disk)).toEqual([]);
  });

  it('a load copies the keys that it keeps: who gives them may use their bytes again', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = await open(disk);
    const loader = store.loader();
    const key = Buffer.alloc(5);
    for (let i = 0; i < 300; i++) {
      key.write(keyOf(i));
      loader.add({ bytes: key, keyStart: 0, keyEnd: 5, valueStart: 0, valueEnd: 5 });
    }
    store.finishLoad(loader);
    expect(`${store.get(bytes(keyOf(123)))}`).toBe(keyOf(123));
    store.close();
    expect(await fsck(disk)).toEqual([]);
  });

  it('what is written while vacuum looks at the file is in the new one', async () => {
    const disk = diskWith(await grown(300));
    const store = await open(disk);
    const vacuum = store.vacuum();
    expect(await store.put(bytes('new'), bytes('1'))).toBe(true);
    await vacuum;
    expect(`${store.get(bytes('new'))}`).toBe('1');
    store.close();
    const again = await open(disk);
    expect(`${again.get(bytes('new'))}`).toBe('1');
    again.close();
    expect(await fsck(disk)).toEqual([]);
  });

  it('a load does not replace what was written meanwhile', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = await open(disk);
    const loader = store.loader();
    await store.put(bytes('a'), bytes('1'));
    expect(() => store.finishLoad(loader)).toThrow('was written to while it was loaded');
    expect(`${store.get(bytes('a'))}`).toBe('1');
    store.close();
    expect(disk.list(ROOT)).toEqual(['btree.db']);
    expect(await fsck(disk)).toEqual([]);
  });
});
