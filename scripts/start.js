// npm start: the main job on fixtures. npm start -- ARGS: ddia ARGS.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ready, root } from './ready.js';

await ready();
const args = process.argv.slice(2);
if (args.length > 0) {
  const { status } = spawnSync(process.execPath, [join(root, 'bin/run.js'), ...args], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 130;
} else {
  const { demo } = await import('./demo.js');
  process.exitCode = demo();
}
