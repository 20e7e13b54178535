import { describe, expect, it } from 'vitest';
import { leveldb } from '../../../src/formats/wal/leveldb/index.ts';
import { concat } from '../../support/memory.ts';
import { batch, layoutFaults, logOf, puts, rewrite, scan } from './block-log.ts';

describe('damage inside intact records', () => {
  it('checks what a batch says of itself', async () => {
    const good = batch(1, [[1, 'a', 'b']]);
    const with9 = (payload: Uint8Array) => logOf([good, payload, batch(9, [[0, 'z']])]).bytes;
    const short = await scan(leveldb, with9(new Uint8Array(5)));
    expect(short.damage).toMatchObject([{ code: 'bad-length', length: 12, lost: true }]);
    expect(short.damage[0]!.message).toBe('a batch of 5 bytes, its header alone has 12');

    const ops = [
      [1, 'a', 'b'],
      [0, 'c'],
      [7, 'd'],
      [0, 'e'],
    ] as const;
    const tag = await scan(leveldb, with9(batch(2, ops)));
    expect(tag.records.map(({ op, index, batchSize }) => [op, index, batchSize])).toEqual([
      ['put', 0, 1],
      ['put', 0, 2],
      ['delete', 1, 2],
      ['delete', 0, 1],
    ]);
    expect(tag.damage).toMatchObject([{ code: 'bad-op', records: 2, lost: true, tail: false }]);
    expect(tag.damage[0]!.message).toBe(
      'operation 3 of the batch at 24: tag 0x07 names no operation; ' +
        "2 of the batch's 4 are missing, 6 bytes cannot be read",
    );

    const count = await scan(
      leveldb,
      with9(
        batch(
          2,
          [
            [1, 'a', 'b'],
            [0, 'c'],
          ],
          7,
        ),
      ),
    );
    expect(count.records.length).toBe(4);
    expect(count.damage).toMatchObject([{ code: 'bad-count', lost: false, records: 5 }]);
    expect(count.damage[0]!.message).toContain('is 7, 2 operations that count are in it');

    const long = concat([batch(2, [[0, 'c']], 2), Uint8Array.of(1, 3, 65, 66)]);
    const length = await scan(leveldb, with9(long));
    expect(length.damage).toMatchObject([{ code: 'bad-length', records: 1 }]);
    expect(length.damage[0]!.message).toContain(
      'its key has 3 bytes by its length, the batch ends 2',
    );
    const huge = concat([batch(2, [], 1), Uint8Array.of(1, 0xff, 0xff, 0xff, 0xff, 0xff, 1)]);
    expect((await scan(leveldb, with9(huge))).damage).toMatchObject([{ code: 'bad-length' }]);
    for (const payload of [batch(2, ops), batch(2, ops.slice(0, 2), 7), long, huge]) {
      expect(await layoutFaults(leveldb, with9(payload))).toEqual([]);
      const mended = await rewrite(leveldb, with9(payload));
      expect((await scan(leveldb, mended)).damage).toEqual([]);
    }
  });

  it('mends a count with the checksum that goes with it', async () => {
    const { bytes, places } = logOf([
      batch(
        1,
        [
          [1, 'a', 'b'],
          [0, 'c'],
        ],
        7,
      ),
      ...puts(1, 5, 8),
    ]);
    const { damage } = await scan(leveldb, bytes);
    const { offset, hex } = damage[0]!.mend!;
    const mended = bytes.slice();
    mended.set(Buffer.from(hex, 'hex'), offset);
    expect(offset).toBe(places[0]!.offset);
    expect((await scan(leveldb, mended)).damage).toEqual([]);
  });

  it('checks the fields of an edit', async () => {
    const edit = (...bytes: number[]) => logOf([Uint8Array.from(bytes), Uint8Array.of(2, 5)]).bytes;
    const name = 'MANIFEST-000001';
    const unknown = await scan(leveldb, edit(2, 7, 8, 1), { name });
    expect(unknown.records.map(({ extra }) => extra)).toEqual([{ logNumber: 7 }, { logNumber: 5 }]);
    expect(unknown.damage).toMatchObject([{ code: 'bad-op', offset: 9, length: 2 }]);
    expect(unknown.damage[0]!.message).toContain('field 2 of the edit at 0: tag 8 names no field');
    const level = await scan(leveldb, edit(6, 7, 1), { name });
    expect(level.damage[0]!.message).toContain('level 7 is not below 7');
    const key = await scan(leveldb, edit(5, 0, 3, 1, 2, 3), { name });
    expect(key.damage[0]!.message).toContain('key has 3 bytes, an internal key at least 8');
    const cut = await scan(leveldb, edit(1, 30, 65), { name });
    expect(cut.damage[0]!.message).toContain('comparator has 30 bytes, 1 are there');
    const varint = await scan(leveldb, edit(2, 0x80), { name });
    expect(varint.damage[0]!.message).toContain('log_number is no varint');
    const big = await scan(leveldb, edit(4, ...Array(9).fill(0xff), 1), { name });
    expect(big.records[0]!.extra).toEqual({ lastSequence: '18446744073709551615' });
    for (const bytes of [edit(2, 7, 8, 1), edit(6, 7, 1), edit(1, 30, 65), edit(2, 0x80)]) {
      expect(await layoutFaults(leveldb, bytes, name)).toEqual([]);
      expect((await scan(leveldb, await rewrite(leveldb, bytes, name), { name })).damage).toEqual(
        [],
      );
    }
  });
});
