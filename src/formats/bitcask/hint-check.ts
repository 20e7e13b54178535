/**
 * Holds a hint file against its data file, entry by entry; the other direction, whether a record
 * lacks its entry, is seen by what is marked on the way. Contradictions are told once for each hint
 * file, the first of them with its place.
 */
import type { Finding } from '../format.ts';
import { keyText } from '../key-text.ts';
import type { DataFile } from './files.ts';
import { HINTED, type LiveIndex } from './live.ts';
import type { LostRecords } from './lost.ts';
import type { BitcaskOpened, BitcaskScanContext, HintEntry } from './model.ts';
import type { RecordTable } from './record-table.ts';

export interface HintReport {
  entries: number;
  /** Its own damage: what it says is then not held against anything. */
  corrupt: boolean;
  mismatches: number;
  /** For the 'all' rule: records without an entry, and the place of the first. */
  unhinted: number;
  firstUnhinted: number;
}

export interface CheckedFile {
  readonly file: DataFile;
  /** Index among the data files. */
  readonly index: number;
  /** Bytes of the data file. */
  readonly size: number;
}

export async function checkHint(
  input: BitcaskOpened,
  context: BitcaskScanContext,
  of: CheckedFile,
  table: RecordTable,
  live: LiveIndex,
  lost: LostRecords,
  add: (finding: Finding) => void,
): Promise<HintReport> {
  const { dialect, set } = input;
  const hint = of.file.hint!;
  const report = { entries: 0, corrupt: false, mismatches: 0, unhinted: 0, firstUnhinted: -1 };
  let first: { entry: Pick<HintEntry, 'offset' | 'length'>; why: string } | undefined;
  const source = set.open(hint.name);
  try {
    await dialect.scanHint(
      source,
      { ...context, carry: undefined, from: undefined },
      {
        entry(entry) {
          report.entries++;
          const why = contradiction(input, entry, of, table, live, lost);
          markKey(entry, of.index, live);
          if (why === undefined) return;
          report.mismatches++;
          first ??= { entry: { offset: entry.offset, length: entry.length }, why };
        },
        damage(finding) {
          report.corrupt = true;
          add(finding);
        },
      },
    );
  } finally {
    source.close?.();
  }
  if (report.corrupt) return report;
  if (first) {
    const { entry, why } = first;
    const { mismatches, entries } = report;
    const more = mismatches > 1 ? `; the first of ${mismatches} such entries of ${entries}` : '';
    add({
      code: 'hint-mismatch',
      severity: 'error',
      file: hint.name,
      offset: entry.offset,
      length: entry.length,
      message: `${why}${more}`,
      repair: `build it anew from ${of.file.name}`,
    });
  }
  if (dialect.hints.records === 'all') noteUnhinted(dialect.hints.deletions, table, report);
  return report;
}

/** What an entry says that the data file does not bear out; undefined: nothing. */
function contradiction(
  { dialect }: BitcaskOpened,
  entry: HintEntry,
  of: CheckedFile,
  table: RecordTable,
  live: LiveIndex,
  lost: LostRecords,
): string | undefined {
  const { bytes, keyStart, keyEnd, position, dataFile } = entry;
  const key = () => `the entry for key ${keyText(bytes, keyStart, keyEnd)}`;
  if (dataFile !== of.file.number) {
    return `${key()} is of data file ${dataFile}, expected ${of.file.number}`;
  }
  const row = table.find(position);
  if (row < 0) {
    if (lost.covers(position)) {
      lost.hinted(entry);
      return undefined;
    }
    if (position < of.size) return `${key()} points at ${position}, where no record begins`;
    if (dialect.hints.checked || lost.isEnd(position, of.size)) lost.hinted(entry);
    return `${key()} points at ${position}, ${of.file.name} has ${of.size} bytes`;
  }
  if (!table.hasKey(row, bytes, keyStart, keyEnd)) {
    return `${key()} points at ${position}, where a record of another key is`;
  }
  const odd = difference(entry, table, row);
  if (odd) return `${key()} says ${odd}`;
  table.mark(row);
  if (dialect.hints.records === 'newest' && isSuperseded(entry, of.index, live)) {
    return `${key()} points at ${position}, an older record of it: a newer one follows in the file`;
  }
  return undefined;
}

function difference(entry: HintEntry, table: RecordTable, row: number): string | undefined {
  const { size, timestamp, seq, expires, deleted } = entry;
  if (size >= 0 && size !== table.length(row)) {
    return `the record has ${size} bytes, it has ${table.length(row)}`;
  }
  if (!Number.isNaN(timestamp) && !Object.is(timestamp, table.timestamp(row))) {
    return `timestamp ${timestamp}, the record says ${table.timestamp(row)}`;
  }
  if (seq >= 0 && seq !== table.seq(row)) {
    return `seq ${seq}, the record says ${table.seq(row)}`;
  }
  if (expires > 0 && expires !== table.expires(row)) {
    return `that it expires at ${expires}, the record says ${table.expires(row)}`;
  }
  if (entry.tellsDeletion && deleted !== table.isDeleted(row)) {
    return deleted ? 'that it is deleted, the record is a value' : 'that it has a value';
  }
  return undefined;
}

/** The newest record of the key is another one of the same file. */
function isSuperseded(entry: HintEntry, file: number, { keys }: LiveIndex): boolean {
  const known = keys.find(entry.bytes, entry.keyStart, entry.keyEnd);
  return known >= 0 && keys.file(known) === file && keys.position(known) !== entry.position;
}

/** There is an entry for the key of a record in this file: right or wrong, it is not missing. */
function markKey(entry: HintEntry, file: number, live: LiveIndex): void {
  const known = live.keys.find(entry.bytes, entry.keyStart, entry.keyEnd);
  if (known >= 0 && live.keys.file(known) === file) live.addFlag(known, HINTED);
}

function noteUnhinted(deletions: boolean, table: RecordTable, report: HintReport): void {
  for (let row = 0; row < table.count; row++) {
    if (table.isMarked(row) || (!deletions && table.isDeleted(row))) continue;
    report.unhinted++;
    if (report.firstUnhinted < 0) report.firstUnhinted = table.position(row);
  }
}
