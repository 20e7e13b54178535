// Our B+tree beside SQLite and LMDB: bench/btree.ts, bundled and run as it is.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bench, root } from './inputs.js';
import { output, program } from './measure.js';

const ROUNDS = 3;
const peers = join(bench, 'peers');

export async function btree(report, inputs, { quick }) {
  const count = quick ? 100_000 : 1_000_000;
  // Inside node_modules, so that packages that are left out of the bundle are found from there.
  const cache = join(root, 'node_modules/.cache/ddia-bench');
  mkdirSync(cache, { recursive: true });
  const bundle = join(cache, `btree-${process.pid}.mjs`);
  const installed = (name) => existsSync(join(peers, 'node_modules', name));
  const subjects = ['ours', 'synced', 'workload', 'workloadV1'];
  if (installed('better-sqlite3')) subjects.push('sqlite');
  if (installed('lmdb')) subjects.push('lmdb');
  const runs = { ours: [], sqlite: [], lmdb: [], synced: [], workload: [], workloadV1: [] };
  try {
    await build({
      entryPoints: [join(bench, 'btree.ts')],
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
      for (const subject of subjects) {
        const args = [bundle, subject, inputs.dir, peers, String(count)];
        runs[subject].push(JSON.parse(output(program(process.execPath, args))));
      }
    }
  } finally {
    rmSync(bundle, { force: true });
  }
  tell(report, runs, count);
}

function tell(report, { ours, sqlite, lmdb, synced, workload, workloadV1 }, count) {
  const all = (rounds, figure) => rounds.map((round) => round[figure]);
  const million = (values) => values.map((value) => value / 1e6);
  report.section(
    `btree: ${count.toLocaleString('en')} keys of 16 bytes, values of 100, unsynced, ${ROUNDS} runs`,
  );
  const fill = 'batch fill, 1,000 a transaction';
  const gets = 'gets, random';
  const peersOf = [
    ['better-sqlite3', sqlite, { [fill]: { least: 1 }, [gets]: { least: 1 } }],
    ['lmdb', lmdb, { [gets]: { least: 0.4 } }],
  ];
  for (const figure of [fill, gets, 'scan']) {
    report.row(figure, 'million a second', million(all(ours, figure)));
    for (const [name, others, targets] of peersOf) {
      if (others.length === 0) continue;
      report.row(`${figure}: ${name}`, 'million a second', million(all(others, figure)));
      const ratios = others.map((other, round) => ours[round][figure] / other[figure]);
      report.row(`${figure}: ours : ${name}`, '×', ratios, targets[figure]);
    }
  }
  if (sqlite.length === 0 || lmdb.length === 0) {
    report.plain('not measured', 'npm install --prefix bench/peers');
  }
  const random = 'random workload, 512-byte pages';
  report.row(`${random}, against a model`, 'million a second', million(all(workload, random)));
  const inV1 = million(all(workloadV1, `v1: ${random}`));
  report.row(`v1: ${random}, against a model`, 'million a second', inV1);
  for (const figure of ['synced puts, one caller', 'synced puts, 16 callers']) {
    report.row(figure, 'a second', all(synced, figure));
  }
}
