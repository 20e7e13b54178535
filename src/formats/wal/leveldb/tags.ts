/** What LevelDB writes: the value types of db/dbformat.h, and the tags of db/version_edit.cc. */
import { type BatchForms, COUNTS, HAS_KEY, HAS_VALUE } from '../block-log/batch.ts';
import { baseTags, type EditForms } from '../block-log/edit.ts';

/** kTypeDeletion and kTypeValue. */
const DELETION = 0;
const VALUE = 1;
const NAMES = ['delete', 'put'] as const;
/** config::kNumLevels */
const LEVELS = 7;

function flags(): Uint8Array {
  const flags = new Uint8Array(256);
  flags[DELETION] = HAS_KEY | COUNTS;
  flags[VALUE] = HAS_KEY | HAS_VALUE | COUNTS;
  return flags;
}

export const LEVELDB_BATCH: BatchForms = {
  flags: flags(),
  names: NAMES,
  familyDefault: -1,
  foreign: {},
};

export const LEVELDB_EDIT: EditForms = {
  tags: new Map(baseTags(LEVELS)),
  ignoreMask: 0,
  types: NAMES,
};
