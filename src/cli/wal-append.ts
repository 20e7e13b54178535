/** wal append: lines of standard input into a log, many in flight so that they share syncs. */

import type { SyncMode } from '../engines/sync-mode.ts';
import type { WriteAheadLog } from '../engines/wal/log.ts';
import { parseOperationLine, type WalLine } from '../formats/wal/operations.ts';
import { readLines } from '../io/lines.ts';
import { DdiaError } from '../shared/errors.ts';
import { count } from '../ui/count.ts';
import type { DdiaCommand } from './base-command.ts';
import { withLog } from './wal-engine.ts';
import { throwInLine } from './writable.ts';

export interface AppendFlags {
  sync: SyncMode;
  batchEvery: number;
  segmentBytes: number | undefined;
  seqs: boolean;
}

export interface AppendResult {
  dir: string;
  appended: number;
  firstSeq: number;
  lastSeq: number;
  recovered: readonly string[];
}

export async function appendLines(
  command: DdiaCommand,
  dir: string,
  flags: AppendFlags,
): Promise<AppendResult> {
  const { sync, batchEvery, segmentBytes } = flags;
  const options = { sync, batchEvery, ...(segmentBytes !== undefined && { segmentBytes }) };
  return withLog(dir, options, async (log) => {
    const result: AppendResult = {
      dir,
      appended: 0,
      firstSeq: 0,
      lastSeq: 0,
      recovered: log.recovered,
    };
    let inFlight: Promise<void>[] = [];
    const accept = async (line: WalLine, number: number): Promise<void> => {
      const seq = await send(log, line).catch((error) => throwInLine(number, error));
      const last = seq + line.operations.length - 1;
      result.firstSeq ||= seq;
      result.lastSeq = Math.max(result.lastSeq, last);
      result.appended += line.operations.length;
      if (flags.seqs) command.out.text(`${seq}\n`);
    };
    try {
      await readLines(
        0,
        (line, number) => {
          const parsed = parseOperationLine(line, number);
          if (parsed) inFlight.push(accept(parsed, number));
        },
        command.signal,
        async () => {
          // Lines that came together share a write and a sync; then the next ones are read.
          const sent = inFlight;
          inFlight = [];
          await Promise.all(sent);
          command.out.flush();
        },
      );
    } catch (error) {
      await Promise.allSettled(inFlight);
      const { appended, lastSeq } = result;
      const kept =
        appended > 0
          ? `${count(appended, 'operation')} before it ${appended === 1 ? 'is' : 'are'} in the log, up to seq ${lastSeq}`
          : undefined;
      if (error instanceof DdiaError && kept) {
        throw new DdiaError(error.code, error.message, kept, error.exit);
      }
      throw error;
    }
    return result;
  });
}

function send(log: WriteAheadLog, line: WalLine): Promise<number> {
  const { operations } = line;
  if (operations.length > 1 || line.batch) {
    return log.batch(operations.filter(({ op }) => op !== 'commit'));
  }
  const only = operations[0]!;
  return only.op === 'checkpoint' ? log.checkpoint() : log.append(only);
}
