/** bitcask write: from lines on standard input to the files of a store. */
import { bitcask } from '../formats/bitcask/index.ts';
import { LineWriter } from '../formats/bitcask/line-writer.ts';
import { parseRecordLine } from '../formats/bitcask/lines.ts';
import type { BitcaskDialect } from '../formats/bitcask/model.ts';
import { StoreWriter } from '../formats/bitcask/write.ts';
import { readLines } from '../io/lines.ts';
import { NewDirectory } from '../io/new-directory.ts';
import { RealDisk } from '../io/real-disk.ts';
import { usageError } from '../shared/errors.ts';
import type { DdiaCommand } from './base-command.ts';
import { directoryOutput } from './directory-output.ts';
import { newStoreId } from './store-id.ts';
import { inLine, writableDialect } from './writable.ts';

export interface StoreWriteFlags {
  dialect: string;
  fileBytes: number | undefined;
  timestamp: string | undefined;
  force: boolean;
}

export interface StoreWriteReport {
  out: string;
  dialect: string;
  records: number;
  files: number;
  hints: number;
  bytes: number;
}

export async function writeStore(
  command: DdiaCommand,
  out: string,
  flags: StoreWriteFlags,
): Promise<StoreWriteReport> {
  const dialect = await writableDialect<BitcaskDialect>(command, bitcask.id, flags.dialect);
  const timestamp = timestampOf(flags.timestamp);
  const directory = new NewDirectory(new RealDisk(), out, flags.force);
  try {
    const { fileBytes } = flags;
    const options = { fileBytes, merged: false, storeId: newStoreId() };
    const writer = new StoreWriter(dialect, options, directoryOutput(directory));
    const lines = new LineWriter(dialect, writer, fileBytes === undefined);
    await readLines(
      0,
      (line, number) => {
        const parsed = parseRecordLine(line, number, { timestamp });
        if (parsed) inLine(number, () => lines.line(parsed));
      },
      command.signal,
    );
    writer.end();
    directory.finish();
    const { records, files, hints, bytes } = writer;
    return { out, dialect: dialect.id, records, files, hints, bytes };
  } finally {
    directory.abandon();
  }
}

/** Seconds since the epoch. */
export function timestampOf(text: string | undefined): number {
  if (text === undefined) return Date.now() / 1000;
  const seconds = Number(text);
  if (/^\d+(?:\.\d+)?$/.test(text) && Number.isFinite(seconds)) return seconds;
  throw usageError('bad-number', `--timestamp must be seconds since 1970, not ${text}`);
}
