/** wal write: from lines on standard input to a directory of segments. */
import { wal } from '../formats/wal/index.ts';
import type { WalDialect } from '../formats/wal/model.ts';
import { parseOperationLine } from '../formats/wal/operations.ts';
import { SegmentWriter } from '../formats/wal/write.ts';
import { readLines } from '../io/lines.ts';
import { type BufferedFile, NewDirectory } from '../io/new-directory.ts';
import { RealDisk } from '../io/real-disk.ts';
import { DdiaError, usageError } from '../shared/errors.ts';
import type { DdiaCommand } from './base-command.ts';
import { knownFamilies } from './plugins.ts';

export interface WriteFlags {
  dialect: string;
  segmentBytes: number | undefined;
  keepSeq: boolean;
  firstSeq: string;
  force: boolean;
}

export interface WriteResult {
  dir: string;
  dialect: string;
  records: number;
  segments: number;
  bytes: number;
}

export async function writeLog(
  command: DdiaCommand,
  dir: string,
  flags: WriteFlags,
): Promise<WriteResult> {
  const dialect = await writableDialect(command, flags.dialect);
  const directory = new NewDirectory(new RealDisk(), dir, flags.force);
  try {
    let file: BufferedFile | undefined;
    const writer = new SegmentWriter(
      dialect,
      {
        segmentBytes: flags.segmentBytes ?? dialect.encoder!.segmentBytesDefault,
        keepSeq: flags.keepSeq,
        firstSeq: parseSeq(flags.firstSeq, '--first-seq'),
      },
      {
        begin: (name) => {
          file = directory.create(name);
        },
        write: (bytes) => file!.write(bytes),
        finish: () => file!.finish(),
      },
    );
    await readLines(
      0,
      (line, number) => {
        const parsed = parseOperationLine(line, number);
        if (parsed) inLine(number, () => writer.line(parsed));
      },
      command.signal,
    );
    writer.end();
    directory.finish();
    const { records, segments, bytes } = writer;
    return { dir, dialect: dialect.id, records, segments, bytes };
  } finally {
    directory.abandon();
  }
}

async function writableDialect(command: DdiaCommand, id: string): Promise<WalDialect> {
  const families = await knownFamilies(command.config, id);
  const family = families.find((one) => one.id === wal.id);
  const dialects = (family?.dialects ?? []) as readonly WalDialect[];
  const dialect = dialects.find((one) => one.id === id || `wal/${one.id}` === id);
  if (dialect?.encoder) return dialect;
  const writable = dialects.filter((one) => one.encoder).map((one) => one.id);
  throw usageError(
    dialect ? 'not-writable' : 'unknown-dialect',
    dialect ? `dialect ${id} is read, not written` : `unknown dialect: ${id}`,
    `can be written: ${writable.join(', ')}`,
  );
}

/** An unsigned 64-bit integer from the command line. */
export function parseSeq(text: string, flag: string): bigint {
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 1n << 64n) {
    throw usageError('bad-seq', `${flag} must be an integer from 0 to 2^64 - 1, not ${text}`);
  }
  return BigInt(text);
}

/** Errors of an operation name its line. */
function inLine(number: number, act: () => void): void {
  try {
    act();
  } catch (error) {
    throwInLine(number, error);
  }
}

export function throwInLine(number: number, error: unknown): never {
  if (!(error instanceof DdiaError) || error.message.startsWith('line ')) throw error;
  throw new DdiaError(error.code, `line ${number}: ${error.message}`, error.hint, error.exit);
}
