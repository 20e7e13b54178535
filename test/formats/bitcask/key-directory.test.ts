import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyDirectory } from '../../../src/formats/bitcask/key-directory.ts';
import { hashOf } from '../../../src/formats/bitcask/key-hash.ts';

const b = (text: string): Buffer => Buffer.from(text);
const put = (keys: KeyDirectory, key: Buffer): number => keys.put(key, 0, key.length);
const find = (keys: KeyDirectory, key: Buffer): number => keys.find(key, 0, key.length);

describe('the key directory', () => {
  it('is a map, whatever is put, removed and put again', () => {
    const key = fc.oneof(
      fc.string({ maxLength: 3 }).map(b),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.nat(30).map((n) => Buffer.alloc(n * 997, 'k')),
    );
    const step = fc.record({ key, remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer(), (steps, seed) => {
        const keys = new KeyDirectory(seed);
        const model = new Map<string, number>();
        steps.forEach(({ key, remove }, i) => {
          const name = key.toString('hex');
          const known = find(keys, key);
          expect(known >= 0).toBe(model.has(name));
          if (remove) {
            if (known >= 0) keys.remove(known);
            model.delete(name);
          } else {
            const entry = put(keys, key);
            expect(keys.created).toBe(known < 0);
            keys.set(entry, i, i * 2 ** 30, i + 1, i / 3, i & 0x7fff);
            model.set(name, i);
          }
        });
        expect(keys.size).toBe(model.size);
        const there = new Map<string, number>();
        keys.forEach((entry) => {
          const i = keys.file(entry);
          there.set(Buffer.from(keys.key(entry)).toString('hex'), i);
          expect(keys.position(entry)).toBe(i * 2 ** 30);
          expect(keys.length(entry)).toBe(i + 1);
          expect(keys.order(entry)).toBe(i / 3);
          expect(keys.flags(entry)).toBe(i & 0x7fff);
        });
        expect(there).toEqual(model);
        const sorted = [...keys.sorted()].map((entry) => Buffer.from(keys.key(entry)));
        expect(sorted).toEqual([...sorted].sort(Buffer.compare));
        expect(sorted.length).toBe(model.size);
      }),
      { numRuns: 100 },
    );
  });

  it('takes keys as long as a chunk, and longer', () => {
    const keys = new KeyDirectory();
    const long = [2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20].map((n) => Buffer.alloc(n, 'x'));
    for (const [i, key] of long.entries()) {
      keys.set(put(keys, key), i, 0, 0, 0, 0);
      keys.set(put(keys, b(`short ${i}`)), 10 + i, 0, 0, 0, 0);
    }
    for (const [i, key] of long.entries()) {
      expect(keys.file(find(keys, key))).toBe(i);
      expect(keys.file(find(keys, b(`short ${i}`)))).toBe(10 + i);
    }
  });

  it('gives back the memory of keys that were removed', () => {
    const keys = new KeyDirectory();
    for (let round = 0; round < 20; round++) {
      const many = Array.from({ length: 2000 }, (_, i) => b(`${round}-${i}-`.padEnd(500, 'x')));
      for (const key of many) keys.set(put(keys, key), round, 0, 0, 0, 0);
      for (const key of many.slice(1)) keys.remove(find(keys, key));
    }
    expect(keys.size).toBe(20);
    expect(keys.memory.keys).toBeLessThan(4 * 2 ** 20);
    expect(keys.memory.table).toBeLessThan(300_000);
    expect(keys.file(find(keys, b('7-0-'.padEnd(500, 'x'))))).toBe(7);
  });

  it('costs at most 100 bytes a key beyond the key', () => {
    for (const count of [1000, 40_000, 100_000]) {
      const keys = new KeyDirectory();
      for (let i = 0; i < count; i++) put(keys, b(String(i).padStart(16, '0')));
      const { table } = keys.memory;
      expect(table / count).toBeLessThan(100);
    }
  });

  it('hashes as MurmurHash3 does', () => {
    const of = (text: string, seed: number) => hashOf(b(text), 0, Buffer.byteLength(text), seed);
    expect(of('', 0)).toBe(0);
    expect(of('', 1)).toBe(0x514e28b7);
    expect(of('hello', 0)).toBe(0x248bfa47);
    expect(of('hello, world', 0)).toBe(0x149bbb7f);
    expect(of('The quick brown fox jumps over the lazy dog', 0)).toBe(0x2e4ff723);
  });
});
