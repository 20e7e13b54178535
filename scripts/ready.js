// Makes a fresh clone ready with only Node and npm there: installs what package-lock.json names, and builds
// dist/ if a source is newer. Says what it does on stderr, and nothing when there is nothing to do.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

function newest(directory) {
  let latest = 0;
  for (const name of readdirSync(directory, { recursive: true })) {
    latest = Math.max(latest, modified(join(directory, String(name))));
  }
  return latest;
}

export async function ready({ manifest = false } = {}) {
  const lock = modified(join(root, 'package-lock.json'));
  if (lock > modified(join(root, 'node_modules/.package-lock.json'))) {
    process.stderr.write('installing dependencies …\n');
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    execFileSync(npm, ['ci', '--no-audit', '--no-fund'], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const sources = Math.max(newest(join(root, 'src')), modified(join(root, 'scripts/build.js')));
  if (manifest || sources > modified(join(root, 'dist/main.js'))) {
    process.stderr.write('building …\n');
    const { buildInto, writeManifest } = await import('./build.js');
    await buildInto(join(root, 'dist'));
    if (manifest) writeManifest();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await ready({ manifest: process.argv.includes('--manifest') });
}
