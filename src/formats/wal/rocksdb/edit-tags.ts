/** The tags of RocksDB's version edits (db/version_edit.h, enum Tag). */
import { baseTags, type EditForms, type EditTag } from '../block-log/edit.ts';
import type { EditReader } from '../block-log/edit-reader.ts';
import { blobFileAddition, blobFileGarbage, walAddition } from './edit-parts.ts';
import { newFile } from './new-file.ts';
import { subcompactionProgress } from './progress.ts';
import { TYPE_NAMES_BY_TAG } from './tags.ts';

/**
 * kTagSafeIgnoreMask: who does not know a tag with this bit skips it, by the length that follows.
 */
const IGNORE_MASK = 1 << 13;

const TAGS: readonly [number, EditTag][] = [
  ...baseTags(Number.POSITIVE_INFINITY),
  [
    10,
    {
      op: 'min-log-number-to-keep',
      read: (r) => ({ minLogNumberToKeep: r.varint64('min_log_number_to_keep') }),
    },
  ],
  [100, { op: 'new-file', read: (r) => newFile(r, 2) }],
  [102, { op: 'new-file', read: (r) => newFile(r, 3) }],
  [103, { op: 'new-file', read: (r) => newFile(r, 4) }],
  [200, { op: 'column-family', read: (r) => ({ columnFamily: r.varint32('column_family') }) }],
  [201, { op: 'column-family-add', read: (r) => ({ name: r.string('name') }) }],
  [202, { op: 'column-family-drop', read: () => ({}) }],
  [
    203,
    {
      op: 'max-column-family',
      read: (r) => ({ maxColumnFamily: r.varint32('max_column_family') }),
    },
  ],
  [300, { op: 'in-atomic-group', read: (r) => ({ remaining: r.varint32('remaining') }) }],
  [400, { op: 'blob-file-addition', read: blobFileAddition }],
  [401, { op: 'blob-file-garbage', read: blobFileGarbage }],
  [IGNORE_MASK + 1, { op: 'db-id', read: (r) => ({ dbId: r.string('db_id') }) }],
  // Deprecated tags of the two above.
  [IGNORE_MASK + 2, { op: 'blob-file-addition', read: blobFileAddition }],
  [IGNORE_MASK + 3, { op: 'blob-file-garbage', read: blobFileGarbage }],
  [IGNORE_MASK + 4, { op: 'wal-addition', read: walAddition }],
  [IGNORE_MASK + 5, { op: 'wal-deletion', read: walDeletion }],
  [IGNORE_MASK + 6, { op: 'full-history-ts-low', read: fullHistoryTsLow }],
  // The same with a length in front, so that they can be skipped.
  [IGNORE_MASK + 7, { op: 'wal-addition', read: (r) => inside(r, 'wal_addition', walAddition) }],
  [IGNORE_MASK + 8, { op: 'wal-deletion', read: (r) => inside(r, 'wal_deletion', walDeletion) }],
  [IGNORE_MASK + 9, { op: 'persist-user-defined-timestamps', read: persistTimestamps }],
  [
    IGNORE_MASK + 10,
    {
      op: 'subcompaction-progress',
      read: (r) => inside(r, 'subcompaction_progress', subcompactionProgress),
    },
  ],
  [
    IGNORE_MASK + 11,
    {
      op: 'last-compacted-manifest-file-size',
      read: (r) => inside(r, 'field', (q) => ({ fileSize: q.varint64('file_size') })),
    },
  ],
];

export const ROCKSDB_EDIT: EditForms = {
  tags: new Map(TAGS),
  ignoreMask: IGNORE_MASK,
  types: TYPE_NAMES_BY_TAG,
};

/** A part with a length in front. */
function inside(
  r: EditReader,
  name: string,
  read: (r: EditReader) => Record<string, unknown>,
): Record<string, unknown> {
  let extra: Record<string, unknown> = {};
  r.nested(name, () => {
    extra = read(r);
  });
  return extra;
}

function walDeletion(r: EditReader): Record<string, unknown> {
  return { logNumber: r.varint64('log_number') };
}

function fullHistoryTsLow(r: EditReader): Record<string, unknown> {
  return { fullHistoryTsLow: r.hex('full_history_ts_low') };
}

function persistTimestamps(r: EditReader): Record<string, unknown> {
  return inside(r, 'field', (q) => ({
    persistUserDefinedTimestamps: q.byte('persist_user_defined_timestamps') === 1,
  }));
}
