// Tables that RocksDB wrote, against sst_dump; compaction of our own.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bench, ddia, MIB, root } from './inputs.js';
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

const READ_MEMORY_MAX = { most: 200 };
const COMPACT_MEMORY_MAX = { most: 250 };
/** Of one pair in make-pairs.js. */
const PAIR_BYTES = 116;
const PARTS = 4;
/** What sst_dump's scan prints before the first entry. */
const TITLES = 4;
const ROUNDS = 3;

export function sstable(report, inputs, { quick }) {
  const bytes = (quick ? 64 : 256) * MIB;
  for (const compression of ['no', 'zstd']) {
    const name = compression === 'no' ? 'not compressed' : compression;
    report.section(`sstable rocksdb: ${bytes / MIB} MiB of keys and values, ${name}`);
    if (!found('ldb') || !found('sst_dump')) {
      report.plain('not measured', 'ldb and sst_dump are not installed (Debian: rocksdb-tools)');
      continue;
    }
    const table = rocksdbTable(inputs, compression, bytes);
    againstSstDump(report, table, bytes);
    checksumsAlone(report, table, name);
  }
  compaction(report, inputs, 4 * bytes);
}

function againstSstDump(report, table, bytes) {
  const pairs = Math.floor(bytes / PAIR_BYTES);
  const theirs = (command, ...more) =>
    program('sst_dump', [`--command=${command}`, `--file=${table}`, ...more]);
  const dump = ddia(['sstable', 'dump', '--json', table]);
  mustPrint(dump, pairs);
  mustPrint(theirs('scan'), pairs + TITLES);
  const { records } = JSON.parse(output(ddia(['sstable', 'verify', '--json', table]))).results[0]
    .stats;
  if (records !== pairs) throw new Error(`${table}: ${records} entries, expected ${pairs}`);
  const runs = alternate(
    {
      full: ddia(['sstable', 'verify', table]),
      check: theirs('check', '--verify_checksum'),
      dump,
      scan: theirs('scan'),
    },
    ROUNDS,
  );
  const size = `${Math.round(statSync(table).size / 1e6)} MB`;
  report.plain('the table', `${size}, ${pairs.toLocaleString('en')} entries`);
  report.row('`sst_dump --command=check --verify_checksum`', 's', secondsOf(runs.check));
  report.row('`sstable verify`', 's', secondsOf(runs.full));
  report.row('`sstable verify` : `sst_dump` check, time', '×', ratios(runs.full, runs.check));
  peak(report, '`sstable verify`', runs.full, READ_MEMORY_MAX);
  report.row('`sst_dump --command=scan`', 's', secondsOf(runs.scan));
  report.row('`sstable dump --json`', 's', secondsOf(runs.dump));
  report.row('`sstable dump --json` : `sst_dump` scan, time', '×', ratios(runs.dump, runs.scan));
  peak(report, '`sstable dump --json`', runs.dump, READ_MEMORY_MAX);
}

/** sst_dump reads all of the table either way, and compares the checksums only when told to. */
export function checksumsAlone(report, table, name) {
  report.section(`sstable verify --quick: the same table, ${name}`);
  const verify = ['--command=verify', `--file=${table}`];
  const runs = alternate(
    {
      quick: ddia(['sstable', 'verify', '--quick', table]),
      verify: program('sst_dump', [...verify, '--verify_checksum']),
      bare: program('sst_dump', verify),
    },
    2 * ROUNDS,
  );
  report.row('`sst_dump --command=verify` (compares no checksum)', 's', secondsOf(runs.bare));
  report.row('`sst_dump --command=verify --verify_checksum`', 's', secondsOf(runs.verify));
  report.row('`sstable verify --quick`', 's', secondsOf(runs.quick));
  const times = ratios(runs.quick, runs.verify);
  report.row('`sstable verify --quick` : `--verify_checksum`, time', '×', times);
  peak(report, '`sstable verify --quick`', runs.quick, READ_MEMORY_MAX);
}

/** Four tables whose keys lie between each other's, into new ones. */
function compaction(report, inputs, bytes) {
  const tables = ownTables(inputs, bytes);
  const files = readdirSync(tables).map((name) => join(tables, name));
  const size = files.reduce((sum, file) => sum + statSync(file).size, 0);
  report.section(`sstable compact: ${PARTS} tables of v2, ${Math.round(size / 1e6)} MB`);
  const out = join(inputs.dir, `compacted-${process.pid}`);
  try {
    const compact = ddia(['sstable', 'compact', ...files, '--out', out, '--force']);
    const { runs } = alternate({ runs: compact }, ROUNDS);
    const { stats } = JSON.parse(output(ddia(['sstable', 'verify', out, '--json']))).results[0];
    const pairs = PARTS * Math.floor(bytes / PARTS / PAIR_BYTES);
    if (stats.records !== pairs) throw new Error(`${out}: ${stats.records} entries, not ${pairs}`);
    const rate = secondsOf(runs).map((seconds) => size / 1e6 / seconds);
    report.row('`sstable compact`', 's', secondsOf(runs));
    report.row('`sstable compact`, bytes read', 'MB/s', rate, { least: 100 });
    peak(report, '`sstable compact`', runs, COMPACT_MEMORY_MAX);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function peak(report, name, runs, target) {
  const peaks = peaksOf(runs);
  if (peaks.length > 0) report.row(`${name}, peak memory`, 'MB', peaks, target);
}

/** One table for all: the memtable holds everything, and the compaction writes one file. */
function rocksdbTable(inputs, compression, bytes) {
  return inputs.made(`sstable-${compression}-${bytes}.sst`, (part) => {
    const db = join(inputs.dir, 'sstable.part');
    rmSync(db, { recursive: true, force: true });
    const sizes = ['--write_buffer_size=1073741824', '--file_size=2147483647'];
    const options = [`--db=${db}`, `--compression_type=${compression}`, ...sizes];
    pairsInto('ldb', bytes, ['ldb', ...options, 'load', '--create_if_missing', '--disable_wal']);
    execFileSync('ldb', [...options, 'compact'], { stdio: 'ignore' });
    const tables = readdirSync(db).filter((name) => name.endsWith('.sst'));
    if (tables.length !== 1) throw new Error(`ldb left ${tables.length} tables, expected one`);
    renameSync(join(db, tables[0]), part);
    rmSync(db, { recursive: true });
  });
}

function ownTables(inputs, bytes) {
  return inputs.made(`sstable-v2-${bytes}`, (part) => {
    mkdirSync(part);
    for (let i = 0; i < PARTS; i++) {
      const run = [process.execPath, join(root, 'bin/run.js'), 'sstable', 'write'];
      pairsInto('ddia', bytes / PARTS, [...run, join(part, `${i}.sst`)], PARTS, i);
    }
  });
}

/** make-pairs.js into the standard input of a command. */
export function pairsInto(style, bytes, command, of = 1, part = 0) {
  const make = [process.execPath, join(bench, 'make-pairs.js'), style, bytes, of, part].map(String);
  const line = '"$1" "$2" "$3" "$4" "$5" "$6" | { shift 6; "$@"; }';
  execFileSync('sh', ['-c', line, 'sh', ...make, ...command], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
