#!/usr/bin/env node
// The installed command. `--version` is answered before anything is loaded.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const argv = process.argv.slice(2);
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === 'version')) {
  const { name, version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  process.stdout.write(
    `${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`,
  );
} else {
  const { main } = await import('../dist/main.js');
  await main(argv, root);
}
