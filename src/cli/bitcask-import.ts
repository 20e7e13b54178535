/** bitcask import: lines of standard input into a store, many under way to share syncs. */
import type { Operation } from '../engines/bitcask/operation.ts';
import type { BitcaskStore } from '../engines/bitcask/store.ts';
import type { TextbookStore } from '../engines/bitcask/textbook.ts';
import type { SyncMode } from '../engines/sync-mode.ts';
import { parseRecordLine, type RecordLine } from '../formats/bitcask/lines.ts';
import { readLines } from '../io/lines.ts';
import { DdiaError } from '../shared/errors.ts';
import type { DdiaCommand } from './base-command.ts';
import { storeDialect, withStore, withTextbook } from './bitcask-engine.ts';
import { throwInLine, withKept } from './writable.ts';

export interface ImportFlags {
  dialect: string | undefined;
  sync: SyncMode;
  fileBytes: number | undefined;
}

export interface ImportResult {
  dir: string;
  dialect: string;
  puts: number;
  deletions: number;
}

export async function importLines(
  command: DdiaCommand,
  dir: string,
  flags: ImportFlags,
): Promise<ImportResult> {
  const dialect = await storeDialect(command, dir, flags.dialect);
  const result: ImportResult = { dir, dialect: dialect.id, puts: 0, deletions: 0 };
  const { fileBytes, sync } = flags;
  if (dialect.id === 'v2') {
    const options = { sync, ...(fileBytes !== undefined && { fileBytes }) };
    await withStore(command, dir, options, async (store) => {
      await intoStore(command, store, result);
      await store.idle(); // whoever opens it next has hints to read
    });
  } else {
    await withTextbook(dir, dialect, fileBytes, (store) => intoTextbook(command, store, result));
  }
  return result;
}

const now = { timestamp: Number.NaN };

async function intoStore(
  command: DdiaCommand,
  store: BitcaskStore,
  result: ImportResult,
): Promise<void> {
  let underWay: Promise<void>[] = [];
  const send = async ({ puts }: RecordLine, number: number): Promise<void> => {
    const operations = puts.map(({ key, value, timestamp, expires }): Operation => {
      const known = Number.isNaN(timestamp) ? {} : { timestamp };
      return { key, value, expires, ...known };
    });
    try {
      if (operations.length === 1 && operations[0]!.value === undefined) {
        await store.delete(operations[0]!.key);
      } else if (operations.length === 1) {
        await store.put(operations[0]!.key, operations[0]!.value!, operations[0]!);
      } else await store.batch(operations);
    } catch (error) {
      throwInLine(number, error);
    }
    tally(result, puts);
  };
  try {
    await readLines(
      0,
      (line, number) => {
        const parsed = parseRecordLine(line, number, now);
        if (parsed) underWay.push(send(parsed, number));
      },
      command.signal,
      async () => {
        const sent = underWay;
        underWay = [];
        await Promise.all(sent);
      },
    );
  } catch (error) {
    await Promise.allSettled(underWay);
    throw withKept(error, result.puts + result.deletions);
  }
}

async function intoTextbook(
  command: DdiaCommand,
  store: TextbookStore,
  result: ImportResult,
): Promise<void> {
  const take = (line: Buffer, number: number): void => {
    const parsed = parseRecordLine(line, number, now);
    for (const { key, value, timestamp, expires } of parsed?.puts ?? []) {
      try {
        if (expires !== 0) throw new DdiaError('not-storable', 'this layout has no expiry');
        store.write(key, value, Number.isNaN(timestamp) ? {} : { timestamp });
      } catch (error) {
        throwInLine(number, error);
      }
    }
    if (parsed) tally(result, parsed.puts);
  };
  await readLines(0, take, command.signal).catch((error: unknown) => {
    throw withKept(error, result.puts + result.deletions);
  });
}

function tally(result: ImportResult, puts: RecordLine['puts']): void {
  for (const { value } of puts) {
    if (value === undefined) result.deletions++;
    else result.puts++;
  }
}
