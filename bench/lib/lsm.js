// The LSM store beside LevelDB: bench/lsm.ts, bundled and run as it is.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bench, root } from './inputs.js';
import { output, program } from './measure.js';

const ROUNDS = 3;
const peers = join(bench, 'peers');
const COMPARED = [
  'fill, 1,000 under way',
  'gets, random',
  'gets of what is not there',
  'scan, pairs',
];

export async function lsm(report, inputs, { quick }) {
  const count = quick ? 100_000 : 1_000_000;
  // Inside node_modules, so that packages that are left out of the bundle are found from there.
  const cache = join(root, 'node_modules/.cache/ddia-bench');
  mkdirSync(cache, { recursive: true });
  const bundle = join(cache, `lsm-${process.pid}.mjs`);
  const worker = join(cache, `merge-worker-${process.pid}.mjs`);
  const subjects = existsSync(join(peers, 'node_modules/classic-level'))
    ? ['ours', 'level']
    : ['ours'];
  const runs = { ours: [], level: [] };
  try {
    await bundled(join(bench, 'lsm.ts'), bundle);
    await bundled(join(root, 'src/engines/lsm/merge-worker.ts'), worker);
    mkdirSync(inputs.dir, { recursive: true });
    for (let round = 0; round < ROUNDS; round++) {
      for (const subject of subjects) {
        const args = [bundle, subject, inputs.dir, peers, String(count), worker];
        runs[subject].push(JSON.parse(output(program(process.execPath, args))));
      }
    }
  } finally {
    for (const file of [bundle, worker]) rmSync(file, { force: true });
  }
  tell(report, runs, count);
}

function bundled(entry, outfile) {
  return build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
}

function tell(report, { ours, level }, count) {
  const all = (rounds, figure) => rounds.map((round) => round[figure]);
  const million = (values) => values.map((value) => value / 1e6);
  report.section(
    `lsm: ${count.toLocaleString('en')} keys of 16 bytes, values of 100, unsynced, ${ROUNDS} runs`,
  );
  for (const figure of COMPARED) {
    report.row(figure, 'million a second', million(all(ours, figure)));
    if (level.length === 0) continue;
    report.row(`${figure}: classic-level`, 'million a second', million(all(level, figure)));
    const ratios = level.map((other, round) => ours[round][figure] / other[figure]);
    report.row(`${figure}: ours : classic-level`, '×', ratios, { least: 1 });
  }
  if (level.length === 0) report.plain('not measured', 'npm install --prefix bench/peers');
  const settled = 'fill, compactions included';
  report.row(settled, 'million a second', million(all(ours, settled)));
  const blocks = 'blocks read, of 100 gets of what is not there';
  report.row(blocks, '', all(ours, blocks), { most: 1 });
  report.row('write amplification', '×', all(ours, 'write amplification'));
}
