// Benchmarks: node bench/run.js [wal] [engine] [bitcask] [lsm] [sstable] [btree] [btree-files]
// [avro] [startup] [search] [--quick] [--dir DIR]. Prints tables for bench/README.md, which says
// what is measured and how to read it. Inputs are made in DIR when first needed and stay there.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { avro } from './lib/avro.js';
import { bitcask } from './lib/bitcask.js';
import { btree } from './lib/btree.js';
import { btreeFiles } from './lib/btree-files.js';
import { engine } from './lib/engine.js';
import { Inputs } from './lib/inputs.js';
import { lsm } from './lib/lsm.js';
import { memoryIsMeasured } from './lib/measure.js';
import { machine, Report } from './lib/report.js';
import { search } from './lib/search.js';
import { sstable } from './lib/sstable.js';
import { startup } from './lib/startup.js';
import { wal } from './lib/wal.js';

const SUITES = {
  wal,
  engine,
  bitcask,
  lsm,
  sstable,
  btree,
  'btree-files': btreeFiles,
  avro,
  startup,
  search,
};

function options() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      dir: { type: 'string', default: join(tmpdir(), 'ddia-bench') },
    },
  });
  const unknown = positionals.find((name) => !(name in SUITES));
  if (unknown !== undefined) {
    throw new Error(
      `there is no benchmark ${unknown}; there are ${Object.keys(SUITES).join(', ')}`,
    );
  }
  return { ...values, suites: positionals.length > 0 ? positionals : Object.keys(SUITES) };
}

async function main() {
  const { quick, dir, suites } = options();
  const inputs = new Inputs(dir);
  const report = new Report();
  const memoryFrom = memoryIsMeasured()
    ? 'GNU time (`%M`)'
    : 'not measured, GNU time is not installed';
  const on = machine({ quick, memoryFrom });
  try {
    for (const name of suites) {
      process.stderr.write(`${name} …\n`);
      await SUITES[name](report, inputs, { quick });
    }
  } finally {
    // What was measured before something failed is not lost.
    process.stdout.write(`${on}\n\n${report}`);
  }
}

main().catch((error) => {
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
});
