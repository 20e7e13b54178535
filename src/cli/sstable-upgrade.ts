/** sstable upgrade: every table of a path into one of layout v2. */
import type { Identified } from '../formats/detect.ts';
import type { Finding, Limits } from '../formats/format.ts';
import { findingOf, type TableOpened } from '../formats/sstable/model.ts';
import { rewriteInto } from '../formats/sstable/rewrite.ts';
import { openSeekable } from '../formats/sstable/seekable.ts';
import { v2 } from '../formats/sstable/v2/index.ts';
import { NewDirectory } from '../io/new-directory.ts';
import { RealDisk } from '../io/real-disk.ts';
import { refuseSource } from '../io/same-place.ts';
import type { DdiaCommand } from './base-command.ts';
import { watched } from './watched-set.ts';

export interface TableUpgradeFlags {
  out: string;
  force: boolean;
  blockBytes: number | undefined;
  compression: string | undefined;
  limits: Limits;
}

export interface TableUpgradeReport {
  path: string;
  from: string;
  out: string;
  files: { from: string; to: string; entries: number; bytes: number }[];
  damage: Finding[];
  unchecked: readonly string[];
}

const DAMAGE_TOLD_MAX = 1000;

export async function upgradeTables(
  command: DdiaCommand,
  input: Identified,
  flags: TableUpgradeFlags,
): Promise<TableUpgradeReport> {
  const context = command.reading(flags.limits);
  const [opened] = watched([input as unknown as TableOpened], context.progress);
  const { set, dialect, files } = opened!;
  refuseSource(flags.out, set.path);
  const directory = new NewDirectory(new RealDisk(), flags.out, flags.force);
  const damage: Finding[] = [];
  const done: TableUpgradeReport['files'] = [];
  try {
    for (const file of files) {
      const source = await openSeekable(opened!, file, flags.limits);
      const to = `${file.name.replace(/\.[^.]*$/, '')}.sst2`;
      const target = directory.create(to);
      try {
        const { blockBytes, compression } = flags;
        const writer = v2.encoder!.open(
          { write: (bytes, start, end) => target.write(bytes, start, end) },
          { blockBytes, compression },
        );
        await rewriteInto(dialect, source, context, writer, (one) => {
          if (damage.length < DAMAGE_TOLD_MAX) damage.push(findingOf(one));
        });
        const bytes = writer.finish();
        done.push({ from: file.name, to, entries: writer.entries, bytes });
      } finally {
        source.close?.();
      }
      target.finish();
    }
    directory.finish();
  } finally {
    directory.abandon();
  }
  const { unchecked, id: from } = dialect;
  return { path: set.path, from, out: flags.out, files: done, damage, unchecked };
}

export function upgradeText(report: TableUpgradeReport): string {
  const { path, from, out, files, damage, unchecked } = report;
  const lines = [`${path} (${from}) → ${out} (v2)`];
  for (const one of files)
    lines.push(`  ${one.from} → ${one.to}: ${one.entries} entries, ${one.bytes} bytes`);
  for (const { code, file, offset, length, message } of damage) {
    lines.push(`  read past: ${code} ${file} @ ${offset} +${length}: ${message}`);
  }
  lines.push(`  what ${from} could not vouch for:`);
  for (const what of unchecked) lines.push(`    - ${what}`);
  lines.push(`  next: ddia diff ${path} ${files.length === 1 ? `${out}/${files[0]!.to}` : out}`);
  return lines.join('\n');
}
