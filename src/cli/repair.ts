/**
 * Repair, whatever the family: plan from what is read, quarantine what is dropped, write the result
 * beside, then check it. The input is not touched, or with --in-place replaced file by file behind
 * a backup.
 */
import * as path from 'node:path';
import type { Identified } from '../formats/detect.ts';
import type {
  FileEntry,
  RepairOptions,
  RepairPlan,
  ScanContext,
  VerifyResult,
} from '../formats/format.ts';
import { type LedgerTotals, ledgerTotals } from '../formats/ledger.ts';
import type { Disk } from '../io/disk.ts';
import { openFileSet } from '../io/file-set.ts';
import { sha256Of } from '../io/hash.ts';
import { refuseOldBackups, refuseUnfinished, replaceInPlace } from '../io/in-place.ts';
import { LockFile } from '../io/lock-file.ts';
import { NewDirectory } from '../io/new-directory.ts';
import { type Quarantine, quarantine } from '../io/quarantine.ts';
import { RealDisk } from '../io/real-disk.ts';
import { realPlace, refuseOverlap, refuseSource } from '../io/same-place.ts';
import { DdiaError, usageError } from '../shared/errors.ts';

export interface RepairTarget {
  out: string | undefined;
  inPlace: boolean;
  backup: boolean;
  quarantine: string | undefined;
  force: boolean;
}

export interface RepairReport {
  path: string;
  family: string;
  dialect: string;
  out: string;
  quarantine: string | undefined;
  backups: string[];
  totals: LedgerTotals;
  ledger: RepairPlan['ledger'];
  consequences: string[];
  result: VerifyResult;
  /** The dialect can be written from its own dump. */
  writable: boolean;
  /** The input lies in a directory with files that are not the log's: a database. */
  partOfStore: boolean;
  /** Files of the input that the result does not have, and that must not lie beside it. */
  removed: string[];
  next: string[];
}

export async function planRepair(
  input: Identified,
  options: RepairOptions,
  context: ScanContext,
): Promise<RepairPlan> {
  const { family, set, files } = input;
  if (!family.planRepair || !family.applyRepair) {
    throw new DdiaError('not-repairable', `${family.id} ${input.dialect.id} cannot be repaired`);
  }
  if (files.some(({ name }) => name === '-')) {
    throw usageError('not-a-file', 'repair reads its input twice: give a file, not standard input');
  }
  const inputs = await hashes(input, context);
  const plan = await family.planRepair(input, options, context);
  return { ...plan, path: path.resolve(set.path), inputs };
}

async function hashes(input: Identified, context: ScanContext): Promise<RepairPlan['inputs']> {
  const inputs: RepairPlan['inputs'] = [];
  const { set, files, dialect } = input;
  const isRead = ({ name, size = 0 }: FileEntry) => size > 0 && dialect.beside?.includes(name);
  for (const { name, size = 0 } of [...files, ...set.siblings.filter(isRead)]) {
    const source = set.open(name);
    try {
      inputs.push({ file: name, size, sha256: await sha256Of(source, context.signal) });
    } finally {
      source.close?.();
    }
  }
  return inputs;
}

/** Refuses if the input is not, byte for byte, what the plan was made from. */
export async function checkUnchanged(
  input: Identified,
  plan: RepairPlan,
  context: ScanContext,
): Promise<void> {
  const now = await hashes(input, context);
  const before = new Map(plan.inputs.map((one) => [one.file, one]));
  const changed = now.find(({ file, sha256 }) => before.get(file)?.sha256 !== sha256);
  if (changed || now.length !== plan.inputs.length) {
    throw new DdiaError(
      'input-changed',
      `${plan.path}: ${changed?.file ?? 'the set of files'} has changed since the plan was made`,
      'make a new plan',
    );
  }
}

export async function applyRepair(
  input: Identified,
  plan: RepairPlan,
  target: RepairTarget,
  context: ScanContext,
): Promise<RepairReport> {
  const { family, dialect, set } = input;
  const disk = new RealDisk();
  const out = target.inPlace ? path.resolve(set.path) : path.resolve(target.out!);
  const quarantineAt = path.resolve(target.quarantine ?? `${out}.quarantine`);
  const touched = touchedFiles(input, plan);
  // What cannot be done is refused before anything is written.
  if (!target.inPlace) {
    refuseSource(out, set.path);
    refuseOverlap(quarantineAt, out);
  }
  refuseSource(quarantineAt, set.path);
  const removed = new Set(plan.remove ?? []);
  if (target.inPlace && target.backup) {
    refuseOldBackups(disk, out, set.isDirectory, new Set([...touched, ...removed]));
  } else if (target.inPlace) refuseUnfinished(disk, out);
  const result = target.inPlace ? `${out}.repaired-${process.pid}` : out;
  const lock = target.inPlace ? lockOf(disk, input, out) : undefined;
  const directory = new NewDirectory(disk, result, target.force && !target.inPlace);
  let kept: Quarantine | undefined;
  let backups: string[] = [];
  let verified: VerifyResult | undefined;
  const written = new Set<string>();
  try {
    if (lock && plan.inputs.length > 0) await checkUnchanged(input, plan, context);
    kept = await quarantine(disk, quarantineAt, set, plan.ledger, target.force);
    await family.applyRepair!(input, plan, context, directory);
    for (const name of disk.list(directory.temporary)) written.add(name);
    // What is dropped is safe on disk before anything takes its place.
    kept.directory?.place();
    directory.place();
    if (target.inPlace) {
      const { backup } = target;
      const replacement = { touched, removed, log: plan.log, backup };
      backups = replaceInPlace(disk, out, set.isDirectory, result, replacement, () => {
        kept?.directory?.finish();
        directory.finish();
      });
    } else {
      // Who stops it now finds nothing: a result stays once it is known what it is worth.
      verified = await verifyResult(input, out, context);
    }
    kept.directory?.finish();
    directory.finish();
  } finally {
    kept?.directory?.abandon();
    directory.abandon();
    lock?.release();
  }
  const { ledger } = kept;
  verified ??= await verifyResult(input, out, context);
  const dropped = ledger.some(({ fate }) => fate === 'dropped');
  const report = {
    path: plan.path,
    family: family.id,
    dialect: dialect.id,
    out,
    quarantine: dropped ? quarantineAt : undefined,
    backups,
    totals: ledgerTotals(ledger),
    ledger,
    consequences: plan.consequences,
    result: verified,
    partOfStore: set.isDirectory && hasOtherFiles(input),
    removed: [...removed].filter((name) => !written.has(name)),
    writable: (dialect as { encoder?: unknown }).encoder !== undefined,
  };
  return { ...report, next: nextSteps(report) };
}

/**
 * Keeps writers away while files are replaced; throws `locked` where one has the store open. A file
 * that is given by itself may be part of one as well.
 */
function lockOf(
  disk: Disk,
  { dialect, set, files }: Identified,
  out: string,
): LockFile | undefined {
  if (!dialect.lockFile) return undefined;
  const directory = set.isDirectory ? out : path.dirname(out);
  // A writer locks the directory that the file really lies in.
  const real = path.dirname(realPlace(path.join(directory, files[0]?.name ?? '')));
  return LockFile.acquire(disk, path.join(files.length > 0 ? real : directory, dialect.lockFile));
}

/** Tables, manifests and the like beside the segments. */
function hasOtherFiles({ dialect, set, files }: Identified): boolean {
  const { companions = [] } = dialect as { companions?: readonly string[] };
  const known = new Set([...companions, ...files.map(({ name }) => name)]);
  return set.files.some(({ name }) => !known.has(name));
}

/** Files that the repair changes: in place, only these are replaced. */
function touchedFiles({ dialect, set }: Identified, plan: RepairPlan): Set<string> {
  const touched = new Set(plan.ledger.filter((s) => s.fate !== 'kept').map((s) => s.file));
  for (const name of plan.rewrite) touched.add(name);
  const { companions = [] } = dialect as { companions?: readonly string[] };
  for (const { name } of set.files) {
    const told = plan.rewrite.length > 0 || plan.findings.some(({ file }) => file === name);
    if (told && companions.includes(name)) touched.add(name);
  }
  return touched;
}

async function verifyResult(
  input: Identified,
  out: string,
  context: ScanContext,
): Promise<VerifyResult> {
  // A single file's result is a file of the same name in the new directory.
  const alone = !input.set.isDirectory && out !== path.resolve(input.set.path);
  const set = openFileSet(alone ? path.join(out, input.files[0]!.name) : out);
  const files = input.family.select(set, input.dialect);
  return input.family.verify({ set, dialect: input.dialect, files }, context);
}

/** What to do now: every repair ends with it. */
function nextSteps(report: Omit<RepairReport, 'next'>): string[] {
  const { result, family, out, quarantine: kept, path: input, backups } = report;
  const steps: string[] = [];
  const codes = Object.keys(result.counts);
  if (!result.clean && codes.every((code) => code === 'seq-gap')) {
    const anew = `ddia ${family} dump ${out} --json | ddia ${family} write NEW --dialect ${result.dialect}`;
    const how = report.writable ? `; to number the rest anew: ${anew}` : '';
    steps.push(`what is lost shows as a gap in the sequence${how}`);
  } else if (!result.clean) steps.push(`look at what remains: ddia ${family} verify ${out}`);
  if (kept) steps.push(`look at what was set aside: ${path.join(kept, 'index.json')}`);
  if (backups.length > 0) {
    steps.push(`once the application has read it, remove the backups: ${backups.join(' ')}`);
  } else if (out !== input) {
    const files = report.partOfStore
      ? 'the files in it in place of the damaged ones, the rest of the directory stays'
      : `${out} in its place`;
    const gone = report.removed.length > 0 ? `, and remove ${report.removed.join(' ')}` : '';
    steps.push(`compare: ddia diff ${input} ${out}; then put ${files}${gone}`);
  }
  return steps;
}
