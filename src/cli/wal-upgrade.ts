/** wal upgrade: a log into a new directory, in layout v2. */
import type { Identified } from '../formats/detect.ts';
import type { Limits } from '../formats/format.ts';
import { walContext } from '../formats/wal/index.ts';
import type { WalOpened } from '../formats/wal/model.ts';
import { type UpgradeResult, upgradeLog } from '../formats/wal/upgrade.ts';
import { SEGMENT_BYTES_DEFAULT } from '../formats/wal/v2/layout.ts';
import { NewDirectory } from '../io/new-directory.ts';
import { RealDisk } from '../io/real-disk.ts';
import { refuseSource } from '../io/same-place.ts';
import type { DdiaCommand } from './base-command.ts';
import { directoryOutput } from './directory-output.ts';

export interface UpgradeFlags {
  out: string;
  force: boolean;
  segmentBytes: number | undefined;
  limits: Limits;
}

export type UpgradeReport = UpgradeResult & { path: string; from: string; out: string };

export async function upgradePath(
  command: DdiaCommand,
  input: Identified,
  flags: UpgradeFlags,
): Promise<UpgradeReport> {
  const opened = input as unknown as WalOpened;
  refuseSource(flags.out, opened.set.path);
  const directory = new NewDirectory(new RealDisk(), flags.out, flags.force);
  try {
    const result = await upgradeLog(
      opened,
      flags.segmentBytes ?? SEGMENT_BYTES_DEFAULT,
      walContext(opened, command.reading(flags.limits)),
      directoryOutput(directory),
    );
    directory.finish();
    return { path: input.set.path, from: input.dialect.id, out: flags.out, ...result };
  } finally {
    directory.abandon();
  }
}

export function upgradeText(report: UpgradeReport): string {
  const { path, from, out, records, segments, bytes, damage, unchecked, leftOut } = report;
  const lines = [
    `${path} (${from}) → ${out} (v2): ${records} records in ${segments} segments, ${bytes} bytes`,
  ];
  for (const { code, file, offset, length, message } of damage) {
    lines.push(`  read past: ${code} ${file} @ ${offset} +${length}: ${message}`);
  }
  for (const [op, count] of Object.entries(leftOut)) {
    lines.push(`  left out: ${count} ${op} operations, which v2 has no word for`);
  }
  lines.push(`  what ${from} could not vouch for:`);
  for (const what of unchecked) lines.push(`    - ${what}`);
  lines.push(`  next: ddia diff ${path} ${out}`);
  return lines.join('\n');
}
