// B+trees of SQLite and LMDB: fsck and scan against the tools of those who made them.
import { execFileSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { ddia } from './inputs.js';
import {
  alternate,
  found,
  mustPrint,
  output,
  peaksOf,
  program,
  ratios,
  secondsOf,
} from './measure.js';
import { pairsInto } from './sstable.js';

const ROUNDS = 3;
/** Of one pair in make-pairs.js. */
const PAIR_BYTES = 116;
/** Lines of mdb_dump that are none of keys and values. */
const TITLES = 8;

export function btreeFiles(report, inputs, { quick }) {
  sqlite(report, inputs, quick ? 434_000 : 4_340_000);
  lmdb(report, inputs, quick ? 300_000 : 3_000_000);
}

function sqlite(report, inputs, rows) {
  report.section(`btree fsck: SQLite, a table of ${rows.toLocaleString('en')} rows and an index`);
  if (!found('sqlite3')) {
    report.plain('not measured', 'sqlite3 is not installed (Debian: sqlite3)');
    return;
  }
  const file = sqliteFile(inputs, rows);
  const fsck = ddia(['btree', 'fsck', file]);
  const told = output(ddia(['btree', 'fsck', '--json', file]));
  const { clean, stats } = JSON.parse(told).results[0];
  if (!clean || stats.keys < 2 * rows) throw new Error(`${file}: ${stats.keys} keys, ${clean}`);
  const check = program('sqlite3', [file, 'PRAGMA quick_check']);
  if (output(check).trim() !== 'ok') throw new Error(`${file}: SQLite finds it damaged`);
  const runs = alternate({ fsck, check }, ROUNDS);
  report.plain('the file', `${Math.round(statSync(file).size / 1e6)} MB`);
  report.row("`sqlite3 FILE 'PRAGMA quick_check'`", 's', secondsOf(runs.check));
  report.row('`btree fsck`', 's', secondsOf(runs.fsck));
  report.row('`btree fsck` : quick_check, time', '×', ratios(runs.fsck, runs.check), { most: 1 });
  peak(report, '`btree fsck`', runs.fsck);
}

function lmdb(report, inputs, pairs) {
  report.section(`btree scan: LMDB, ${pairs.toLocaleString('en')} keys`);
  if (!found('mdb_load', ['-V']) || !found('mdb_dump', ['-V'])) {
    report.plain('not measured', 'mdb_load and mdb_dump are not installed (Debian: lmdb-utils)');
    return;
  }
  const file = lmdbFile(inputs, pairs);
  const scan = ddia(['btree', 'scan', file]);
  const json = ddia(['btree', 'scan', '--json', file]);
  const text = program('mdb_dump', ['-n', '-p', file]);
  for (const ours of [scan, json]) mustPrint(ours, pairs);
  mustPrint(text, 2 * pairs + TITLES);
  const runs = alternate(
    {
      scan,
      json,
      text,
      hex: program('mdb_dump', ['-n', file]),
      fsck: ddia(['btree', 'fsck', file]),
    },
    ROUNDS,
  );
  report.plain('the file', `${Math.round(statSync(file).size / 1e6)} MB`);
  report.row('`mdb_dump -p` (text)', 's', secondsOf(runs.text));
  report.row('`mdb_dump` (hex)', 's', secondsOf(runs.hex));
  report.row('`btree scan`', 's', secondsOf(runs.scan));
  report.row('`btree scan` : `mdb_dump -p`, time', '×', ratios(runs.scan, runs.text), { most: 2 });
  report.row('`btree scan --json`', 's', secondsOf(runs.json));
  const jsonRatios = ratios(runs.json, runs.text);
  report.row('`btree scan --json` : `mdb_dump -p`, time', '×', jsonRatios, { most: 2 });
  peak(report, '`btree scan --json`', runs.json);
  report.row('`btree fsck`', 's', secondsOf(runs.fsck));
  peak(report, '`btree fsck`', runs.fsck);
}

function peak(report, name, runs) {
  const peaks = peaksOf(runs);
  if (peaks.length > 0) report.row(`${name}, peak memory`, 'MB', peaks);
}

/** Rows in order of their ids, names in none: the index is built by sorting, as SQLite does. */
function sqliteFile(inputs, rows) {
  return inputs.made(`btree-${rows}.sqlite`, (part) => {
    const sql = `PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;
      CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, body BLOB);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
        INSERT INTO t SELECT i, 'name' || (i * 7919 % 10000019), randomblob(200) FROM n;
      CREATE INDEX tn ON t(name);`;
    execFileSync('sqlite3', [part, sql], { stdio: ['ignore', 'ignore', 'inherit'] });
  });
}

function lmdbFile(inputs, pairs) {
  return inputs.made(`btree-${pairs * PAIR_BYTES}.mdb`, (part) => {
    pairsInto('mdb', pairs * PAIR_BYTES, ['mdb_load', '-n', part]);
    rmSync(`${part}-lock`, { force: true });
  });
}
