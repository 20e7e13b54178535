/** What the commands that write to a log share: opening it, and what is said of it. */
import { type LogStatus, WriteAheadLog } from '../engines/wal/log.ts';
import type { WalOptions } from '../engines/wal/options.ts';
import { RealDisk } from '../io/real-disk.ts';

/** Opens the log in `directory` on the real disk, does `act`, and closes it whatever happens. */
export async function withLog<Result>(
  directory: string,
  options: WalOptions,
  act: (log: WriteAheadLog) => Promise<Result>,
): Promise<Result> {
  const log = await WriteAheadLog.open(new RealDisk(), directory, options);
  for (const line of log.recovered) process.stderr.write(`recovered: ${line}\n`);
  let result: Result;
  try {
    result = await act(log);
  } catch (error) {
    await log.close().catch(() => {}); // what went wrong first is what is told
    throw error;
  }
  await log.close();
  return result;
}

export function statusFields({ lastSeq, nextSeq, segment }: LogStatus): Record<string, number> {
  return { lastSeq, nextSeq, segment };
}
