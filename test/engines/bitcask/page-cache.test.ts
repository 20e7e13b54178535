/** The page cache against direct reads. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataFile } from '../../../src/engines/bitcask/data-file.ts';
import { PAGE_BYTES, PageCache } from '../../../src/engines/bitcask/page-cache.ts';
import { failing } from '../../../src/io/sim-disk/faults.ts';
import type { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { fillRandom } from '../../../src/shared/random.ts';
import { b, openOn, ROOT, simDisk } from './stores.ts';

/** A file of bytes that depend on its number and their place, which grows as it is told to. */
class Grown {
  readonly data: DataFile;
  readonly #file;
  reads = 0;

  constructor(
    readonly disk: SimDisk,
    readonly number: number,
  ) {
    this.data = new DataFile(disk, ROOT, number, 0, false);
    this.#file = disk.open(this.data.path, 'create');
    this.data.size = 0;
    const { data } = this;
    const readInto = data.readInto.bind(data);
    data.readInto = (...args) => {
      this.reads++;
      return readInto(...args);
    };
  }

  grow(bytes: number): void {
    const more = this.expected(this.data.size, bytes);
    this.#file.write(more, 0, bytes, this.data.size);
    this.data.size += bytes;
  }

  expected(position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    fillRandom(this.number, position, bytes, 0, length);
    return bytes;
  }
}

function found(cache: PageCache, file: Grown, position: number, length: number) {
  if (!cache.find(file.data, position, length)) return undefined;
  expect(cache.view.buffer).toBe(cache.bytes.buffer);
  return Buffer.from(cache.bytes.subarray(cache.at, cache.at + length));
}

describe('the page cache', () => {
  it('gives what the files hold, whatever its size, as they grow and go', () => {
    const step = fc.record({
      file: fc.nat(3),
      what: fc.constantFrom('find', 'find', 'find', 'find', 'find', 'find', 'grow', 'doom'),
      position: fc.nat(9 * PAGE_BYTES),
      length: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 20_000 })),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(0, 1, 2, 3, 7, 300),
        fc.array(step, { maxLength: 120 }),
        (pages, steps) => {
          const disk = simDisk();
          let next = 1;
          const fresh = (): Grown => new Grown(disk, next++);
          const files = [fresh(), fresh(), fresh(), fresh()];
          const cache = new PageCache(pages * PAGE_BYTES);
          for (const { file: which, what, position, length } of steps) {
            const file = files[which]!;
            if (what === 'grow') file.grow(length);
            else if (what === 'doom') {
              file.data.doom();
              files[which] = fresh();
            } else if (position + length <= file.data.size) {
              const bytes = found(cache, file, position, length);
              const last = Math.floor((position + length - 1) / PAGE_BYTES);
              const count = last - Math.floor(position / PAGE_BYTES) + 1;
              const whole = (last + 1) * PAGE_BYTES <= file.data.size;
              expect(bytes !== undefined).toBe(pages > 0 && whole && count <= 4);
              if (bytes) expect(bytes.equals(file.expected(position, length))).toBe(true);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('reads a page once while there is room', () => {
    const file = new Grown(simDisk(), 1);
    file.grow(10 * PAGE_BYTES);
    const cache = new PageCache(10 * PAGE_BYTES);
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < 10; at++) found(cache, file, at * PAGE_BYTES + 5, 100);
      found(cache, file, 3 * PAGE_BYTES - 50, 100);
    }
    expect(file.reads).toBe(10);
  });

  it('passes over once what was used since it came by', () => {
    const file = new Grown(simDisk(), 1);
    file.grow(20 * PAGE_BYTES);
    const cache = new PageCache(4 * PAGE_BYTES);
    const use = (page: number): boolean => {
      const before = file.reads;
      found(cache, file, page * PAGE_BYTES, 10);
      return file.reads === before;
    };
    for (let page = 0; page < 4; page++) use(page);
    // All were used: the hand goes round once, and takes the first.
    expect([use(4), use(1), use(5), use(1)]).toEqual([false, true, false, true]);
    // 1 was used since, so 2 had to go.
    expect([use(1), use(3), use(2)]).toEqual([true, true, false]);
  });

  it('holds nothing of a read that failed or fell short', () => {
    const disk = simDisk();
    const file = new Grown(disk, 1);
    file.grow(2 * PAGE_BYTES);
    const cache = new PageCache(2 * PAGE_BYTES);
    disk.inject(failing('read', 1));
    expect(() => found(cache, file, 0, 10)).toThrow(/EIO/);
    expect(found(cache, file, 0, 10)).toEqual(file.expected(0, 10));
    // The file is shorter than it is held to be.
    file.data.size += PAGE_BYTES;
    expect(found(cache, file, 2 * PAGE_BYTES, 10)).toBeUndefined();
    file.data.size -= PAGE_BYTES;
    file.grow(PAGE_BYTES);
    expect(found(cache, file, 2 * PAGE_BYTES, 10)).toEqual(file.expected(2 * PAGE_BYTES, 10));
    expect(found(cache, file, PAGE_BYTES, 10)).toEqual(file.expected(PAGE_BYTES, 10));
  });
});

describe('gets through the cache', () => {
  it.each([0, PAGE_BYTES, 5 * PAGE_BYTES, 2 ** 20])('are right (%i bytes)', async (cacheBytes) => {
    const store = await openOn(simDisk(), { sync: 'none', fileBytes: 50_000, cacheBytes });
    const model = new Map<string, string>();
    for (let i = 0; i < 1500; i++) {
      const [key, value] = [`k${(i * 7) % 300}`, `${i}`.repeat((i * 31) % 90)];
      model.set(key, value);
      await store.put(b(key), b(value));
      if (i === 700) await store.merge();
      const asked = `k${(i * 13) % 300}`;
      expect(store.get(b(asked))?.toString() ?? null).toBe(model.get(asked) ?? null);
    }
    for (const [key, value] of model) expect(store.get(b(key))?.toString()).toBe(value);
    await store.close();
  });
});
