import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockChecksum, contextOf } from '../../../src/formats/sstable/block-table/checksum.ts';
import { readFooter } from '../../../src/formats/sstable/block-table/footer.ts';
import { leveldb } from '../../../src/formats/sstable/leveldb/index.ts';
import { lookUp } from '../../../src/formats/sstable/look-up.ts';
import { TableCursor } from '../../../src/formats/sstable/range.ts';
import { rocksdb } from '../../../src/formats/sstable/rocksdb/index.ts';
import { fixtureFiles, MemorySource, root } from '../../support/memory.ts';
import { codes, context, opened, repaired, scanTable, uncovered, verify } from './tables.ts';

const golden = fixtureFiles('sstable/rocksdb');
const tables = Object.keys(golden).filter((name) => name.endsWith('.sst'));
const made = fixtureFiles('sstable/rocksdb-made');
const levels = fixtureFiles('sstable/leveldb');
const scan = readFileSync(join(root, 'fixtures/sstable/rocksdb/expected-scan.txt'), 'utf8');
const table = (name: string): Uint8Array => new Uint8Array(golden[name]!);

const hex = (value: unknown): string => {
  const bytes =
    typeof value === 'string'
      ? Buffer.from(value)
      : Buffer.from((value as { hex: string } | null)?.hex ?? '', 'hex');
  return bytes.toString('hex').toUpperCase();
};

describe('tables of RocksDB', () => {
  const numbers: Record<string, number> = { put: 1, delete: 0 };

  it.each(tables)(
    '%s: entries as sst_dump tells them, clean, every byte with a field',
    async (name) => {
      const { entries, damage } = await scanTable(rocksdb, table(name));
      const lines = entries.map(
        ({ key, value, seq, op }) =>
          `'${hex(key)}' seq:${seq}, type:${numbers[op]} => ${hex(value)}`,
      );
      expect(`${lines.join('\n')}\n`).toBe(scan);
      expect(damage).toEqual([]);
      expect(await uncovered(rocksdb, table(name))).toEqual([]);
      expect((await verify(rocksdb, table(name), true)).clean).toBe(true);
    },
  );

  it.each(Object.keys(made))('made/%s is clean, and has what was put in', async (name) => {
    const bytes = new Uint8Array(made[name]!);
    const { entries } = await scanTable(rocksdb, bytes);
    expect(entries[3]!.key).toBe('key0000000000021');
    expect(String(entries[3]!.value)).toMatch(/^[a-p ]{90}[a-p .]{10}$/);
    expect((await verify(rocksdb, bytes)).clean).toBe(true);
    expect(await uncovered(rocksdb, bytes)).toEqual([]);
  });

  it('names what it does not decode', async () => {
    const { findings } = await verify(rocksdb, new Uint8Array(made['ribbon.sst']!));
    expect(findings[0]).toMatchObject({ code: 'not-understood', severity: 'info' });
    expect(findings[0]!.message).toContain('ribbon');
  });

  it('tells properties as sst_dump does', async () => {
    const stat = await rocksdb.describe(
      new MemorySource('t.sst', table('zstd-xxh3-f2.sst')),
      context,
    );
    expect(stat).toMatchObject({
      formatVersion: 2,
      checksum: 'xxh3',
      index: 'binary-search',
      properties: {
        'rocksdb.num.entries': 150,
        'rocksdb.deleted.keys': 12,
        'rocksdb.raw.value.size': 4592,
        'rocksdb.compression': 'ZSTD',
        'rocksdb.creating.session.identity': 'LSN11EI0V20SK198Y8YS',
        'rocksdb.external_sst_file.version': 2,
      },
    });
  });

  it('reads range deletions, and a get under one finds nothing', async () => {
    const input = opened(rocksdb, table('none-xxh3-f5.sst'));
    const found = await lookUp(input, Buffer.from('key000001'), false, context, () => {});
    expect(found.live).toBe(true);
    const deleted = await lookUp(input, Buffer.from('key000004'), false, context, () => {});
    expect(deleted).toMatchObject({ live: false, entries: [{}] });
    const none = await lookUp(input, Buffer.from('nowhere'), false, context, () => {});
    expect(none).toMatchObject({ live: false, entries: [] });
  });
});

describe('tables of LevelDB', () => {
  it.each(Object.keys(levels))('%s is clean, every byte with a field', async (name) => {
    const bytes = new Uint8Array(levels[name]!);
    const { entries } = await scanTable(leveldb, bytes);
    expect(entries.length).toBeGreaterThan(600);
    expect((await verify(leveldb, bytes)).findings).toEqual([]);
    expect(await uncovered(leveldb, bytes)).toEqual([]);
  });

  it('are read by key, both ways', async () => {
    const bytes = new Uint8Array(levels['000005.ldb']!);
    const { entries } = await scanTable(leveldb, bytes);
    const keys = entries.map(({ key, seq }) => `${JSON.stringify(key)}${seq}`);
    for (const reverse of [false, true]) {
      const source = new MemorySource('t', bytes);
      const cursor = new TableCursor(await leveldb.open(source, context), {}, reverse, () => {});
      const found: string[] = [];
      while (await cursor.next())
        found.push(hex({ hex: Buffer.from(cursor.block.key(cursor.index)).toString('hex') }));
      const expected = entries.map(({ key }) => hex(key));
      expect(found).toEqual(reverse ? expected.reverse() : expected);
    }
    expect(keys).toHaveLength(674);
  });
});

describe('damage', () => {
  const cases = [
    ['none-crc32c-f2.sst', rocksdb],
    ['none-xxh3-f5.sst', rocksdb],
    ['zstd-xxhash64-f5-partitioned.sst', rocksdb],
    ['none-xxhash64-f4-partitioned.sst', rocksdb],
    ['000005.ldb', leveldb],
  ] as const;
  const bytesOf = (name: string) => new Uint8Array(golden[name] ?? levels[name]!);

  it.each(cases)(
    '%s: any flipped byte is seen, and costs one block at most',
    async (name, dialect) => {
      const whole = bytesOf(name);
      const intact = (await scanTable(dialect, whole)).entries;
      const blocks = new Map<number, number>();
      for (const { offset } of intact) blocks.set(offset, (blocks.get(offset) ?? 0) + 1);
      const most = Math.max(...blocks.values());
      // An ingested file's number is put in past the checksum: its eight bytes are outside of it.
      const global = Buffer.from(whole).indexOf('global_seqno') + 'global_seqno'.length;
      for (let at = 0; at < whole.length; at += at % 3 === 0 ? 11 : 8) {
        if (at >= global && at < global + 8) continue;
        const bytes = whole.slice();
        bytes[at]! ^= 1 << (at & 7);
        const { entries, damage } = await scanTable(dialect, bytes);
        expect(damage.length, `byte ${at}`).toBeGreaterThan(0);
        expect(entries.length, `byte ${at}`).toBeGreaterThanOrEqual(intact.length - most);
        if (at % 5 === 0) expect(await uncovered(dialect, bytes), `byte ${at}`).toEqual([]);
      }
    },
  );

  it.each(cases)(
    '%s: a repair keeps all other blocks, and verifies clean',
    async (name, dialect) => {
      const whole = bytesOf(name);
      const { entries: intact } = await scanTable(dialect, whole);
      const hit = intact[Math.floor(intact.length / 2)]!.offset;
      // A data block, the footer's magic, a byte near the end of the meta blocks.
      const places = [hit + 20, whole.length - 3, whole.length - 70];
      for (const at of places) {
        const bytes = whole.slice();
        bytes[at]! ^= 0x10;
        const { plan, bytes: result, total } = await repaired(dialect, bytes);
        expect(total, `byte ${at}`).toBe(bytes.length);
        const left = (await scanTable(dialect, result)).entries;
        const expected = at === hit + 20 ? intact.filter(({ offset }) => offset !== hit) : intact;
        expect(left.map(({ key, seq }) => [key, seq])).toEqual(
          expected.map(({ key, seq }) => [key, seq]),
        );
        const { findings } = await verify(dialect, result);
        expect(findings, `byte ${at}`).toEqual([]);
        if (at === hit + 20) expect(plan.consequences[0]).toContain('between');
      }
    },
  );

  it.each(cases)(
    '%s: without footer and index the blocks are found from the front',
    async (name, dialect) => {
      const whole = bytesOf(name);
      const { entries: intact } = await scanTable(dialect, whole);
      const last = intact.at(-1)!.offset;
      const cut = whole.slice(0, whole.length - 60);
      expect((await scanTable(dialect, cut)).entries.map(({ key }) => key)).toEqual(
        intact.map(({ key }) => key),
      );
      // Cut in the last data block, which is what a full disk leaves.
      const torn = (await scanTable(dialect, whole.slice(0, last + 30))).entries;
      expect(torn.map(({ key }) => key)).toEqual(
        intact.filter(({ offset }) => offset !== last).map(({ key }) => key),
      );
    },
  );

  it('a flipped bit under CRC-32C is named', async () => {
    const bytes = table('none-crc32c-f2.sst');
    bytes[1000]! ^= 8;
    const { findings } = await verify(rocksdb, bytes);
    expect(findings[0]).toMatchObject({
      code: 'block-checksum',
      diagnosis: 'bit 3 of the byte at 1000 is flipped',
    });
  });

  it('another magic is named', async () => {
    const bytes = table('none-crc32c-f2.sst');
    bytes.set(Buffer.from('f09faab3f09faab3', 'hex').reverse(), bytes.length - 8);
    expect((await verify(rocksdb, bytes)).findings.map(({ message }) => message).join()).toContain(
      'Pebble',
    );
  });

  it('of random bytes never throws', async () => {
    const whole = table('zstd-xxh3-f2.sst');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 30 }),
        async (hits) => {
          const bytes = whole.slice();
          for (const [at, value] of hits) bytes[at] = value;
          await verify(rocksdb, bytes);
          expect(await uncovered(rocksdb, bytes)).toEqual([]);
          const { total } = await repaired(rocksdb, bytes);
          expect(total).toBe(bytes.length);
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** A block of no compression with a checksum that holds again. */
function resealed(
  bytes: Uint8Array,
  offset: number,
  size: number,
  checksum: number,
  base = 0,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const plain = blockChecksum(checksum, bytes, view, offset, offset + size);
  view.setUint32(offset + size + 1, plain + contextOf(base, offset), true);
}

describe('what checksums do not show', () => {
  it('keys out of order, and a filter that misses them', async () => {
    const bytes = table('none-crc32c-f2.sst');
    const { entries } = await scanTable(rocksdb, bytes);
    const block = entries.filter(({ offset }) => offset === 0);
    // The first key of the table, which stands whole: "key000000" becomes "kfy000000".
    const at = Buffer.from(bytes).indexOf('key000000');
    bytes[at + 1]! += 1;
    const size = 953 - 4;
    const next = entries.find(({ offset }) => offset > 0)!.offset;
    expect(size).toBeLessThan(next);
    resealed(bytes, 0, next - 5, 1);
    expect(block.length).toBeGreaterThan(10);
    expect(await codes(rocksdb, bytes)).toEqual(['filter-miss', 'unsorted-keys']);
  });

  it('a filter of prefixes that misses some', async () => {
    const bytes = Uint8Array.from(made['prefix.sst']!);
    expect(await codes(rocksdb, bytes)).toEqual([]);
    const description = await rocksdb.describe(new MemorySource('t', bytes), context);
    const places = description['metaBlocks'] as { role: string; offset: number; size: number }[];
    const { offset, size } = places.find(({ role }) => role === 'filter')!;
    // All lines but the last bytes, which say how many there are.
    bytes.fill(0, offset, offset + size - 5);
    resealed(bytes, offset, size, 1);
    const { damage } = await scanTable(rocksdb, bytes, 'full');
    expect(new Set(damage.map(({ code }) => code))).toEqual(new Set(['filter-miss']));
    expect(damage[0]!.message).toContain('the prefix "key00000000000" of block 0');
  });

  it('a property that was changed', async () => {
    const bytes = table('none-crc32c-f2.sst');
    // Keys of properties share what they begin with: "rocksdb.num." stands before.
    const name = Buffer.from(bytes).indexOf('entries', Buffer.from(bytes).indexOf('data.blocks'));
    const { footer } = await readFooter(new MemorySource('t', bytes), true);
    expect(footer?.version).toBe(2);
    bytes[name + 'entries'.length]! ^= 1;
    const description = await rocksdb.describe(new MemorySource('t', bytes), context);
    const places = description['metaBlocks'] as { role: string; offset: number; size: number }[];
    const { offset, size } = places.find(({ role }) => role === 'properties')!;
    resealed(bytes, offset, size, 1);
    expect(await codes(rocksdb, bytes)).toEqual(['count-mismatch']);
  });
});

describe('format_version 6', () => {
  const BASE = 0x1234_5678;

  /** The table with checksums that know their place, and the footer of version 6. */
  async function versionSix(): Promise<Uint8Array> {
    const five = table('none-xxh3-f5.sst');
    const { footer } = await readFooter(new MemorySource('t', five), true);
    const described = await rocksdb.describe(new MemorySource('t', five), context);
    const metas = described['metaBlocks'] as { role: string; offset: number; size: number }[];
    const index = metas.find(({ role }) => role === 'index')!;
    const metaindex = metas.find(({ role }) => role === 'metaindex')!;
    const meta = Buffer.from(five.subarray(metaindex.offset, metaindex.offset + metaindex.size));
    const { BlockBuilder } = await import(
      '../../../src/formats/sstable/block-table/block-builder.ts'
    );
    const { plainEntries } = await import('../../../src/formats/sstable/block-table/block.ts');
    const { putVarint } = await import('../../../src/formats/sstable/block-table/varint.ts');
    const entries = new Map<string, Uint8Array>();
    const view = new DataView(meta.buffer, meta.byteOffset, meta.length);
    plainEntries(meta, view, 0, meta.length, (key, start, end) => {
      entries.set(Buffer.from(key).toString(), meta.subarray(start, end));
    });
    const handle: number[] = [];
    putVarint(handle, index.offset);
    putVarint(handle, index.size);
    entries.set('rocksdb.index', Uint8Array.from(handle));
    const builder = new BlockBuilder(1);
    for (const name of [...entries.keys()].sort())
      builder.add(Buffer.from(name), entries.get(name)!);
    const content = builder.finish();
    const bytes = new Uint8Array(metaindex.offset + content.length + 5 + 53);
    bytes.set(five.subarray(0, metaindex.offset));
    bytes.set(content, metaindex.offset);
    const { entries: data } = await scanTable(rocksdb, five);
    const offsets = [...new Set(data.map(({ offset }) => offset))];
    const first = Math.min(...metas.map(({ offset }) => offset));
    offsets.forEach((offset, i) => {
      resealed(bytes, offset, (offsets[i + 1] ?? first) - offset - 5, 4, BASE);
    });
    for (const { role, offset, size } of metas) {
      if (role !== 'metaindex') resealed(bytes, offset, size, 4, BASE);
    }
    resealed(bytes, metaindex.offset, content.length, 4, BASE);
    const at = bytes.length - 53;
    const tail = bytes.subarray(at);
    tail.set(five.subarray(five.length - 53));
    tail.fill(0, 1, 41);
    const out = new DataView(bytes.buffer, at);
    out.setUint32(1, 0x007a_003e, true);
    out.setUint32(9, BASE, true);
    out.setUint32(13, content.length, true);
    out.setUint32(41, 6, true);
    const plain = blockChecksum(4, tail, new DataView(bytes.buffer, at), 0, 52);
    out.setUint32(5, plain + contextOf(BASE, at), true);
    expect(footer?.checksum).toBe(4);
    return bytes;
  }

  it('is read, and a block in the wrong place is seen', async () => {
    const bytes = await versionSix();
    expect((await verify(rocksdb, bytes)).findings).toEqual([]);
    expect((await scanTable(rocksdb, bytes)).entries).toHaveLength(150);
    expect(await uncovered(rocksdb, bytes)).toEqual([]);
    const flipped = bytes.slice();
    flipped[bytes.length - 20]! ^= 1;
    expect(await codes(rocksdb, flipped)).toContain('bad-footer');
    const { bytes: result } = await repaired(rocksdb, flipped);
    expect((await scanTable(rocksdb, result)).entries).toHaveLength(150);
  });

  it('a version that is not known is named', async () => {
    const bytes = table('none-xxh3-f5.sst');
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(bytes.length - 12, 9, true);
    const { findings } = await verify(rocksdb, bytes);
    expect(findings.map(({ message }) => message).join()).toContain('format_version 9');
  });
});
