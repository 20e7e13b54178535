/** What the log has and no table does goes into memory when a store is opened. */
import { join } from 'node:path';
import { fromLog } from '../../formats/lsm/log-operation.ts';
import type { Disk } from '../../io/disk.ts';
import { DdiaError } from '../../shared/errors.ts';
import { WriteAheadLog } from '../wal/log.ts';
import type { WalOptions } from '../wal/options.ts';
import { type Catalog, LOG_DIRECTORY } from './catalog.ts';
import { Memtable } from './memtable.ts';
import type { ResolvedOptions } from './options.ts';

/** The log below a store. What is wrong with it is to be looked at from the store. */
export async function openLog(
  disk: Disk,
  directory: string,
  options: WalOptions,
): Promise<WriteAheadLog> {
  try {
    return await WriteAheadLog.open(disk, join(directory, LOG_DIRECTORY), options);
  } catch (error) {
    if (!(error instanceof DdiaError) || error.code !== 'corrupt') throw error;
    throw new DdiaError('corrupt', error.message, hintFor(directory));
  }
}

function hintFor(directory: string): string {
  return `look: ddia lsm verify ${directory}; then ddia lsm repair ${directory} --out NEW`;
}

/** Memtables from older to newer; the last one is to be written on. Throws `corrupt`. */
export async function replay(
  { manifest, directory }: Catalog,
  log: WriteAheadLog,
  { memtableBytes }: Pick<ResolvedOptions, 'memtableBytes'>,
): Promise<{ memtables: Memtable[]; lastSeq: number }> {
  const { flushedSeq } = manifest;
  const { currentSeq, truncatedSeq } = log;
  // A table is written of what the log has synced, and only then is the log let go up to there.
  if (currentSeq < flushedSeq || truncatedSeq > flushedSeq) {
    const reach =
      currentSeq < flushedSeq ? `ends at seq ${currentSeq}` : `begins behind seq ${truncatedSeq}`;
    const gap = `the log ${reach}, the tables hold numbers up to ${flushedSeq}`;
    const message = `${directory}: ${gap}: it is not the log of these tables`;
    throw new DdiaError('corrupt', message, hintFor(directory));
  }
  let memtable = new Memtable();
  const memtables = [memtable];
  const replayed = await log.replay(flushedSeq, (record) => {
    // One without an entry has no number up to which the log could be let go.
    if (!memtable.empty && memtable.bytes >= memtableBytes) {
      memtable = new Memtable();
      memtables.push(memtable);
    }
    fromLog(record, (...parts) => memtable.addSpan(...parts));
  });
  if (replayed.end) {
    const { file, offset, message } = replayed.end;
    const what = `${directory}: log ${file} @ ${offset}: ${message}`;
    throw new DdiaError('corrupt', what, hintFor(directory));
  }
  return { memtables, lastSeq: Math.max(flushedSeq, log.currentSeq) };
}
