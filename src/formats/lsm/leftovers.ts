/** The files that are there against those that the manifest names. */
import type { Finding } from '../format.ts';
import type { Database } from './model.ts';
import { namedFile } from './names.ts';
import { firstLog, liveNumbers } from './open.ts';
import { missingTable } from './table-cursor.ts';

export function checkFiles(database: Database): Finding[] {
  return [...missing(database), ...leftovers(database)];
}

function missing(database: Database): Finding[] {
  const { set, version, manifest, software, guessed, logs } = database;
  const findings: Finding[] = [];
  const file = manifest ?? 'CURRENT';
  for (const family of version.families.values()) {
    for (const table of family.tables.values()) {
      if (table.name === undefined) findings.push(missingTable(database, table));
    }
  }
  const blobs = new Set(
    set.files.map(namedFile).flatMap(({ kind, number }) => (kind === 'blob' ? [number] : [])),
  );
  for (const number of version.blobFiles) {
    if (blobs.has(number)) continue;
    const message = `blob file ${number} is live, and is not there`;
    const place = { file, offset: 0, length: 0 };
    findings.push({ code: 'missing-file', severity: 'error', ...place, message });
  }
  const first = firstLog(version, !guessed);
  if (first > 0 && !logs.some(({ number }) => number >= first)) {
    // A copy that was made after everything had been flushed has none.
    findings.push({
      code: 'missing-log',
      severity: software === 'leveldb' ? 'warning' : 'info',
      file,
      offset: 0,
      length: 0,
      message: `no log with number ${first} or higher is there: what it held is lost, if anything`,
    });
  }
  return findings;
}

/** Files that the database's own software removes when it opens it, and others. */
function leftovers(database: Database): Finding[] {
  const { set, software, version, manifest, logs, guessed } = database;
  const live = liveNumbers(version);
  const logNames = new Set(logs.map(({ name }) => name));
  const findings: Finding[] = [];
  for (const { name, kind, number, size } of set.files.map(namedFile)) {
    const tell = (severity: 'warning' | 'info', message: string): void => {
      const place = { file: name, offset: 0, length: size };
      findings.push({ code: 'leftover-file', severity, ...place, message });
    };
    if (kind === 'table' && !live.has(number) && !guessed) {
      const next = version.nextFileNumber ?? 0;
      const how =
        number >= next
          ? `its number is beyond the next one to be given, ${next}`
          : 'a compaction or a flush that a crash ended leaves such';
      const whose =
        software === 'v2'
          ? 'the manifest does not name the table'
          : 'no edit names the table, or a later one deleted it';
      tell('warning', `${whose}; ${how}`);
    } else if (kind === 'log' && !logNames.has(name)) {
      tell('info', 'the log is older than those that are read: its content is in tables');
    } else if (kind === 'manifest' && name !== manifest) {
      tell('info', `CURRENT names ${manifest ?? 'another'}`);
    } else if (kind === 'blob' && !version.blobFiles.has(number)) {
      tell('info', 'no edit names the blob file');
    } else if (kind === 'temporary') tell('info', 'a file that was being written');
    else if (kind === 'foreign') tell('info', 'named like no file of such a store');
  }
  return findings;
}
