import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Memtable, MemtableCursor } from '../../../src/engines/lsm/memtable.ts';
import { TYPE } from '../../../src/formats/sstable/entry-block.ts';
import { Random } from '../../../src/shared/random.ts';

const NONE = Buffer.alloc(0);

/** Keys and numbers, in the order that a memtable is to have them in. */
class Model {
  readonly table = new Memtable();
  readonly entries: { key: Buffer; seq: number }[] = [];

  add(key: Buffer): void {
    const seq = this.entries.length + 1;
    this.entries.push({ key, seq });
    this.table.add(TYPE.put, seq, key, Buffer.from(`${seq}`));
  }

  get sorted(): { key: Buffer; seq: number }[] {
    return this.entries.toSorted((a, b) => Buffer.compare(a.key, b.key) || b.seq - a.seq);
  }

  /** What a cursor tells, from where it stands on. */
  static walk(cursor: MemtableCursor, back: boolean): string[] {
    const told: string[] = [];
    while (cursor.valid) {
      const key = cursor.keyBytes.subarray(cursor.keyStart, cursor.keyEnd);
      const value = cursor.valueBytes.subarray(cursor.valueStart, cursor.valueEnd);
      expect(`${Buffer.from(value)}`).toBe(`${cursor.seq}`);
      told.push(`${Buffer.from(key).toString('hex')} ${cursor.seq}`);
      if (back) cursor.previous();
      else cursor.next();
    }
    return told;
  }

  check(asked: readonly Buffer[]): void {
    const { sorted } = this;
    const all = sorted.map(({ key, seq }) => `${key.toString('hex')} ${seq}`);
    const cursor = new MemtableCursor(this.table);
    cursor.seek();
    expect(Model.walk(cursor, false)).toEqual(all);
    cursor.seekBack();
    expect(Model.walk(cursor, true)).toEqual(all.toReversed());
    for (const key of asked) {
      const at = sorted.findIndex((one) => Buffer.compare(one.key, key) >= 0);
      const from = at < 0 ? all.length : at;
      cursor.seek(key);
      expect(cursor.valid ? cursor.seq : 0).toBe(sorted[from]?.seq ?? 0);
      cursor.seekBack(key);
      expect(cursor.valid ? cursor.seq : 0).toBe(sorted[from - 1]?.seq ?? 0);
      const there = sorted[from]?.key.equals(key) ? sorted[from].seq : 0;
      const found = this.table.find(key, Number.MAX_SAFE_INTEGER);
      expect(found === 0 ? 0 : this.table.seqOf(found)).toBe(there);
    }
  }
}

/** Few different bytes, so that keys share beginnings, begin each other, and come again. */
const byte = fc.constantFrom(0, 1, 127, 128, 255);
const key = fc.oneof(
  fc.array(byte, { maxLength: 3 }),
  fc.array(byte, { minLength: 8, maxLength: 14 }).map((bytes) => [1, 1, 1, 1, 1, ...bytes]),
);

describe('a memtable', () => {
  it('has its entries in order, and finds each from any key on', () => {
    fc.assert(
      fc.property(fc.array(key, { maxLength: 60 }), fc.array(key), (keys, asked) => {
        const model = new Model();
        for (const one of keys) model.add(Buffer.from(one));
        model.check([...keys, ...asked].map((one) => Buffer.from(one)));
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, (i: number, random: Random) => string]>([
    ['upwards', (i) => `key${String(i).padStart(10, '0')}`],
    ['downwards', (i) => `key${String(5000 - i).padStart(10, '0')}`],
    ['at random', (_, random) => `key${String(random.below(1e9)).padStart(13, '0')}`],
    ['of which few differ', (_, random) => `key${random.below(40)}`],
    ['that are alike for long', (_, random) => `${'a'.repeat(20)}${random.below(9)}b`.repeat(2)],
    ['that share less each time', (i) => `${'x'.repeat(Math.max(0, 300 - i))}${i % 7}`],
    ['that are longer each time', (i) => 'y'.repeat(i % 400)],
  ])('takes thousands of keys %s', (_, keyOf) => {
    const model = new Model();
    const random = new Random(3);
    for (let i = 0; i < 2000; i++) model.add(Buffer.from(keyOf(i, random)));
    const asked = Array.from({ length: 200 }, () => Buffer.from(keyOf(random.below(2500), random)));
    model.check([...asked, NONE, Buffer.from('key'), Buffer.from('zz'), Buffer.alloc(500, 'x')]);
  });

  it('can be walked while it grows', () => {
    const model = new Model();
    const random = new Random(9);
    for (let i = 0; i < 500; i++) model.add(Buffer.from(`k${random.below(100_000)}`));
    const before = model.sorted.map(({ seq }) => seq);
    const cursor = new MemtableCursor(model.table);
    const seen: number[] = [];
    for (cursor.seek(); cursor.valid; cursor.next()) {
      if (cursor.seq <= 500) seen.push(cursor.seq);
      model.add(Buffer.from(`k${random.below(100_000)}`));
      if (model.entries.length > 3000) break;
    }
    expect(seen).toEqual(before.slice(0, seen.length));
    expect(seen.length).toBeGreaterThan(100);
  });
});
