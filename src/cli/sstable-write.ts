/** sstable write: from lines on standard input to a table. */
import { compareEntries, EntryCopy } from '../formats/sstable/entry-copy.ts';
import { tableDialects } from '../formats/sstable/index.ts';
import { parseEntryLine } from '../formats/sstable/lines.ts';
import type { TableDialect, TableTarget } from '../formats/sstable/model.ts';
import { DurableWriter } from '../io/durable.ts';
import { readLines } from '../io/lines.ts';
import { RealDisk } from '../io/real-disk.ts';
import { DdiaError, usageError } from '../shared/errors.ts';
import type { DdiaCommand } from './base-command.ts';
import { throwInLine } from './writable.ts';

export interface TableWriteFlags {
  dialect: string;
  sort: boolean;
  indexEvery: number | undefined;
  blockBytes: number | undefined;
  force: boolean;
}

export interface TableWriteResult {
  file: string;
  dialect: string;
  entries: number;
  bytes: number;
}

/** What --sort holds in memory. */
const SORT_BYTES_MAX = 1024 * 1024 * 1024;

export function writableTable(id: string): TableDialect {
  const dialect = tableDialects.find((one) => one.id === id || `sstable/${one.id}` === id);
  if (dialect?.encoder) return dialect;
  const writable = tableDialects.filter((one) => one.encoder).map((one) => one.id);
  throw usageError(
    dialect ? 'not-writable' : 'unknown-dialect',
    dialect ? `dialect ${id} is read, not written` : `unknown dialect: ${id}`,
    `can be written: ${writable.join(', ')}`,
  );
}

/** A durable file as a table's target. */
export function tableTarget(file: DurableWriter): TableTarget {
  return {
    write: (bytes, start, end) => file.append(bytes, start, end),
    patch: (offset, bytes) => file.patch(offset, bytes),
  };
}

export async function writeTable(
  command: DdiaCommand,
  path: string,
  flags: TableWriteFlags,
): Promise<TableWriteResult> {
  const dialect = writableTable(flags.dialect);
  const file = DurableWriter.create(new RealDisk(), path, { overwrite: flags.force });
  try {
    const { indexEvery, blockBytes } = flags;
    const writer = dialect.encoder!.open(tableTarget(file), { indexEvery, blockBytes });
    const held: { copy: EntryCopy; line: number }[] = [];
    let bytes = 0;
    const one = new EntryCopy();
    await readLines(
      0,
      (line, number) => {
        const entry = parseEntryLine(line, number);
        if (!entry) return;
        if (!flags.sort) {
          inLine(number, () => writer.add(one.set(entry).block, 0));
          return;
        }
        const copy = new EntryCopy().set(entry);
        bytes += copy.bytes + 200;
        if (bytes > SORT_BYTES_MAX) {
          throw new DdiaError(
            'too-large',
            `--sort holds at most ${SORT_BYTES_MAX} bytes in memory`,
          );
        }
        held.push({ copy, line: number });
      },
      command.signal,
    );
    held.sort((a, b) => compareEntries(a.copy.block, 0, b.copy.block, 0));
    for (const { copy, line } of held) inLine(line, () => writer.add(copy.block, 0));
    const size = writer.finish();
    file.finish();
    return { file: path, dialect: dialect.id, entries: writer.entries, bytes: size };
  } finally {
    file.abort();
  }
}

function inLine(number: number, act: () => void): void {
  try {
    act();
  } catch (error) {
    throwInLine(number, error);
  }
}
