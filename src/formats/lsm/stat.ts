/** What a store says of itself: column families, levels, tables, logs. No table is opened. */
import type { ScanContext } from '../format.ts';
import { keyText } from '../key-text.ts';
import { scanLogs } from './logs.ts';
import type { ColumnFamily, Database } from './model.ts';
import { namedFile } from './names.ts';
import { inKeyOrder } from './walk.ts';

export async function statDatabase(
  database: Database,
  context: ScanContext,
): Promise<Record<string, unknown>> {
  const { set, software, manifest, version, logs, guessed, findings } = database;
  const families = [...version.families.values()].sort((a, b) => a.id - b.id);
  const own = software === 'v2';
  const named = { path: set.path, family: 'lsm', dialect: software, manifest: manifest ?? null };
  return {
    ...named,
    ...(own ? await ownNumbers(database, context) : foreignNumbers(database)),
    ...(guessed && { guessed }),
    findings: findings.length,
    ...(!own && { blobFiles: version.blobFiles.size, columnFamilies: families.map(familyRow) }),
    levels: families.flatMap((family) => levelRows(family, own)),
    tables: families.flatMap((family) => tableRows(family, own)),
    logs: logs.map(({ name, size }) => ({ name, bytes: size })),
    others: others(database),
  };
}

function foreignNumbers({ version }: Database): Record<string, unknown> {
  const { edits, lastSequence = 0n, nextFileNumber = 0 } = version;
  return { edits, lastSequence: numberOrText(lastSequence), nextFileNumber };
}

/** The log's records that no table holds are the only ones that matter. */
async function ownNumbers(
  database: Database,
  context: ScanContext,
): Promise<Record<string, unknown>> {
  const { identity, version } = database;
  const { flushedSeq, nextFileNumber = 0 } = version;
  let lastSeq = flushedSeq;
  let logRecords = 0;
  await scanLogs(database, context, {
    record({ seq, op }) {
      if (seq <= flushedSeq || (op !== 'put' && op !== 'delete')) return;
      logRecords++;
      lastSeq = Math.max(lastSeq, seq);
    },
    damage() {},
  });
  return {
    ...(identity && {
      storeId: identity.storeId.toString(16).padStart(16, '0'),
      generation: numberOrText(identity.generation),
    }),
    lastSeq,
    flushedSeq,
    logRecords,
    nextFile: nextFileNumber,
  };
}

function familyRow({ id, name, comparator, logNumber, tables }: ColumnFamily) {
  const bytes = sizeOf([...tables.values()]);
  return { id, name, comparator, logNumber, tables: tables.size, bytes };
}

function sizeOf(tables: readonly { size: number }[]): number {
  return tables.reduce((sum, { size }) => sum + (Number.isFinite(size) ? size : 0), 0);
}

function levelRows({ name, tables }: ColumnFamily, own: boolean) {
  const levels = [...new Set([...tables.values()].map(({ level }) => level))];
  return levels
    .sort((a, b) => a - b)
    .map((level) => {
      const those = [...tables.values()].filter((table) => table.level === level);
      const row = { level, tables: those.length, bytes: sizeOf(those) };
      if (!own) return { columnFamily: name, ...row };
      const sum = (what: 'entries' | 'deletions') =>
        those.reduce((total, { entry }) => total + (entry?.[what] ?? 0), 0);
      return { ...row, entries: sum('entries'), deletions: sum('deletions') };
    });
}

function tableRows(family: ColumnFamily, own: boolean) {
  const levels = inKeyOrder([...family.tables.values()], 1);
  return levels
    .sort((a, b) => a.level - b.level)
    .map(({ name, number, level, size, smallest, largest, smallestSeq, largestSeq, entry }) => ({
      name: name ?? `${number} (missing)`,
      ...(!own && { columnFamily: family.name }),
      level,
      bytes: size,
      ...(entry && { entries: entry.entries, deletions: entry.deletions }),
      ...(smallest && { first: keyText(smallest.userKey) }),
      ...(largest && { last: keyText(largest.userKey) }),
      ...(smallestSeq !== undefined && { minSeq: numberOrText(smallestSeq) }),
      ...(largestSeq !== undefined && { maxSeq: numberOrText(largestSeq) }),
    }));
}

function numberOrText(value: bigint): number | string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
}

/** Files beside those that are live. */
function others({ set, manifest, logs, version }: Database) {
  const live = new Set<string>([manifest ?? '', ...logs.map(({ name }) => name)]);
  for (const { tables } of version.families.values()) {
    for (const { name } of tables.values()) if (name !== undefined) live.add(name);
  }
  return set.files
    .filter(({ name }) => !live.has(name))
    .map(namedFile)
    .map(({ name, kind, size }) => ({ name, kind, bytes: size }));
}
