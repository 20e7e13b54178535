// What a short command costs: nearly all of it is the start of Node and of the command line.
import { join } from 'node:path';
import { ddia, root } from './inputs.js';
import { alternate, program, ratios, secondsOf } from './measure.js';

export function startup(report, _inputs, { quick }) {
  report.section('start');
  const bare = true;
  const segment = join(root, 'fixtures/wal/v1/clean/000001.wal');
  const { node, version, verify } = alternate(
    {
      node: program(process.execPath, ['-e', '0'], { bare }),
      version: ddia(['--version'], { bare }),
      verify: ddia(['wal', 'verify', segment], { bare }),
    },
    quick ? 15 : 25,
  );
  const milliseconds = (runs) => secondsOf(runs).map((seconds) => seconds * 1000);
  report.row('`node -e 0`', 'ms', milliseconds(node));
  report.row('`--version`', 'ms', milliseconds(version));
  report.row('`--version` : `node -e 0`', '×', ratios(version, node), { most: 1.3 });
  report.row('`wal verify`, 419 bytes', 'ms', milliseconds(verify));
  report.row('`wal verify` : `node -e 0`', '×', ratios(verify, node), { most: 2.3 });
}
