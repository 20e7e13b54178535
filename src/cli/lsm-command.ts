/** What the commands share that read a whole store of levels: ours, LevelDB's, RocksDB's. */
import { join } from 'node:path';
import { Flags } from '@oclif/core';
import type { ScanContext } from '../formats/format.ts';
import { LOG_BYTES_MAX } from '../formats/lsm/logs.ts';
import { type ColumnFamily, type Database, SOFTWARE, type Software } from '../formats/lsm/model.ts';
import { familyByName, openDatabase, softwareOf } from '../formats/lsm/open.ts';
import { openFileSet } from '../io/file-set.ts';
import { lockOwner } from '../io/lock-file.ts';
import { RealDisk } from '../io/real-disk.ts';
import { DdiaError, usageError } from '../shared/errors.ts';
import { type DdiaCommand, limitFlags, limitsOf } from './base-command.ts';
import { watched } from './watched-set.ts';

export const readingFlags = {
  dialect: Flags.option({ options: SOFTWARE })({
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
  description: 'column family, of RocksDB [default: default]',
});

export interface Given {
  dialect?: Software | undefined;
  'column-family'?: string | undefined;
  'max-log-bytes': number;
  'max-record-bytes': number;
  'max-findings': number;
  quick?: boolean;
}

export function contextOf(command: DdiaCommand, flags: Given): ScanContext {
  return {
    ...command.reading(limitsOf(flags)),
    quick: flags.quick,
    options: { 'max-log-bytes': flags['max-log-bytes'] },
  };
}

/**
 * Opens a directory for reading: nothing in it is touched. A store of ours that a process is
 * writing to is refused, since its files change while they are read.
 */
export async function openGiven(
  dir: string,
  flags: Given,
  context: ScanContext,
): Promise<Database> {
  const set = openFileSet(dir);
  const software = flags.dialect ?? (await softwareOf(set));
  if (software !== 'rocksdb' && flags['column-family'] !== undefined) {
    const whose = software === 'v2' ? 'a store of ours' : 'a LevelDB directory';
    throw usageError('usage', `--column-family: ${dir} is ${whose}, which has none`);
  }
  if (software === 'v2' && set.isDirectory) refuseWritten(dir);
  const [seen] = watched([{ set, files: set.files }], context.progress);
  return openDatabase(seen!.set, software, context);
}

export function refuseWritten(dir: string): void {
  const lock = join(dir, 'LOCK');
  const pid = lockOwner(new RealDisk(), lock);
  if (pid === undefined) return;
  const hint = `its files change while they are read: close it there first. The lock is ${lock}`;
  throw new DdiaError('locked', `${dir} is in use by process ${pid}`, hint);
}

export function familyGiven(database: Database, flags: Given): ColumnFamily {
  return familyByName(database, flags['column-family'] ?? 'default');
}
