import { describe, expect, it } from 'vitest';
import { rocksdb } from '../../../src/formats/wal/rocksdb/index.ts';
import { concat } from '../../support/memory.ts';
import {
  batch,
  fixed,
  layout,
  layoutFaults,
  logOf,
  type Operation,
  scan,
  type Told,
} from './block-log.ts';

describe('write batches of RocksDB', () => {
  /** Every tag, what it is called and whether it takes a sequence number. */
  const TAGS: readonly [Operation, string, Partial<Told>][] = [
    [[0x00, 'k'], 'delete', { cf: 0, key: 'k', numbered: true }],
    [[0x01, 'k', 'v'], 'put', { cf: 0, key: 'k', value: 'v', numbered: true }],
    [[0x02, 'k', 'v'], 'merge', { cf: 0, key: 'k', value: 'v', numbered: true }],
    [[0x03, 'blob'], 'log-data', { key: undefined, value: 'blob', numbered: false }],
    [[0x04, 300, 'k'], 'delete', { cf: 300, key: 'k', numbered: true }],
    [[0x05, 300, 'k', 'v'], 'put', { cf: 300, key: 'k', value: 'v', numbered: true }],
    [[0x06, 4294967295, 'k', 'v'], 'merge', { cf: 4294967295, numbered: true }],
    [[0x07, 'k'], 'single-delete', { key: 'k', numbered: true }],
    [[0x08, 2, 'k'], 'single-delete', { cf: 2, key: 'k', numbered: true }],
    [[0x0b, 'x'], 'commit-xid', { key: 'x', numbered: false }],
    [[0x0c, 'x'], 'rollback-xid', { key: 'x', numbered: false }],
    [[0x0d], 'noop', { key: undefined, numbered: false }],
    [[0x0e, 2, 'a', 'b'], 'delete-range', { cf: 2, key: 'a', value: 'b', numbered: true }],
    [[0x0f, 'a', 'b'], 'delete-range', { cf: 0, key: 'a', value: 'b', numbered: true }],
    [[0x10, 2, 'k', 'i'], 'blob-index', { cf: 2, key: 'k', value: 'i', numbered: true }],
    [[0x11, 'k', 'i'], 'blob-index', { cf: 0, numbered: true }],
    [[0x15, 'time', 'x'], 'commit-xid-timestamp', { key: 'x', value: 'time', numbered: false }],
    [[0x16, 'k', 'e'], 'put-entity', { cf: 0, value: 'e', numbered: true }],
    [[0x17, 2, 'k', 'e'], 'put-entity', { cf: 2, value: 'e', numbered: true }],
    [
      [0x18, 'k', concat([Buffer.from('v'), fixed(1_700_000_000, 8)])],
      'timed-put',
      { value: 'v', extra: { writeTime: 1_700_000_000 }, numbered: true },
    ],
    [
      [0x19, 2, 'k', fixed(2n ** 63n, 8)],
      'timed-put',
      { cf: 2, value: '', extra: { writeTime: '9223372036854775808' }, numbered: true },
    ],
  ];

  it('names every operation', async () => {
    const counted = TAGS.filter(([, , { numbered }]) => numbered).length;
    const operations = TAGS.map(([operation]) => operation);
    const { bytes } = logOf([batch(2n ** 40n, operations, counted), batch(2n ** 40n, [])]);
    const { records, damage } = await scan(rocksdb, bytes);
    expect(damage).toEqual([]);
    expect(records.length).toBe(TAGS.length);
    let seq = 2n ** 40n;
    for (const [i, [, op, fields]] of TAGS.entries()) {
      expect(records[i]).toMatchObject({ op, index: i, batchSize: TAGS.length, ...fields });
      expect(records[i]!.seq).toBe(String(seq));
      if (fields.numbered) seq++;
    }
    expect(await layoutFaults(rocksdb, bytes)).toEqual([]);
    const leaves = (await layout(rocksdb, bytes))[0]!.children!.at(-2)!;
    expect(leaves.children!.map(({ name }) => name)).toEqual([
      'tag',
      'key_length',
      'key',
      'value_length',
      'value',
      'write_time',
    ]);
    for (const [operation] of TAGS) {
      const lone = batch(1, [operation]);
      for (let length = 13; length < lone.length; length++) {
        const cut = await scan(rocksdb, logOf([lone.subarray(0, length)]).bytes);
        expect(cut.damage.map(({ code }) => code)).toEqual(['bad-length']);
      }
    }
  });

  it('numbers sections of prepared transactions', async () => {
    const inside: Operation[] = [
      [0x05, 1, 'a', '1'],
      [0x05, 1, 'b', '2'],
    ];
    const aside: Operation[] = [[0x09], ...inside, [0x0a, 'x'], [0x01, 'c', '3']];
    const alike: Operation[] = [[0x12], ...inside, [0x0a, 'x'], [0x01, 'c', '3']];
    const { bytes } = logOf([batch(10, aside, 3), batch(20, alike, 3)]);
    const { records, damage } = await scan(rocksdb, bytes);
    expect(damage).toEqual([]);
    expect(records.map(({ op, seq, numbered }) => `${op} ${seq}${numbered ? '' : ' -'}`)).toEqual([
      'begin-prepare 10 -',
      'put 10 -',
      'put 10 -',
      'end-prepare 10 -',
      'put 10',
      'begin-persisted-prepare 20 -',
      'put 20 -',
      'put 20 -',
      'end-prepare 20 -',
      'put 21',
    ]);
  });

  it('carries over 32 bits', async () => {
    const { bytes } = logOf([
      batch(2n ** 33n - 1n, [
        [0, 'a'],
        [0, 'b'],
      ]),
      batch(2n ** 56n - 1n, [[0, 'a']]),
    ]);
    const { records } = await scan(rocksdb, bytes);
    expect(records.map(({ seq }) => seq)).toEqual([
      '8589934591',
      '8589934592',
      '72057594037927935',
    ]);
  });

  it('refuses tags that never stand in a batch', async () => {
    for (const [tag, what] of [
      [0x14, 'tag 0x14 (delete-with-timestamp) never stands in a batch'],
      [0x1a, 'tag 0x1a names no operation'],
    ] as const) {
      const { bytes } = logOf([
        batch(1, [
          [1, 'a', 'b'],
          [tag, 'c'],
        ]),
        batch(3, [[0, 'z']]),
      ]);
      const { records, damage } = await scan(rocksdb, bytes);
      expect(records.map(({ key }) => key)).toEqual(['a', 'z']);
      expect(damage).toMatchObject([{ code: 'bad-op', records: 1 }]);
      expect(damage[0]!.message).toContain(what);
    }
    const family = concat([batch(1, [], 1), Uint8Array.of(5, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 65)]);
    const { damage } = await scan(rocksdb, logOf([family]).bytes);
    expect(damage[0]!.message).toContain('its column family is no varint32');
    const short = await scan(rocksdb, logOf([batch(1, [[0x18, 'k', 'short']])]).bytes);
    expect(short.damage[0]!.message).toContain(
      'its value has 5 bytes, 8 of which should be a time',
    );
  });
});
