/**
 * repair of a store of ours: all entries that its tables and its log still give, with their
 * numbers, into a new store. The plan accounts for every byte of every file, by what the repairs of
 * tables and of logs would keep of them.
 */
import { DdiaError } from '../../shared/errors.ts';
import { mendedSource } from '../copy-spans.ts';
import type {
  FileSet,
  Finding,
  LedgerSpan,
  Opened,
  RepairOptions,
  RepairOutput,
  RepairPlan,
  ScanContext,
} from '../format.ts';
import { keyText } from '../key-text.ts';
import type { KeyBounds } from '../sstable/lost-keys.ts';
import { planTableRepair } from '../sstable/repair.ts';
import { planLogRepair } from '../wal/repair.ts';
import { inLog, logInput } from './logs.ts';
import { LOG_DIRECTORY, MANIFEST_NAME } from './manifest.ts';
import type { Database, TableFile } from './model.ts';
import { openDatabase } from './open.ts';
import { rewriteStore } from './rewrite.ts';
import { verifyDatabase } from './verify.ts';

export async function planStoreRepair(
  { set, files, dialect }: Opened,
  options: RepairOptions,
  context: ScanContext,
): Promise<Omit<RepairPlan, 'inputs'>> {
  const database = await openDatabase(set, 'v2', context);
  const { findings, counts } = await verifyDatabase(database, context);
  const live = tablesOf(database);
  const named = new Set(live.map(({ name }) => name));
  const tables = set.files.filter(({ name }) => named.has(name));
  const input = { set, dialect: database.sstable, files: tables };
  const ofTables = await planTableRepair(input, options, context, boundsIn(live));
  const logs = { ...context, set: database.logSet };
  const ofLog = await planLogRepair(logInput(database), options, logs);
  const spans = new Map<string, LedgerSpan[]>();
  for (const span of ofTables.ledger) put(spans, span);
  for (const span of ofLog.ledger) put(spans, inLog(database, span));
  const ledger = files.flatMap(
    ({ name, size = 0 }) => spans.get(name) ?? wholeFile(name, size, findings),
  );
  return {
    ddiaPlan: 1,
    path: set.path,
    family: 'lsm',
    dialect: dialect.id,
    ledger,
    rewrite: [],
    findings,
    counts,
    consequences: [
      ...guessedText(database),
      ...live.filter(({ name }) => name === undefined).map(missingText),
      ...live.flatMap((table) => lostUnseen(table, ofTables, findings)),
      ...lostSegments(findings, ledger),
      ...ofTables.consequences,
      ...ofLog.consequences.map((one) => one.replace(/^(?=\d+\.wal2 @)/, `${LOG_DIRECTORY}/`)),
    ],
  };
}

function boundsIn(tables: readonly TableFile[]): (file: string) => KeyBounds | undefined {
  const bounds = new Map<string, KeyBounds>();
  for (const { name, entry } of tables) {
    if (name === undefined || !entry) continue;
    bounds.set(name, { first: entry.firstKey, last: entry.lastKey });
  }
  return (file) => bounds.get(file);
}

function put(spans: Map<string, LedgerSpan[]>, span: LedgerSpan): void {
  const own = spans.get(span.file);
  if (own) own.push(span);
  else spans.set(span.file, [span]);
}

/** Manifests, which are written anew, and files that are no part of the store any more. */
function wholeFile(file: string, length: number, findings: readonly Finding[]): LedgerSpan[] {
  if (length === 0) return [];
  const place = { file, offset: 0, length, records: 0 };
  const told = findings.find((finding) => finding.file === file);
  if (told) return [{ ...place, fate: 'dropped', code: told.code, reason: told.message }];
  return [{ ...place, fate: 'kept' }];
}

function tablesOf({ version }: Database): TableFile[] {
  return [...version.families.get(0)!.tables.values()];
}

function guessedText({ findings, guessed }: Database): string[] {
  if (!guessed) return [];
  const told = findings.filter(({ code }) => code === 'guessed-tables');
  const gone =
    'of tables that it named where it is damaged, and that are gone, nothing is known: ' +
    'older values of their keys show, deleted keys come back';
  return [...told.map(({ message }) => message), gone].map((one) => `${MANIFEST_NAME}: ${one}`);
}

function missingText({ number, level, entry }: TableFile): string {
  if (!entry) return `table ${number} is gone`;
  const { entries, firstKey, lastKey, seqFirst, seqLast } = entry;
  return (
    `table ${number} of level ${level} is gone: ${entries} entries with keys from ` +
    `${keyText(firstKey)} to ${keyText(lastKey)}, seq ${seqFirst} to ${seqLast}, are lost: ` +
    'older values of them show, deleted keys come back'
  );
}

/** Segments of the log that are gone, or that a broken header takes along. */
function lostSegments(findings: readonly Finding[], ledger: readonly LedgerSpan[]): string[] {
  const dropped = new Set(ledger.flatMap(({ file, fate }) => (fate === 'dropped' ? [file] : [])));
  const gone = findings.filter(({ file, code }) => {
    if (code === 'bad-header') return file.startsWith(`${LOG_DIRECTORY}/`) && dropped.has(file);
    return code === 'segment-gap' || code === 'missing-log';
  });
  return gone.map(({ file, message }) => {
    return `${file}: ${message}: older values of its keys show, deleted keys come back`;
  });
}

/**
 * Entries that the manifest knows of and the table's bytes no longer tell: where its damage is told
 * between keys, that is enough; a file with another's content has no block that could be missed.
 */
function lostUnseen(
  { name, number, entry }: TableFile,
  { ledger, consequences }: Pick<RepairPlan, 'ledger' | 'consequences'>,
  findings: readonly Finding[],
): string[] {
  if (name === undefined || !entry) return [];
  if (consequences.some((one) => one.startsWith(`${name} @ `))) return [];
  const own = ledger.filter(({ file, fate }) => file === name && fate !== 'dropped');
  const kept = own.reduce((sum, { records }) => sum + records, 0);
  const other = findings.some(({ file, code }) => file === name && code === 'manifest-mismatch');
  if (kept >= entry.entries && !other) return [];
  const { entries, firstKey, lastKey, seqFirst, seqLast } = entry;
  const most = other ? entries : entries - kept;
  return [
    `table ${number} is not whole: at most ${most} entries with keys from ${keyText(firstKey)} to ` +
      `${keyText(lastKey)}, seq ${seqFirst} to ${seqLast}, are lost: older values of them show, ` +
      'deleted keys come back',
  ];
}

export async function applyStoreRepair(
  { set }: Opened,
  plan: RepairPlan,
  context: ScanContext,
  output: RepairOutput,
): Promise<void> {
  const opened = await openDatabase(set, 'v2', context);
  const { version, logPrefix } = opened;
  // What the log holds of lost tables counts too, but only where all of it is there: a deletion
  // that is missing may be in no table any more, and what it deleted would come back.
  const flushedSeq = logHasHole(plan, logPrefix) ? version.flushedSeq : 0;
  const logSet = mendedLogs(opened, plan);
  const database = { ...opened, logSet, version: { ...version, flushedSeq } };
  const family = version.families.get(0)!;
  await rewriteStore(database, family, context, output, { tell: refuse }, version.flushedSeq);
}

/** Something of the log is lost, or it ends before the tables do. */
function logHasHole({ ledger, findings, counts }: RepairPlan, logPrefix: string): boolean {
  const ofLog = (file: string): boolean => file.startsWith(logPrefix);
  return (
    'missing-log' in counts ||
    'segment-gap' in counts ||
    ledger.some(({ file, fate }) => fate === 'dropped' && ofLog(file)) ||
    findings.some(({ file, severity }) => severity === 'error' && ofLog(file))
  );
}

/** Damage is in the plan. What the plan says is kept, and cannot be, is not lost in silence. */
function refuse({ code, file, offset, message }: Finding): void {
  if (code !== 'unsorted-keys') return;
  const hint = `take its entries by themselves: ddia sstable dump ${file} --json`;
  throw new DdiaError('too-damaged', `${file} @ ${offset}: ${message}`, hint);
}

/** The log as it is with the bytes that the plan puts back. */
function mendedLogs({ logSet, logPrefix }: Database, { ledger }: RepairPlan): FileSet {
  return {
    path: logSet.path,
    isDirectory: true,
    files: logSet.files,
    siblings: logSet.siblings,
    open(name) {
      const own = ledger.filter(({ file }) => file === `${logPrefix}${name}`);
      return mendedSource(
        logSet.open(name),
        own.flatMap(({ mends = [] }) => mends),
      );
    },
  };
}
