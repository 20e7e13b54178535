// The formats of the write-ahead log: verify and dump against cat, ldb and plain Python.
import { join } from 'node:path';
import { bench, ddia, MIB } from './inputs.js';
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

const MEMORY_MAX = { most: 160 };

export function wal(report, inputs, { quick }) {
  const bytes = (quick ? 128 : 1024) * MIB;
  const rounds = 5;
  const small = inputs.v1(bytes, 64);
  const large = inputs.v1(bytes, 16 + 4096);
  verifyAndDump(report, inputs, { log: small, name: '64 bytes', rounds, small: true });
  verifyAndDump(report, inputs, { log: large, name: 'values of 4 KiB', rounds, small: false });
  againstLdb(report, inputs, { records: 1_000_000, rounds });
  againstPython(report, inputs, { log: small, rounds });
}

function verifyAndDump(report, inputs, { log, name, rounds, small }) {
  report.section(`wal v1 and v2: ${log.bytes / MIB >= 1000 ? '1 GiB' : '128 MiB'}, ${name}`);
  inputs.verified(log.file, log.records);
  const v2 = inputs.v2(log);
  const { cat, v1, hardened } = alternate(
    {
      cat: program('cat', [log.file]),
      v1: ddia(['wal', 'verify', log.file]),
      hardened: ddia(['wal', 'verify', v2.directory]),
    },
    rounds,
  );
  const perSecond = (runs, amount) => secondsOf(runs).map((seconds) => amount / seconds);
  const records = perSecond(v1, log.records / 1e6);
  report.row('v1 verify', 'million records/s', records, small ? { least: 5 } : undefined);
  const rate = perSecond(v1, log.bytes / 1e9);
  report.row('v1 verify', 'GB/s', rate, small ? undefined : { least: 2 });
  report.row('v1 verify : `cat FILE >/dev/null`, time', '×', ratios(v1, cat));
  peak(report, 'v1 verify', v1);

  report.row('v2 verify', 'million records/s', perSecond(hardened, v2.records / 1e6));
  report.row('v2 verify', 'GB/s', perSecond(hardened, v2.bytes / 1e9));
  const share = ratios(v1, hardened).map((times) => (100 * times * v2.bytes) / log.bytes);
  report.row('v2 verify : v1 verify, bytes/s', '%', share, { least: 70 });
  peak(report, 'v2 verify', hardened);

  const { dump } = alternate({ dump: ddia(['wal', 'dump', '--json', log.file]) }, rounds);
  const lines = perSecond(dump, log.records / 1e6);
  const unit = 'million records/s';
  report.row('v1 `dump --json >/dev/null`', unit, lines, small ? { least: 0.7 } : undefined);
  peak(report, 'v1 dump', dump);
}

function peak(report, name, runs) {
  const peaks = peaksOf(runs);
  if (peaks.length > 0) report.row(`${name}, peak memory`, 'MB', peaks, MEMORY_MAX);
}

/** The same RocksDB log, every operation printed by both. ldb prints hex: so does one of ours. */
function againstLdb(report, inputs, { records, rounds }) {
  report.section('rocksdb: against `ldb dump_wal --header --print_value`');
  if (!found('ldb')) {
    report.plain('not measured', 'ldb is not installed (Debian: rocksdb-tools)');
    return;
  }
  const log = inputs.rocksdb(records);
  const ldb = ['dump_wal', `--walfile=${log.path}`, '--header', '--print_value'];
  const hex = ['--key-format', 'hex', '--value-format', 'hex'];
  mustPrint(ddia(['wal', 'dump', '--json', log.path]), records);
  mustPrint(program('ldb', ldb), records + 1); // and a line of titles
  const runs = alternate(
    {
      ldb: program('ldb', ldb),
      dump: ddia(['wal', 'dump', '--json', log.path]),
      hex: ddia(['wal', 'dump', '--json', ...hex, log.path]),
      verify: ddia(['wal', 'verify', log.path]),
    },
    rounds,
  );
  const puts = `${records.toLocaleString('en')} puts of 16 + 100 bytes`;
  report.plain('the log', `${Math.round(log.bytes / 1e6)} MB, ${puts}`);
  report.row('`ldb dump_wal`', 's', secondsOf(runs.ldb));
  report.row('`wal dump --json`', 's', secondsOf(runs.dump));
  report.row('ldb : `wal dump --json`, time', '×', ratios(runs.ldb, runs.dump), { least: 1 });
  report.row('ldb : the same, printing hex', '×', ratios(runs.ldb, runs.hex), { least: 1 });
  report.row('`wal verify`', 's', secondsOf(runs.verify));
  peak(report, 'dump', runs.dump);
}

/**
 * Python reads 100 MB, the tool the whole: rates are compared, so that its start is paid over as
 * much as usual.
 */
function againstPython(report, inputs, { log, rounds }) {
  if (!found('python3')) {
    report.section('wal v1: against a plain Python reader');
    report.plain('not measured', 'python3 is not installed');
    return;
  }
  const version = output(program('python3', ['--version'])).trim();
  report.section(`wal v1: against a plain reader in ${version}`);
  const slice = inputs.v1(100e6, 64);
  const python = program('python3', [join(bench, 'read_v1.py'), slice.file]);
  if (Number(output(python)) !== slice.records) throw new Error('read_v1.py: not all records read');
  const runs = alternate(
    {
      python,
      whole: ddia(['wal', 'verify', log.file]),
      slice: ddia(['wal', 'verify', slice.file]),
    },
    rounds,
  );
  const rate = (all, records) => secondsOf(all).map((seconds) => records / seconds / 1e6);
  report.row('Python, 100 MB', 'million records/s', rate(runs.python, slice.records));
  report.row('`wal verify`, 100 MB', 'million records/s', rate(runs.slice, slice.records));
  const name = `\`wal verify\`, ${Math.round(log.bytes / 1e6)} MB`;
  report.row(name, 'million records/s', rate(runs.whole, log.records));
  const faster = ratios(runs.python, runs.whole).map(
    (times) => (times * log.records) / slice.records,
  );
  report.row('the latter : Python, records/s', '×', faster, { least: 15 });
}
