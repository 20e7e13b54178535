// The running log: bench/wal-engine.ts, bundled and run as it is.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bench, root } from './inputs.js';
import { output, program } from './measure.js';

export async function engine(report, inputs) {
  // Inside node_modules, so that packages that are left out of the bundle are found from there.
  const cache = join(root, 'node_modules/.cache/ddia-bench');
  mkdirSync(cache, { recursive: true });
  const bundle = join(cache, `wal-engine-${process.pid}.mjs`);
  try {
    await build({
      entryPoints: [join(bench, 'wal-engine.ts')],
      outfile: bundle,
      bundle: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
      target: 'node20',
      logLevel: 'warning',
    });
    report.section('wal engine: appends on the disk of the directory, five runs each');
    const text = output(program(process.execPath, [bundle, inputs.dir]));
    for (const [, what, figure] of text.matchAll(/^(.*?)\s+(\S+ a second)$/gm)) {
      report.plain(what, figure);
    }
  } finally {
    rmSync(bundle, { force: true });
  }
}
