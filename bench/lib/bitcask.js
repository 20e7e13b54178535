// The hash-index store beside LevelDB and LMDB: bench/bitcask.ts, bundled and run as it is.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bench, root } from './inputs.js';
import { output, program } from './measure.js';

const ROUNDS = 3;
const peers = join(bench, 'peers');

export async function bitcask(report, inputs, { quick }) {
  const count = quick ? 100_000 : 1_000_000;
  // Inside node_modules, so that packages that are left out of the bundle are found from there.
  const cache = join(root, 'node_modules/.cache/ddia-bench');
  mkdirSync(cache, { recursive: true });
  const bundle = join(cache, `bitcask-${process.pid}.mjs`);
  const installed = (name) => existsSync(join(peers, 'node_modules', name));
  const subjects = ['ours'];
  if (installed('classic-level')) subjects.push('level');
  if (installed('lmdb')) subjects.push('lmdb');
  const runs = { ours: [], level: [], lmdb: [], synced: [] };
  const run = (subject) => {
    const args = ['--expose-gc', bundle, subject, inputs.dir, peers, String(count)];
    runs[subject].push(JSON.parse(output(program(process.execPath, args))));
  };
  try {
    await build({
      entryPoints: [join(bench, 'bitcask.ts')],
      outfile: bundle,
      bundle: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      target: 'node20',
      logLevel: 'warning',
    });
    mkdirSync(inputs.dir, { recursive: true });
    for (let round = 0; round < ROUNDS; round++) {
      for (const subject of subjects) run(subject);
      run('synced');
    }
  } finally {
    rmSync(bundle, { force: true });
  }
  tell(report, runs, count);
}

function tell(report, { ours, level, lmdb, synced }, count) {
  const all = (rounds, figure) => rounds.map((round) => round[figure]);
  const ratios = (others, figure) =>
    others.map((other, round) => ours[round][figure] / other[figure]);
  const million = (values) => values.map((value) => value / 1e6);
  report.section(
    `bitcask: ${count.toLocaleString('en')} keys of 16 bytes, values of 100, unsynced, ${ROUNDS} runs`,
  );
  const peersOf = [
    ['classic-level', level, { least: 1 }],
    ['lmdb', lmdb, undefined],
  ];
  for (const figure of ['puts, 1,000 under way', 'puts, one after the other', 'gets, random']) {
    report.row(figure, 'million a second', million(all(ours, figure)));
    for (const [name, others, target] of peersOf) {
      if (others.length === 0) continue;
      report.row(`${figure}: ${name}`, 'million a second', million(all(others, figure)));
      const least = figure.startsWith('gets') ? { least: 1 } : target;
      report.row(`${figure}: ours : ${name}`, '×', ratios(others, figure), least);
    }
  }
  if (level.length === 0 || lmdb.length === 0) {
    report.plain('not measured', 'npm install --prefix bench/peers');
  }
  report.row('open from hints', 's', all(ours, 'open from hints, s'), { most: 1.2 });
  const memory = all(ours, 'memory a key beyond the key, bytes');
  report.row('memory a key beyond the key itself', 'bytes', memory, { most: 100 });
  report.row('merge, half of it dead', 'MB/s read', all(ours, 'merge, MB/s read'), { least: 200 });
  const one = all(synced, 'synced puts, one caller');
  const sixteen = all(synced, 'synced puts, 16 callers');
  report.row('synced puts, one caller', 'a second', one);
  report.row('synced puts, 16 callers', 'a second', sixteen);
  report.row(
    'synced puts, 16 callers : one',
    '×',
    sixteen.map((rate, round) => rate / one[round]),
    { least: 8 },
  );
}
