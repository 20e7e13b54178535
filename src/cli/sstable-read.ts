/** sstable get and scan: by index, over one table or the tables of a directory. */

import type { Identified } from '../formats/detect.ts';
import type { Limits, RecordSink } from '../formats/format.ts';
import { EntryPrinter } from '../formats/sstable/entry-printer.ts';
import { lookUp } from '../formats/sstable/look-up.ts';
import { MergedTables } from '../formats/sstable/merge.ts';
import { findingOf, type TableDamage, type TableOpened } from '../formats/sstable/model.ts';
import { narrower, prefixRange } from '../formats/sstable/range.ts';
import { EXIT } from '../shared/errors.ts';
import { turn } from '../shared/turns.ts';
import type { BytesFormats } from '../ui/bytes-format.ts';
import { JsonSink } from '../ui/json-sink.ts';
import { TextSink } from '../ui/text-sink.ts';
import type { DdiaCommand } from './base-command.ts';
import { parseBytes } from './bytes-argument.ts';
import { watched } from './watched-set.ts';

interface Shown {
  json: boolean;
  formats: BytesFormats;
  limits: Limits;
}

export interface GetFlags extends Shown {
  all: boolean;
}

export interface ScanFlags extends Shown {
  from: string | undefined;
  to: string | undefined;
  prefix: string | undefined;
  skip: number;
  limit: number | undefined;
  reverse: boolean;
}

function sinkOf(command: DdiaCommand, { json, formats }: Shown): RecordSink {
  return json ? new JsonSink(command.out, formats) : new TextSink(command.out, formats);
}

/** Damage on the way goes to stderr, each place once. */
class DamageTold {
  readonly #told = new Set<string>();

  get any(): boolean {
    return this.#told.size > 0;
  }

  readonly tell = (damage: TableDamage): void => {
    const { severity, code, file, offset, length, message } = findingOf(damage);
    const line = `${severity}: ${code} ${file} @ ${offset} +${length}: ${message}\n`;
    if (this.#told.has(line)) return;
    this.#told.add(line);
    process.stderr.write(line);
  };
}

/** Prints what is found; false where that is nothing or a deletion. */
export async function getEntry(
  command: DdiaCommand,
  input: Identified,
  /** As it was given. */
  key: string,
  flags: GetFlags,
): Promise<boolean> {
  const opened = input as unknown as TableOpened;
  const damage = new DamageTold();
  const context = command.reading(flags.limits);
  const found = await lookUp(opened, parseBytes(key), flags.all, context, damage.tell);
  const sink = sinkOf(command, flags);
  const printer = new EntryPrinter(sink, opened.dialect.hasSeq);
  for (const { block } of found.entries) {
    printer.begin(block);
    printer.entry(block, 0);
  }
  command.out.flush();
  for (const notice of found.notices) process.stderr.write(`${notice}\n`);
  if (found.entries.length === 0) {
    process.stderr.write(`${input.set.path}: no key ${JSON.stringify(key)}\n`);
  }
  return found.live;
}

/** Entries between two looks at the signal. */
const ENTRIES_A_TURN = 8192;

/** Prints the entries of a range; returns the exit code. */
export async function scanRange(
  command: DdiaCommand,
  input: Identified,
  flags: ScanFlags,
): Promise<number> {
  const opened = input as unknown as TableOpened;
  const damage = new DamageTold();
  const context = command.reading(flags.limits);
  const bound = (text: string | undefined) => (text === undefined ? undefined : parseBytes(text));
  const given = { from: bound(flags.from), to: bound(flags.to) };
  const prefix = bound(flags.prefix);
  const range = prefix ? narrower(given, prefixRange(prefix)) : given;
  const [read] = watched([opened], context.progress);
  const merged = await MergedTables.open(read!, range, flags.reverse, context, damage.tell);
  try {
    const printer = new EntryPrinter(sinkOf(command, flags), opened.dialect.hasSeq);
    const limit = flags.limit ?? Number.POSITIVE_INFINITY;
    for (let n = 0; n < flags.skip + limit; n++) {
      const cursor = merged.ready() ?? (await merged.next());
      if (!cursor) break;
      if (n % ENTRIES_A_TURN === 0) await turn(context);
      if (n >= flags.skip) printer.entry(cursor.block, cursor.index);
    }
  } finally {
    merged.close();
  }
  command.out.flush();
  return damage.any ? EXIT.damage : EXIT.ok;
}
