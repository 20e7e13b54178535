/** sstable compact and split: tables into new ones in a directory. */
import type { Limits } from '../formats/format.ts';
import {
  type CompactCounts,
  type CompactSink,
  checkMergeable,
  compactTables,
} from '../formats/sstable/compact.ts';
import type { EntryBlock } from '../formats/sstable/entry-block.ts';
import { keysOf } from '../formats/sstable/facts.ts';
import { type MergeInput, openInputs } from '../formats/sstable/merge.ts';
import type {
  TableDamage,
  TableDialect,
  TableOpened,
  TableWriter,
} from '../formats/sstable/model.ts';
import {
  holdsKey,
  type Pick,
  pickAll,
  pickLeveled,
  pickSizeTiered,
  type TableFacts,
} from '../formats/sstable/picks.ts';
import { type BufferedFile, NewDirectory } from '../io/new-directory.ts';
import { RealDisk } from '../io/real-disk.ts';
import { refuseSource } from '../io/same-place.ts';
import { usageError } from '../shared/errors.ts';
import type { DdiaCommand } from './base-command.ts';
import { openPath } from './open.ts';
import { watched } from './watched-set.ts';

export const STRATEGIES = ['all', 'size-tiered', 'leveled'] as const;
export type Strategy = (typeof STRATEGIES)[number];

export interface CompactFlags {
  out: string | undefined;
  dialect: string | undefined;
  strategy: Strategy;
  levels: readonly number[];
  bottommost: boolean;
  keepAll: boolean;
  fileBytes: number;
  blockBytes: number | undefined;
  compression: string | undefined;
  force: boolean;
  dryRun: boolean;
  limits: Limits;
}

export interface CompactReport {
  strategy: Strategy;
  why: string;
  level: number;
  picked: { file: string; bytes: number; level: number }[];
  left: { file: string; bytes: number; level: number }[];
  out?: string;
  files?: { file: string; bytes: number; entries: number }[];
  counts?: CompactCounts;
  bytesRead?: number;
  bytesWritten?: number;
  writeAmplification?: number;
  damage: { code: string; file: string; offset: number; message: string }[];
}

const DAMAGE_TOLD_MAX = 1000;
/** Files that are synced while the next is written. */
const FINISHING_MAX = 2;

export async function compactPaths(
  command: DdiaCommand,
  paths: readonly string[],
  output: TableDialect,
  flags: CompactFlags,
): Promise<CompactReport> {
  const opened: TableOpened[] = [];
  for (const path of paths) {
    const input = await openPath(command, path, 'sstable', flags.dialect);
    opened.push(input as unknown as TableOpened);
  }
  const context = command.reading(flags.limits);
  const inputs = await openInputs(watched(opened, context.progress), context, true);
  const damage: CompactReport['damage'] = [];
  const onDamage = ({ code, file, offset, message }: TableDamage): void => {
    if (damage.length < DAMAGE_TOLD_MAX) damage.push({ code, file, offset, message });
  };
  try {
    const facts = await factsOf(inputs, flags.levels, onDamage);
    const pick = pickBy(flags.strategy, facts);
    const chosen = new Set(pick.tables);
    const named = (i: number) => {
      const { name: file, bytes, level } = facts[i]!;
      return { file, bytes, level };
    };
    const report: CompactReport = {
      strategy: flags.strategy,
      why: pick.why,
      level: pick.level,
      picked: pick.tables.map(named),
      left: facts.flatMap((_, i) => (chosen.has(i) ? [] : [named(i)])),
      damage,
    };
    if (flags.dryRun || pick.tables.length === 0) return report;
    if (flags.out === undefined)
      throw usageError('usage', 'where to? --out DIR', '--dry-run shows the picks');
    for (const path of paths) refuseSource(flags.out, path);
    damage.length = 0;
    const merged = pick.tables.map((i) => inputs[i]!);
    const others = facts.filter((_, i) => !chosen.has(i));
    const older = (key: Uint8Array): boolean =>
      !flags.bottommost || others.some((table) => holdsKey(table, key));
    const done = await write(command, merged, output, older, flags, onDamage);
    const bytesRead = report.picked.reduce((sum, { bytes }) => sum + bytes, 0);
    const bytesWritten = done.files.reduce((sum, { bytes }) => sum + bytes, 0);
    const upper = Math.min(...report.picked.map(({ level }) => level));
    const moved = report.picked
      .filter(({ level }) => level === upper)
      .reduce((sum, { bytes }) => sum + bytes, 0);
    const writeAmplification = Math.round((100 * bytesWritten) / Math.max(1, moved)) / 100;
    return { ...report, out: flags.out, ...done, bytesRead, bytesWritten, writeAmplification };
  } finally {
    for (const { source } of inputs) source.close?.();
  }
}

async function factsOf(
  inputs: readonly MergeInput[],
  levels: readonly number[],
  onDamage: (damage: TableDamage) => void,
): Promise<TableFacts[]> {
  if (levels.length > 0 && levels.length !== inputs.length) {
    throw usageError('usage', `--levels has ${levels.length} numbers for ${inputs.length} tables`);
  }
  const facts: TableFacts[] = [];
  for (const [i, { source, table }] of inputs.entries()) {
    const keys = await keysOf(table, onDamage);
    facts.push({ name: source.name, bytes: source.size ?? 0, level: levels[i] ?? 0, ...keys });
  }
  return facts;
}

function pickBy(strategy: Strategy, facts: readonly TableFacts[]): Pick {
  if (strategy === 'size-tiered') return pickSizeTiered(facts);
  return strategy === 'leveled' ? pickLeveled(facts) : pickAll(facts);
}

async function write(
  command: DdiaCommand,
  inputs: readonly MergeInput[],
  output: TableDialect,
  olderElsewhere: (key: Uint8Array) => boolean,
  flags: CompactFlags,
  onDamage: (damage: TableDamage) => void,
): Promise<{ files: NonNullable<CompactReport['files']>; counts: CompactCounts }> {
  checkMergeable(inputs);
  const directory = new NewDirectory(new RealDisk(), flags.out!, flags.force);
  try {
    const roll = new RollingWriter(directory, output, flags);
    const options = { keepAll: flags.keepAll, olderElsewhere };
    const counts = await compactTables(inputs, options, roll, onDamage, command.signal);
    await roll.finish();
    directory.finish();
    return { files: roll.files, counts };
  } finally {
    directory.abandon();
  }
}

/** Begins a new file when one is full, never between two entries of a key. */
class RollingWriter implements CompactSink {
  readonly files: { file: string; bytes: number; entries: number }[] = [];
  #writer: TableWriter | undefined;
  #file: BufferedFile | undefined;
  #name = '';
  /** Files that are being synced. */
  readonly #finishing: Promise<void>[] = [];

  constructor(
    readonly directory: NewDirectory,
    readonly dialect: TableDialect,
    readonly flags: CompactFlags,
  ) {}

  add(block: EntryBlock, index: number): void {
    this.#writer ??= this.#begin();
    this.#writer.add(block, index);
  }

  keyEnds(): void {
    if (this.#writer && this.#writer.size >= this.flags.fileBytes) this.end();
  }

  end(): void {
    if (!this.#writer) return;
    const bytes = this.#writer.finish();
    this.files.push({ file: this.#name, bytes, entries: this.#writer.entries });
    const finished = this.#file!.finishBeside();
    // Told by whoever waits for it.
    finished.catch(() => {});
    this.#finishing.push(finished);
    this.#writer = undefined;
  }

  async ready(): Promise<void> {
    await this.#file?.ready();
    while (this.#finishing.length > FINISHING_MAX) await this.#finishing.shift();
  }

  async finish(): Promise<void> {
    this.end();
    await Promise.all(this.#finishing);
  }

  #begin(): TableWriter {
    const { blockBytes, compression } = this.flags;
    this.#name = this.dialect.encoder!.fileName(this.files.length + 1);
    const file = this.directory.createBeside(this.#name);
    this.#file = file;
    const target = {
      write: (bytes: Uint8Array, start: number, end: number) => file.write(bytes, start, end),
      patch: (offset: number, bytes: Uint8Array) => file.patch(offset, bytes),
    };
    return this.dialect.encoder!.open(target, { blockBytes, compression });
  }
}

export function compactText(report: CompactReport): string {
  const { strategy, why, picked, left, files, counts, out, damage } = report;
  const lines = [`${strategy}: ${why}`];
  for (const { file, bytes, level } of picked)
    lines.push(`  merge ${file}, level ${level}, ${bytes} bytes`);
  for (const { file, bytes, level } of left)
    lines.push(`  leave ${file}, level ${level}, ${bytes} bytes`);
  for (const { code, file, offset, message } of damage) {
    lines.push(`  read past: ${code} ${file} @ ${offset}: ${message}`);
  }
  if (!files || !counts) return lines.join('\n');
  lines.push(`→ ${out}`);
  for (const { file, bytes, entries } of files)
    lines.push(`  ${file}: ${entries} entries, ${bytes} bytes`);
  lines.push(
    `${counts.entriesRead} entries read, ${counts.entriesWritten} written: ${counts.shadowed} older ones and ` +
      `${counts.deletionsDropped} deletions dropped; ${report.bytesWritten} bytes written for ${report.bytesRead} read, ` +
      `write amplification ${report.writeAmplification}`,
  );
  return lines.join('\n');
}
