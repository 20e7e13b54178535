/**
 * Applies version edits to a version, and says where one does not fit what came before
 * (VersionSet::Builder of LevelDB, VersionEditHandler and VersionBuilder of RocksDB refuse those).
 */
import { bytesFromJson } from '../bytes/json-bytes.ts';
import { type ColumnFamily, DEFAULT_FAMILY, type InternalKey, type Version } from './model.ts';

/** A field of an edit, as the family `wal` decodes it. */
export interface Field {
  readonly op: string;
  readonly extra: Readonly<Record<string, unknown>>;
}

export function emptyVersion(): Version {
  const version: Version = {
    edits: 0,
    families: new Map(),
    lastSequence: undefined,
    nextFileNumber: undefined,
    prevLogNumber: 0,
    minLogNumberToKeep: 0,
    blobFiles: new Set(),
    flushedSeq: 0,
  };
  version.families.set(0, newFamily(0, DEFAULT_FAMILY));
  return version;
}

export function newFamily(id: number, name: string): ColumnFamily {
  return { id, name, comparator: '', logNumber: 0, tables: new Map() };
}

/** `tell` gets what does not fit; the edit's other fields are applied all the same. */
export function applyEdit(
  version: Version,
  fields: readonly Field[],
  offset: number,
  length: number,
  tell: (message: string) => void,
): void {
  version.edits++;
  // The column family stands behind the fields that it is about.
  const id = numberOf(last(fields, 'column-family')?.['columnFamily']) ?? 0;
  const added = last(fields, 'column-family-add');
  if (added) addFamily(version, id, String(added['name']), tell);
  const family = version.families.get(id);
  if (!family) {
    tell(`an edit of column family ${id}, which no edit before has added`);
    return;
  }
  const place = { offset, length };
  // Files go before others come: a table that moves to another level is deleted and added.
  for (const { op, extra } of fields) if (op === 'deleted-file') deleteFile(family, extra, tell);
  for (const { op, extra } of fields) {
    if (op === 'new-file') addFile(family, extra, place, tell);
    else applyField(version, family, op, extra, tell);
  }
  if (fields.some(({ op }) => op === 'column-family-drop')) version.families.delete(id);
}

function last(fields: readonly Field[], op: string): Field['extra'] | undefined {
  return fields.findLast((field) => field.op === op)?.extra;
}

function addFamily(
  version: Version,
  id: number,
  name: string,
  tell: (message: string) => void,
): void {
  const known = version.families.get(id);
  if (known && id !== 0) tell(`column family ${id}, ${name}, is added once more`);
  if (known) known.name = name;
  else version.families.set(id, newFamily(id, name));
}

function applyField(
  version: Version,
  family: ColumnFamily,
  op: string,
  extra: Field['extra'],
  tell: (message: string) => void,
): void {
  const number = (name: string) => numberOf(extra[name]) ?? 0;
  switch (op) {
    case 'comparator': {
      const comparator = String(extra['comparator']);
      if (family.comparator !== '' && family.comparator !== comparator) {
        tell(`comparator ${comparator} of ${family.name}, it was ${family.comparator}`);
      }
      family.comparator = comparator;
      return;
    }
    case 'log-number': {
      const log = number('logNumber');
      if (log < family.logNumber) tell(`log number ${log} follows ${family.logNumber}`);
      family.logNumber = Math.max(log, family.logNumber);
      return;
    }
    case 'last-sequence': {
      const seq = bigOf(extra['lastSequence']) ?? 0n;
      const before = version.lastSequence ?? 0n;
      if (seq < before) tell(`last sequence ${seq} follows ${before}`);
      version.lastSequence = seq > before ? seq : before;
      return;
    }
    case 'next-file-number':
      version.nextFileNumber = Math.max(number('nextFileNumber'), version.nextFileNumber ?? 0);
      return;
    case 'prev-log-number':
      version.prevLogNumber = number('prevLogNumber');
      return;
    case 'min-log-number-to-keep':
      version.minLogNumberToKeep = Math.max(
        number('minLogNumberToKeep'),
        version.minLogNumberToKeep,
      );
      return;
    case 'blob-file-addition':
      version.blobFiles.add(number('fileNumber'));
  }
}

function deleteFile(
  family: ColumnFamily,
  extra: Field['extra'],
  tell: (message: string) => void,
): void {
  const number = numberOf(extra['fileNumber']) ?? -1;
  const table = family.tables.get(number);
  if (!table) tell(`table ${number} is deleted, and is not there`);
  else if (table.level !== extra['level']) {
    tell(`table ${number} is deleted from level ${extra['level']}, it is in ${table.level}`);
  }
  family.tables.delete(number);
}

function addFile(
  family: ColumnFamily,
  extra: Field['extra'],
  place: { offset: number; length: number },
  tell: (message: string) => void,
): void {
  const number = numberOf(extra['fileNumber']);
  const level = numberOf(extra['level']);
  if (number === undefined || level === undefined) {
    tell(`a table with number ${extra['fileNumber']} in level ${extra['level']}`);
    return;
  }
  if (family.tables.has(number)) tell(`table ${number} is added, and is there already`);
  family.tables.set(number, {
    number,
    level,
    size: numberOf(extra['fileSize']) ?? Number.POSITIVE_INFINITY,
    smallest: internalKey(extra['smallest']),
    largest: internalKey(extra['largest']),
    smallestSeq: bigOf(extra['smallestSeq']),
    largestSeq: bigOf(extra['largestSeq']),
    name: undefined,
    ...place,
  });
}

function internalKey(value: unknown): InternalKey | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { userKey, seq, type } = value as Record<string, unknown>;
  const bytes = bytesFromJson(userKey);
  const number = bigOf(seq);
  if (!bytes || number === undefined) return undefined;
  return { userKey: bytes, seq: number, type: type as string | number };
}

/** Beyond 2^53 - 1 the decoder gives digits. */
function bigOf(value: unknown): bigint | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  return typeof value === 'string' && /^\d{1,20}$/.test(value) ? BigInt(value) : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}
