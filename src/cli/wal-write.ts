/** wal write: from lines on standard input to a directory of segments. */
import { wal } from '../formats/wal/index.ts';
import type { WalDialect } from '../formats/wal/model.ts';
import { parseOperationLine } from '../formats/wal/operations.ts';
import { SegmentWriter } from '../formats/wal/write.ts';
import { readLines } from '../io/lines.ts';
import { NewDirectory } from '../io/new-directory.ts';
import { RealDisk } from '../io/real-disk.ts';
import { usageError } from '../shared/errors.ts';
import type { DdiaCommand } from './base-command.ts';
import { directoryOutput } from './directory-output.ts';
import { inLine, writableDialect } from './writable.ts';

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
  const dialect = await writableDialect<WalDialect>(command, wal.id, flags.dialect);
  const directory = new NewDirectory(new RealDisk(), dir, flags.force);
  try {
    const writer = new SegmentWriter(
      dialect,
      {
        segmentBytes: flags.segmentBytes ?? dialect.encoder!.segmentBytesDefault,
        keepSeq: flags.keepSeq,
        firstSeq: parseSeq(flags.firstSeq, '--first-seq'),
      },
      directoryOutput(directory),
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

/** An unsigned 64-bit integer from the command line. */
export function parseSeq(text: string, flag: string): bigint {
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 1n << 64n) {
    throw usageError('bad-seq', `${flag} must be an integer from 0 to 2^64 - 1, not ${text}`);
  }
  return BigInt(text);
}
