/** ddia db: whole directories of LevelDB and RocksDB, read only. */
import { Args, Flags } from '@oclif/core';
import { LOG_BYTES_MAX } from '../formats/database/logs.ts';
import type { Database, Software } from '../formats/database/model.ts';
import { openDatabase } from '../formats/database/open.ts';
import type { ScanContext } from '../formats/format.ts';
import { openFileSet } from '../io/file-set.ts';
import { type DdiaCommand, limitFlags, limitsOf } from './base-command.ts';

export const databaseArg = {
  path: Args.string({
    ignoreStdin: true,
    description: 'directory of the database',
    required: true,
  }),
};

export const databaseFlags = {
  dialect: Flags.option({ options: ['leveldb', 'rocksdb'] as const })({
    description: 'take the directory for one of this software',
  }),
  'max-log-bytes': Flags.integer({
    description: 'bytes of keys and values of the logs that are held in memory',
    default: LOG_BYTES_MAX,
    min: 1,
    helpGroup: 'LIMIT',
  }),
  ...limitFlags,
};

export const familyFlag = Flags.string({
  description: 'column family',
  default: 'default',
});

interface Given {
  dialect?: Software | undefined;
  'max-log-bytes': number;
  'max-record-bytes': number;
  'max-findings': number;
  quick?: boolean;
}

export function contextOf(command: DdiaCommand, flags: Given): ScanContext {
  return {
    limits: limitsOf(flags),
    signal: command.signal,
    quick: flags.quick,
    options: { 'max-log-bytes': flags['max-log-bytes'] },
  };
}

export function openGiven(path: string, flags: Given, context: ScanContext): Promise<Database> {
  return openDatabase(openFileSet(path), flags.dialect, context);
}
