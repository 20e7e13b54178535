// Avro: cat of large containers against avrocat, and the codec in memory against avsc.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bench, ddia, root } from './inputs.js';
import { alternate, found, output, peaksOf, program, ratios, secondsOf } from './measure.js';

const MEMORY_MAX = { most: 150 };

export async function avro(report, inputs, { quick }) {
  const bytes = (quick ? 50 : 500) * 1e6;
  await codec(report);
  for (const name of ['null', 'deflate']) cat(report, inputs, { name, bytes });
}

function cat(report, inputs, { name, bytes }) {
  report.section(`avro cat: ten fields a record, ${bytes / 1e6} MB of data, codec ${name}`);
  const file = inputs.avro(name, bytes);
  const ours = ddia(['avro', 'cat', file]);
  if (!found('avrocat')) {
    report.plain('`avrocat`', 'not installed (Debian: avro-bin)');
    const { cat: runs } = alternate({ cat: ours }, 3);
    figures(report, runs, bytes);
    return;
  }
  const { cat: runs, peer } = alternate({ cat: ours, peer: program('avrocat', [file]) }, 3);
  figures(report, runs, bytes);
  report.row('`avrocat`', 's', secondsOf(peer));
  report.row('`avro cat` : `avrocat`, time', '×', ratios(runs, peer), { most: 1 });
}

function figures(report, runs, bytes) {
  report.row('`avro cat`', 's', secondsOf(runs));
  report.row(
    '`avro cat`, data',
    'MB/s',
    secondsOf(runs).map((seconds) => bytes / 1e6 / seconds),
  );
  const peaks = peaksOf(runs);
  if (peaks.length > 0) report.row('`avro cat`, peak memory', 'MB', peaks, MEMORY_MAX);
}

/** bench/avro-codec.ts, bundled and run as it is. */
async function codec(report) {
  const cache = join(root, 'node_modules/.cache/ddia-bench');
  mkdirSync(cache, { recursive: true });
  const bundle = join(cache, `avro-codec-${process.pid}.mjs`);
  try {
    await build({
      entryPoints: [join(bench, 'avro-codec.ts')],
      outfile: bundle,
      bundle: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      target: 'node20',
      logLevel: 'warning',
    });
    report.section('avro codec: a record of ten fields, in memory, against avsc');
    const text = output(program(process.execPath, [bundle]));
    for (const name of ['encode', 'decode']) {
      const turns = [...text.matchAll(new RegExp(`^${name} (\\d+) (\\d+) (\\d+)$`, 'gm'))];
      const column = (i) => turns.map((turn) => Number(turn[i]));
      report.row(name, 'ns', column(1));
      report.row(`${name}, avsc`, 'ns', column(2));
      report.row(`${name} : avsc, records a second`, '%', column(3), { least: 80 });
    }
  } finally {
    rmSync(bundle, { force: true });
  }
}
