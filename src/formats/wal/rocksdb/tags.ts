/** The value types of RocksDB (db/dbformat.h): what a write batch holds, field by field. */
import {
  type BatchForms,
  COUNTS,
  HAS_FAMILY,
  HAS_KEY,
  HAS_VALUE,
  KNOWN,
  SWAPPED,
  TIMED,
} from '../block-log/batch.ts';

const PAIR = HAS_KEY | HAS_VALUE | COUNTS;
const LONE_KEY = HAS_KEY | COUNTS;

/**
 * Tag, name, fields. An operation on another column family than the default one has a tag of its
 * own. Transaction marks have the transaction's name as key; the value of delete-range is the end
 * of the range, exclusive, that of log-data the blob. Values of blob-index and put-entity are in
 * the encoded form that the batch holds.
 */
const TABLE: readonly (readonly [tag: number, name: string, flags: number])[] = [
  [0x00, 'delete', LONE_KEY],
  [0x01, 'put', PAIR],
  [0x02, 'merge', PAIR],
  [0x03, 'log-data', HAS_VALUE],
  [0x04, 'delete', LONE_KEY | HAS_FAMILY],
  [0x05, 'put', PAIR | HAS_FAMILY],
  [0x06, 'merge', PAIR | HAS_FAMILY],
  [0x07, 'single-delete', LONE_KEY],
  [0x08, 'single-delete', LONE_KEY | HAS_FAMILY],
  [0x09, 'begin-prepare', KNOWN],
  [0x0a, 'end-prepare', HAS_KEY],
  [0x0b, 'commit-xid', HAS_KEY],
  [0x0c, 'rollback-xid', HAS_KEY],
  [0x0d, 'noop', KNOWN],
  [0x0e, 'delete-range', PAIR | HAS_FAMILY],
  [0x0f, 'delete-range', PAIR],
  [0x10, 'blob-index', PAIR | HAS_FAMILY],
  [0x11, 'blob-index', PAIR],
  [0x12, 'begin-persisted-prepare', KNOWN],
  [0x13, 'begin-unprepare', KNOWN],
  // The commit timestamp stands before the name.
  [0x15, 'commit-xid-timestamp', HAS_KEY | HAS_VALUE | SWAPPED],
  [0x16, 'put-entity', PAIR],
  [0x17, 'put-entity', PAIR | HAS_FAMILY],
  [0x18, 'timed-put', PAIR | TIMED],
  [0x19, 'timed-put', PAIR | HAS_FAMILY | TIMED],
];

/** kTypeDeletionWithTimestamp: of memtables and tables; RocksDB, too, refuses it in a batch. */
const DELETION_WITH_TIMESTAMP = 0x14;

function namesByTag(): string[] {
  const names: string[] = [];
  for (const [tag, name] of TABLE) names[tag] = name;
  names[DELETION_WITH_TIMESTAMP] = 'delete-with-timestamp';
  return names;
}

function flagsByTag(): Uint8Array {
  const flags = new Uint8Array(256);
  for (const [tag, , bits] of TABLE) flags[tag] = bits;
  return flags;
}

/** Names by value type, for batches and for internal keys. */
export const TYPE_NAMES_BY_TAG: readonly string[] = namesByTag();

export const ROCKSDB_BATCH: BatchForms = {
  flags: flagsByTag(),
  names: TYPE_NAMES_BY_TAG,
  familyDefault: 0,
  foreign: { [DELETION_WITH_TIMESTAMP]: 'delete-with-timestamp' },
};
