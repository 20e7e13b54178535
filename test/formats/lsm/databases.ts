/** Databases in memory: opened, read, checked and salvaged by the functions that the commands use. */

import { DEFAULT_LIMITS, type Finding, type VerifyResult } from '../../../src/formats/format.ts';
import { type LiveOptions, liveContent } from '../../../src/formats/lsm/live.ts';
import type { Database } from '../../../src/formats/lsm/model.ts';
import { familyByName, openDatabase } from '../../../src/formats/lsm/open.ts';
import { verifyDatabase } from '../../../src/formats/lsm/verify.ts';
import { typeName } from '../../../src/formats/sstable/entry-block.ts';
import { fixtureFiles, memorySet } from '../../support/memory.ts';

export type Files = Record<string, Uint8Array>;

export const context = { limits: DEFAULT_LIMITS };

export const databaseFiles = (name: string): Files => fixtureFiles(`database/${name}`);

export function open(files: Files, options: Record<string, unknown> = {}): Promise<Database> {
  return openDatabase(memorySet(files), undefined, { ...context, options });
}

export function verify(files: Files, quick = false): Promise<VerifyResult> {
  return open(files).then((database) => verifyDatabase(database, { ...context, quick }));
}

export interface Content {
  /** `key value`, or `key value op` where it is no plain value; in hex. */
  lines: string[];
  findings: Finding[];
}

export async function content(
  files: Files,
  family = 'default',
  options: Partial<LiveOptions> = {},
): Promise<Content> {
  const database = await open(files);
  const lines: string[] = [];
  const findings: Finding[] = [...database.findings];
  await liveContent(
    database,
    familyByName(database, family),
    { range: {}, ...options },
    context,
    (block, index) => {
      const key = Buffer.from(block.key(index)).toString('hex');
      const value = Buffer.from(block.value(index) ?? []).toString('hex');
      const op = typeName(block.types[index]!);
      lines.push(op === 'put' ? `${key} ${value}` : `${key} ${value} ${op}`);
    },
    (finding) => findings.push(finding),
  );
  return { lines, findings };
}

export const codes = (findings: readonly Finding[]): string[] => [
  ...new Set(findings.filter(({ severity }) => severity !== 'info').map(({ code }) => code)),
];
