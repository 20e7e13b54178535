/** bitcask hint dump, check and build. */
import * as path from 'node:path';
import { dumpHints } from '../formats/bitcask/dump.ts';
import { storeFiles } from '../formats/bitcask/files.ts';
import { planHintBuild } from '../formats/bitcask/hint-build.ts';
import { bitcaskContext } from '../formats/bitcask/index.ts';
import type { BitcaskOpened } from '../formats/bitcask/model.ts';
import { verifyStore } from '../formats/bitcask/verify.ts';
import type { Identified } from '../formats/detect.ts';
import type {
  DumpOptions,
  DumpResult,
  Finding,
  RecordSink,
  ScanContext,
  VerifyResult,
} from '../formats/format.ts';
import { DdiaError } from '../shared/errors.ts';
import { colors } from '../ui/color.ts';
import { count } from '../ui/count.ts';
import { printable } from '../ui/text-sink.ts';
import { findingLines } from '../ui/verify-report.ts';
import { applyRepair, type RepairTarget } from './repair.ts';

/** The entries of the hint file that is given, or of all those in a directory. */
export async function dumpHintsOf(
  input: Identified,
  options: DumpOptions,
  context: ScanContext,
  sink: RecordSink,
  onDamage: (finding: Finding) => void,
): Promise<DumpResult> {
  const opened = input as unknown as BitcaskOpened;
  const { hints } = storeFiles(opened);
  const given = opened.set.path;
  if (hints.length === 0 && given === '-') {
    return dumpHints(
      opened,
      opened.files,
      options,
      bitcaskContext(opened, context),
      sink,
      onDamage,
    );
  }
  if (hints.length === 0) {
    throw new DdiaError('no-hints', `${given}: no hint file`, `ddia bitcask hint build ${given}`);
  }
  return dumpHints(opened, hints, options, bitcaskContext(opened, context), sink, onDamage);
}

export function checkHintsOf(input: Identified, context: ScanContext): Promise<VerifyResult> {
  const opened = input as unknown as BitcaskOpened;
  return verifyStore(opened, bitcaskContext(opened, context), true);
}

export interface HintBuildReport {
  path: string;
  dialect: string;
  out: string;
  /** Names of the hint files that were written. */
  built: string[];
  backups: string[];
  /** Damage of the data: hint files tell of what is intact. */
  damage: number;
  result: VerifyResult;
}

export async function buildHintsOf(
  input: Identified,
  options: { all: boolean },
  target: RepairTarget,
  context: ScanContext,
): Promise<HintBuildReport> {
  const opened = input as unknown as BitcaskOpened;
  const { plan, built, damage } = await planHintBuild(
    opened,
    options,
    bitcaskContext(opened, context),
  );
  const { set, dialect } = input;
  if (built.length === 0) {
    const result = await checkHintsOf(input, context);
    return {
      path: set.path,
      dialect: dialect.id,
      out: set.path,
      built,
      backups: [],
      damage,
      result,
    };
  }
  const whole = { ...plan, path: path.resolve(set.path), inputs: [] };
  const { out, backups, result } = await applyRepair(input, whole, target, context);
  return { path: set.path, dialect: dialect.id, out, built, backups, damage, result };
}

export async function hintBuildText(report: HintBuildReport, color: boolean): Promise<string> {
  const chalk = await colors(color);
  const { out, built, backups, damage, result } = report;
  const lines = [
    built.length === 0
      ? `${printable(out)}: nothing to build: every data file that nothing more is written to has its hint`
      : `${printable(out)}: ${count(built.length, 'hint file')} built: ${built.join(', ')}`,
  ];
  if (damage > 0) {
    lines.push(`  of ${count(damage, 'damaged place')} in the data, hint files tell nothing`);
  }
  lines.push(`the result: ${result.clean ? chalk.green('clean') : chalk.yellow('damage remains')}`);
  for (const finding of result.findings) lines.push(...findingLines(finding, chalk));
  if (backups.length > 0) lines.push(`backups: ${backups.join(' ')}`);
  return lines.join('\n');
}
