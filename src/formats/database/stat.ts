/** What a database says of itself: column families, levels, tables, logs. No table is opened. */
import { keyText } from '../key-text.ts';
import type { ColumnFamily, Database } from './model.ts';
import { namedFile } from './names.ts';
import { inKeyOrder } from './walk.ts';

export function statDatabase(database: Database): Record<string, unknown> {
  const { set, software, manifest, version, logs, guessed, findings } = database;
  const families = [...version.families.values()].sort((a, b) => a.id - b.id);
  return {
    path: set.path,
    family: 'database',
    dialect: software,
    manifest: manifest ?? null,
    edits: version.edits,
    ...(guessed && { guessed }),
    lastSequence: numberOrText(version.lastSequence ?? 0n),
    nextFileNumber: version.nextFileNumber ?? 0,
    findings: findings.length,
    blobFiles: version.blobFiles.size,
    columnFamilies: families.map(familyRow),
    levels: families.flatMap(levelRows),
    tables: families.flatMap(tableRows),
    logs: logs.map(({ name, size }) => ({ name, bytes: size })),
    others: others(database),
  };
}

function familyRow({ id, name, comparator, logNumber, tables }: ColumnFamily) {
  const bytes = sizeOf([...tables.values()]);
  return { id, name, comparator, logNumber, tables: tables.size, bytes };
}

function sizeOf(tables: readonly { size: number }[]): number {
  return tables.reduce((sum, { size }) => sum + (Number.isFinite(size) ? size : 0), 0);
}

function levelRows({ name, tables }: ColumnFamily) {
  const levels = [...new Set([...tables.values()].map(({ level }) => level))];
  return levels
    .sort((a, b) => a - b)
    .map((level) => {
      const own = [...tables.values()].filter((table) => table.level === level);
      return { columnFamily: name, level, tables: own.length, bytes: sizeOf(own) };
    });
}

function tableRows(family: ColumnFamily) {
  const levels = inKeyOrder([...family.tables.values()], 1);
  return levels
    .sort((a, b) => a.level - b.level)
    .map(({ name, number, level, size, smallest, largest, smallestSeq, largestSeq }) => ({
      name: name ?? `${number} (missing)`,
      columnFamily: family.name,
      level,
      bytes: size,
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
