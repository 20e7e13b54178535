/** verify of the family. */
import { Findings, inFileOrder } from '../findings.ts';
import type { FileEntry, Finding, Span, VerifyResult } from '../format.ts';
import { StoreChecker } from './checker.ts';
import { type HintFile, storeFiles } from './files.ts';
import type { BitcaskOpened, BitcaskScanContext } from './model.ts';
import { type StoreVisitor, scanStore } from './reader.ts';

/** `hintsOnly`: tells what concerns hint files, though all of the data is read for it. */
export async function verifyStore(
  input: BitcaskOpened,
  context: BitcaskScanContext,
  hintsOnly = false,
): Promise<VerifyResult> {
  const { data, hints, companions } = storeFiles(input);
  if (data.length === 0 && !input.set.isDirectory) {
    const [hint] = hints;
    if (hint) return verifyHintAlone(input, hint, context);
    const [names] = companions;
    if (names) return verifyNamesAlone(input, names, context);
  }
  const checker = await checkStore(input, context, undefined, hintsOnly);
  const { findings, stats } = checker;
  return resultOf(input, findings, stats, input.files);
}

/** All that is found in a store. `visitor` is told of the same scan. */
export async function checkStore(
  input: BitcaskOpened,
  context: BitcaskScanContext,
  visitor?: StoreVisitor,
  hintsOnly = false,
): Promise<StoreChecker> {
  const checker = new StoreChecker(input, context, hintsOnly);
  // What the scan of the files leaves is what a manifest is held against.
  const carrying = { ...context, carry: new Map<string, unknown>() };
  await scanStore(input, carrying, {
    file(file, index) {
      checker.file(file, index);
      visitor?.file?.(file, index);
    },
    record(record) {
      checker.record(record);
      visitor?.record(record);
    },
    damage(damage) {
      checker.damage(damage);
      visitor?.damage(damage);
    },
    fileEnd: (file, index) => checker.fileEnd(file, index),
  });
  await checker.end();
  if (hintsOnly) return checker;
  for (const finding of (await input.dialect.verifySet?.(input, carrying)) ?? []) {
    checker.findings.add(finding);
  }
  return checker;
}

/** A hint file that is given alone, by itself: what it says of the data is not looked at. */
async function verifyHintAlone(
  input: BitcaskOpened,
  hint: HintFile,
  context: BitcaskScanContext,
): Promise<VerifyResult> {
  const findings = new Findings(context.limits.findings);
  let entries = 0;
  const source = input.set.open(hint.name);
  try {
    await input.dialect.scanHint(source, context, {
      entry() {
        entries++;
      },
      damage: (finding: Finding) => findings.add(finding),
    });
  } finally {
    source.close?.();
  }
  const stats = { hints: 1, bytes: hint.size ?? 0, entries };
  const result = resultOf(input, findings, stats, input.files);
  const unchecked = 'a hint file alone: its entries are not held against the data file';
  return { ...result, unchecked: [unchecked, ...result.unchecked] };
}

/** A file that names the others, by itself: what of it makes no sense. */
async function verifyNamesAlone(
  input: BitcaskOpened,
  { name, size = 0 }: FileEntry,
  context: BitcaskScanContext,
): Promise<VerifyResult> {
  const findings = new Findings(context.limits.findings);
  const look = ({ name: what, damage: code, value, ...span }: Span): boolean => {
    const { offset, length, children = [] } = span;
    if (code !== undefined) {
      const message = String(value ?? `${what} does not check`);
      findings.add({ code, severity: 'error', file: name, offset, length, message });
    } else children.every(look);
    return true;
  };
  const source = input.set.open(name);
  try {
    await input.dialect.layout(source, context, look);
  } finally {
    source.close?.();
  }
  const result = resultOf(input, findings, { files: 1, bytes: size }, input.files);
  const unchecked = `${name} alone: it is not held against the files that it names`;
  return { ...result, unchecked: [unchecked, ...result.unchecked] };
}

function resultOf(
  { dialect, set }: BitcaskOpened,
  findings: Findings,
  stats: Record<string, number>,
  files: readonly FileEntry[],
): VerifyResult {
  return {
    path: set.path,
    family: 'bitcask',
    dialect: dialect.id,
    clean: findings.verdict === 'clean',
    verdict: findings.verdict,
    stats,
    unchecked: dialect.unchecked,
    findings: inFileOrder(findings.kept, files),
    counts: findings.counts,
  };
}
