/** What only a store of ours can be held against: its manifest says more of each table. */
import type { Finding, ScanContext } from '../format.ts';
import { COUNTS } from '../sstable/v2/layout.ts';
import { V2Table } from '../sstable/v2/table.ts';
import { MANIFEST_NAME as LOG_MANIFEST, readManifest } from '../wal/v2/manifest.ts';
import { scanLogs } from './logs.ts';
import { LOG_DIRECTORY, MANIFEST_NAME } from './manifest.ts';
import type { Database, TableFile } from './model.ts';
import { misplacedTable } from './walk.ts';

type Tell = (finding: Finding) => void;

/** Is it the table that the manifest names, with what it is said to hold? */
export async function checkOwnTable(
  { set }: Database,
  table: TableFile,
  context: ScanContext,
  tell: Tell,
): Promise<void> {
  const { name, entry } = table;
  if (!entry || name === undefined) return;
  const source = set.open(name);
  try {
    const { fileCrc, properties } = await V2Table.load(source, context);
    const wrong = (code: string, message: string): void => {
      const place = { file: name, offset: 0, length: source.size ?? 0 };
      tell({ code, severity: 'error', ...place, message });
    };
    const misplaced = misplacedTable(table, source, { identity: fileCrc });
    if (misplaced) {
      tell(misplaced);
      return;
    }
    // What is damaged is told by the table's own verification.
    if (!properties) return;
    const count = (what: (typeof COUNTS)[number]) => properties.counts[COUNTS.indexOf(what)]!;
    const ranges = count('range_deletions');
    const pairs = [
      ['entries', count('entries') + ranges, entry.entries],
      ['deletions', count('deletions') + ranges, entry.deletions],
      ['range deletions', ranges, entry.rangeDeletions],
    ] as const;
    for (const [what, own, said] of pairs) {
      if (own !== said) wrong('count-mismatch', `${own} ${what}, the manifest says ${said}`);
    }
    const [first, last] = [count('seq_first'), count('seq_last')];
    if (first === entry.seqFirst && last === entry.seqLast) return;
    const said = `${entry.seqFirst} to ${entry.seqLast}`;
    wrong('sequence-mismatch', `numbers ${first} to ${last}, the manifest says ${said}`);
  } finally {
    source.close?.();
  }
}

/** Of level 0 the newest table with a key decides: their numbers must not interleave. */
export function checkLevelZero({ version }: Database, tell: Tell): void {
  const zero = [...version.families.get(0)!.tables.values()]
    .filter(({ level, entry }) => level === 0 && entry)
    .map(({ entry, offset, length }) => ({ ...entry!, offset, length }))
    .sort((a, b) => a.seqLast - b.seqLast);
  for (let i = 1; i < zero.length; i++) {
    const [older, newer] = [zero[i - 1]!, zero[i]!];
    if (older.seqLast < newer.seqFirst) continue;
    const message =
      `table ${older.file} of level 0 reaches seq ${older.seqLast}, table ${newer.file} begins at ` +
      `${newer.seqFirst}: which of them is newer depends on the key`;
    const { offset, length } = newer;
    const place = { file: MANIFEST_NAME, offset, length };
    tell({ code: 'sequence-mismatch', severity: 'error', ...place, message });
  }
}

/** The log must go on where the tables end: neither begin behind that, nor end before. */
export async function checkLogReach(
  database: Database,
  context: ScanContext,
  tell: Tell,
): Promise<void> {
  const { version, logSet, logs, guessed } = database;
  if (guessed) return;
  const { flushedSeq } = version;
  const manifest = readManifest(logSet);
  if (manifest === undefined && logs.length > 0) {
    const message =
      'there is none: nothing tells whether segments are missing at an end of the log';
    const place = { file: `${LOG_DIRECTORY}/${LOG_MANIFEST}`, offset: 0, length: 0 };
    const repair =
      'nothing to drop: opening the store makes it anew, from the segments that are left';
    tell({ code: 'missing-file', severity: 'warning', ...place, message, repair });
  }
  const truncated = typeof manifest === 'object' ? Number(manifest.truncatedSeq) : 0;
  let begins: number | undefined;
  let reached = truncated;
  let damaged = typeof manifest === 'string';
  await scanLogs(database, context, {
    resume(previous) {
      begins ??= Number(previous);
      reached = Math.max(reached, Number(previous));
    },
    record({ seq }) {
      begins ??= seq - 1;
      reached = Math.max(reached, seq);
    },
    damage(damage) {
      damaged ||= damage.severity !== 'info';
    },
  });
  const wrong = (message: string): void => {
    const place = { file: MANIFEST_NAME, offset: 40, length: 8 };
    tell({ code: 'missing-log', severity: 'error', ...place, message });
  };
  begins ??= truncated;
  // What is damaged may reach on: its own findings say so.
  if (reached < flushedSeq && !damaged) {
    const what = logs.length === 0 ? 'there is no log' : `the log ends at seq ${reached}`;
    wrong(
      `${what}, the tables hold numbers up to ${flushedSeq}: it is not the log of these tables`,
    );
  } else if (begins > flushedSeq && !damaged) {
    wrong(
      `the log begins behind seq ${begins}, the tables end at ${flushedSeq}: between is nothing`,
    );
  }
}
