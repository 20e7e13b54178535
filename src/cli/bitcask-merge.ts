/** bitcask merge and upgrade: the records of a store into a new directory. */

import { bitcaskContext } from '../formats/bitcask/index.ts';
import { type MergeResult, mergeStore } from '../formats/bitcask/merge.ts';
import type { BitcaskDialect, BitcaskOpened } from '../formats/bitcask/model.ts';
import { type StoreUpgradeResult, upgradeStore } from '../formats/bitcask/upgrade.ts';
import { v2 } from '../formats/bitcask/v2/index.ts';
import type { Identified } from '../formats/detect.ts';
import type { Limits } from '../formats/format.ts';
import { NewDirectory } from '../io/new-directory.ts';
import { RealDisk } from '../io/real-disk.ts';
import { refuseSource } from '../io/same-place.ts';
import { count } from '../ui/count.ts';
import type { DdiaCommand } from './base-command.ts';
import { directoryOutput } from './directory-output.ts';
import { newStoreId } from './store-id.ts';

export interface IntoFlags {
  out: string;
  force: boolean;
  fileBytes: number | undefined;
  limits: Limits;
}

export interface IntoReport {
  path: string;
  from: string;
  out: string;
  dialect: string;
}

/** `hints`: a hint file for each data file; default: as the layout has it. */
export async function mergePath(
  command: DdiaCommand,
  input: Identified,
  target: BitcaskDialect,
  flags: IntoFlags & { firstFile: number; timestamp: number },
): Promise<MergeResult & IntoReport> {
  const { firstFile, timestamp } = flags;
  return into(command, input, target, flags, (opened, options, context, output) =>
    mergeStore(
      opened,
      target,
      { ...options, hints: true, firstFile, timestamp },
      { ...context, now: Date.now() },
      output,
    ),
  );
}

export async function upgradePath(
  command: DdiaCommand,
  input: Identified,
  flags: IntoFlags,
): Promise<StoreUpgradeResult & IntoReport> {
  return into(command, input, v2, flags, (opened, options, context, output) =>
    upgradeStore(opened, v2, { ...options, timestamp: Number.NaN }, context, output),
  );
}

type Act<R> = (
  input: BitcaskOpened,
  options: { fileBytes: number | undefined; storeId: bigint },
  context: ReturnType<typeof bitcaskContext>,
  output: ReturnType<typeof directoryOutput>,
) => Promise<R>;

async function into<R>(
  command: DdiaCommand,
  input: Identified,
  target: BitcaskDialect,
  flags: IntoFlags,
  act: Act<R>,
): Promise<R & IntoReport> {
  const opened = input as unknown as BitcaskOpened;
  refuseSource(flags.out, opened.set.path);
  const directory = new NewDirectory(new RealDisk(), flags.out, flags.force);
  try {
    const { limits, fileBytes, out } = flags;
    const result = await act(
      opened,
      { fileBytes, storeId: newStoreId() },
      bitcaskContext(opened, command.reading(limits)),
      directoryOutput(directory),
    );
    directory.finish();
    const from = input.dialect.id;
    return { path: input.set.path, from, out, dialect: target.id, ...result };
  } finally {
    directory.abandon();
  }
}

export function mergeText(report: MergeResult & IntoReport): string {
  const { path, from, out, dialect, records, files, hints, bytes, inputBytes, dropped } = report;
  const gone = Object.entries(dropped)
    .filter(([, number]) => number > 0)
    .map(([what, number]) => `${number} ${what}`);
  const written = `${count(records, 'record')} in ${count(files, 'data file')}`;
  return [
    `${path} (${from}) → ${out} (${dialect}): ${written} and ${count(hints, 'hint')}, ${bytes} bytes`,
    `  from ${inputBytes} bytes; left out: ${gone.length > 0 ? gone.join(', ') : 'nothing'}`,
    ...readPast(report.damage),
    `  next: ddia diff ${path} ${out}`,
  ].join('\n');
}

export function upgradeText(report: StoreUpgradeResult & IntoReport): string {
  const { path, from, out, dialect, records, files, bytes, damage, unchecked } = report;
  const written = `${count(records, 'record')} in ${count(files, 'data file')}`;
  return [
    `${path} (${from}) → ${out} (${dialect}): ${written}, ${bytes} bytes`,
    ...readPast(damage),
    `  what ${from} could not vouch for:`,
    ...unchecked.map((what) => `    - ${what}`),
    `  next: ddia diff ${path} ${out}`,
  ].join('\n');
}

function readPast(damage: MergeResult['damage']): string[] {
  return damage.map(
    ({ code, file, offset, length, message }) =>
      `  read past: ${code} ${file} @ ${offset} +${length}: ${message}`,
  );
}
