import { describe, expect, it } from 'vitest';
import { rocksdb } from '../../../src/formats/wal/rocksdb/index.ts';
import { concat } from '../../support/memory.ts';
import { fixed, layoutFaults, logOf, scan, varint, varstring } from './block-log.ts';

/** Fields of an edit: varints and what is given as bytes. */
function edit(...parts: (number | bigint | Uint8Array)[]): Uint8Array {
  return concat(parts.map((p) => (p instanceof Uint8Array ? p : Uint8Array.from(varint(p)))));
}

function internalKey(key: string, seq: number | bigint, type: number): Uint8Array {
  return varstring(concat([Buffer.from(key), fixed((BigInt(seq) << 8n) | BigInt(type), 8)]));
}

describe('version edits of RocksDB', () => {
  const name = 'MANIFEST-000001';
  const smallest = internalKey('a', 1, 1);
  const largest = internalKey('z', 9, 22);
  const keys = {
    smallest: { userKey: 'a', seq: 1, type: 'put' },
    largest: { userKey: 'z', seq: 9, type: 'put-entity' },
  };
  const v = (value: number | bigint) => varstring(Uint8Array.from(varint(value)));
  const MASK = 8192;
  const custom = concat([
    edit(2, varstring(Uint8Array.of(1)), 3, varstring(fixed(77, 8)), 4, v(5), 5, v(6), 6, v(7)),
    edit(
      7,
      varstring(Uint8Array.of(0xde, 0xad)),
      8,
      varstring('crc32c'),
      9,
      varstring(Uint8Array.of(2)),
    ),
    edit(10, varstring('min'), 11, varstring('max'), 12, varstring(new Uint8Array(16).fill(17))),
    edit(13, v(8), 14, v(9), 15, v(10), 16, varstring(Uint8Array.of(0)), 17, varstring('meta')),
    edit(65, varstring(Uint8Array.of(1)), 31, varstring('future'), 1),
  ]);
  const newFile4 = edit(103, 2, 11, 4096, smallest, largest, 1, 9, custom);
  const progress = edit(
    ...[2, internalKey('n', 3, 1), 3, v(100)],
    ...[4, varstring(edit(3, v(50), 2, varstring(edit(1, varstring(newFile4))), 1))],
    ...[65536, varstring('future'), 1],
  );
  const file4 = {
    level: 2,
    fileNumber: 11,
    fileSize: 4096,
    ...keys,
    smallestSeq: 1,
    largestSeq: 9,
    needCompaction: true,
    minLogNumberToKeep: 77,
    oldestBlobFileNumber: 5,
    oldestAncesterTime: 6,
    fileCreationTime: 7,
    fileChecksum: { hex: 'dead' },
    fileChecksumFuncName: 'crc32c',
    temperature: 2,
    minTimestamp: { hex: '6d696e' },
    maxTimestamp: { hex: '6d6178' },
    uniqueId: { hex: '11'.repeat(16) },
    epochNumber: 8,
    compensatedRangeDeletionSize: 9,
    tailSize: 10,
    userDefinedTimestampsPersisted: false,
    fileOpenMetadata: { hex: '6d657461' },
    pathId: 1,
    unknown: [{ tag: 31, length: 6 }],
  };

  const FIELDS: readonly [Uint8Array, string, unknown][] = [
    [edit(1, varstring('cmp')), 'comparator', { comparator: 'cmp' }],
    [edit(2, 5), 'log-number', { logNumber: 5 }],
    [edit(3, 6), 'next-file-number', { nextFileNumber: 6 }],
    [edit(4, 2n ** 55n), 'last-sequence', { lastSequence: '36028797018963968' }],
    [edit(5, 1, smallest), 'compact-pointer', { level: 1, key: keys.smallest }],
    [edit(6, 1, 9), 'deleted-file', { level: 1, fileNumber: 9 }],
    [
      edit(7, 1, 9, 100, smallest, largest),
      'new-file',
      { level: 1, fileNumber: 9, fileSize: 100, ...keys },
    ],
    [edit(9, 4), 'prev-log-number', { prevLogNumber: 4 }],
    [edit(10, 4), 'min-log-number-to-keep', { minLogNumberToKeep: 4 }],
    [
      edit(100, 1, 9, 100, smallest, largest, 1, 9),
      'new-file',
      { level: 1, fileNumber: 9, fileSize: 100, ...keys, smallestSeq: 1, largestSeq: 9 },
    ],
    [
      edit(102, 1, 9, 3, 100, smallest, largest, 1, 9),
      'new-file',
      { level: 1, fileNumber: 9, pathId: 3, fileSize: 100, ...keys, smallestSeq: 1, largestSeq: 9 },
    ],
    [newFile4, 'new-file', file4],
    [edit(200, 3), 'column-family', { columnFamily: 3 }],
    [edit(201, varstring('users')), 'column-family-add', { name: 'users' }],
    [edit(202), 'column-family-drop', {}],
    [edit(203, 8), 'max-column-family', { maxColumnFamily: 8 }],
    [edit(300, 2), 'in-atomic-group', { remaining: 2 }],
    [
      edit(
        400,
        4,
        10,
        1000,
        varstring('SHA1'),
        varstring(Uint8Array.of(255)),
        5,
        varstring('x'),
        0,
      ),
      'blob-file-addition',
      {
        fileNumber: 4,
        totalBlobCount: 10,
        totalBlobBytes: 1000,
        checksumMethod: 'SHA1',
        checksumValue: { hex: 'ff' },
      },
    ],
    [
      edit(401, 4, 10, 1000, 0),
      'blob-file-garbage',
      { fileNumber: 4, garbageBlobCount: 10, garbageBlobBytes: 1000 },
    ],
    [edit(MASK + 1, varstring('id')), 'db-id', { dbId: 'id' }],
    [
      edit(MASK + 3, 4, 10, 1000, 0),
      'blob-file-garbage',
      { fileNumber: 4, garbageBlobCount: 10, garbageBlobBytes: 1000 },
    ],
    [edit(MASK + 4, 12, 2, 4096, 1), 'wal-addition', { logNumber: 12, syncedSize: 4096 }],
    [edit(MASK + 5, 12), 'wal-deletion', { logNumber: 12 }],
    [edit(MASK + 6, varstring('ts')), 'full-history-ts-low', { fullHistoryTsLow: { hex: '7473' } }],
    [edit(MASK + 7, varstring(edit(12, 1))), 'wal-addition', { logNumber: 12 }],
    [edit(MASK + 8, varstring(edit(12))), 'wal-deletion', { logNumber: 12 }],
    [
      edit(MASK + 9, varstring(Uint8Array.of(1))),
      'persist-user-defined-timestamps',
      { persistUserDefinedTimestamps: true },
    ],
    [
      edit(MASK + 10, varstring(progress)),
      'subcompaction-progress',
      {
        nextInternalKey: { userKey: 'n', seq: 3, type: 'put' },
        processedInputRecords: 100,
        outputLevel: { processedOutputRecords: 50, outputFiles: [file4] },
      },
    ],
    [edit(MASK + 11, v(5000)), 'last-compacted-manifest-file-size', { fileSize: 5000 }],
    [edit(MASK + 500, varstring('later')), 'unknown-tag', { tag: MASK + 500, length: 5 }],
  ];

  it.each(FIELDS)('reads %s as %s', async (bytes, op, extra) => {
    const { records, damage } = await scan(rocksdb, logOf([bytes]).bytes, { name });
    expect(damage).toEqual([]);
    expect(records).toMatchObject([{ op, extra, numbered: false, key: undefined }]);
    expect(await layoutFaults(rocksdb, logOf([bytes]).bytes, name)).toEqual([]);
    // Cut anywhere, it is damage and nothing else.
    for (let length = 1; length < bytes.length; length++) {
      const cut = logOf([bytes.subarray(0, length)]).bytes;
      const told = await scan(rocksdb, cut, { name });
      expect(told.damage.length).toBe(1);
      expect(await layoutFaults(rocksdb, cut, name)).toEqual([]);
    }
  });

  it('reads them all in one edit, over fragments', async () => {
    const padding = edit(1, varstring('c'.repeat(40_000)));
    const payload = concat([padding, ...FIELDS.map(([bytes]) => bytes)]);
    const { bytes } = logOf([edit(2, 1), payload]);
    const { records, damage } = await scan(rocksdb, bytes, { name });
    expect(damage).toEqual([]);
    expect(records.map(({ op }) => op)).toEqual([
      'log-number',
      'comparator',
      ...FIELDS.map(([, op]) => op),
    ]);
    expect(records[1]).toMatchObject({ index: 0, batchSize: FIELDS.length + 1 });
    expect(await layoutFaults(rocksdb, bytes, name)).toEqual([]);
  });

  it('says what is wrong with a field', async () => {
    for (const [bytes, code, why] of [
      [edit(77), 'bad-op', 'tag 77 names no field'],
      [edit(MASK + 77, 9), 'bad-length', 'data has 9 bytes, 0 are there'],
      [
        edit(103, 1, 9, 100, smallest, largest, 1, 9, 66, 0),
        'bad-op',
        'custom tag 66 of a new file',
      ],
      [
        edit(103, 1, 9, 100, smallest, largest, 1, 9, 12, varstring('x')),
        'bad-length',
        'the unique id has 1 bytes, expected 16',
      ],
      [edit(MASK + 4, 12, 9), 'bad-op', 'tag 9 of a WAL addition is unknown'],
      [edit(400, 1, 1, 1, 0, 0, 64), 'bad-op', 'custom tag 64 is unknown'],
      [edit(MASK + 10, varstring(edit(9, 0))), 'bad-op', "tag 9 of a subcompaction's progress"],
      [edit(3, new Uint8Array(11).fill(0xff)), 'bad-length', 'is no varint'],
    ] as const) {
      const told = await scan(rocksdb, logOf([concat([edit(2, 1), bytes])]).bytes, { name });
      expect(told.records.map(({ op }) => op)).toEqual(['log-number']);
      expect(told.damage).toMatchObject([{ code, lost: true }]);
      expect(told.damage[0]!.message).toContain(why);
    }
  });
});
