/**
 * Before any test: dist/ is what the sources say, as tests of commands run it. It is built beside
 * and put in its place at once, so that a run that is under way elsewhere does not find half of
 * it.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

export default async function setup(): Promise<void> {
  const sources = Math.max(newest(join(root, 'src')), modified(join(root, 'scripts/build.js')));
  if (sources > modified(join(dist, 'main.js'))) await build();
  if (!manifestHasAll()) {
    process.stderr.write('oclif.manifest.json lacks commands or has too many: written anew\n');
    (await buildScript()).writeManifest();
  }
}

interface BuildScript {
  buildInto(outdir: string): Promise<void>;
  writeManifest(): void;
}

async function buildScript(): Promise<BuildScript> {
  return (await import(pathToFileURL(join(root, 'scripts/build.js')).href)) as BuildScript;
}

async function build(): Promise<void> {
  const { buildInto } = await buildScript();
  const fresh = `${dist}.new-${process.pid}`;
  const old = `${dist}.old-${process.pid}`;
  await buildInto(fresh);
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(fresh, dist);
  rmSync(old, { recursive: true, force: true });
}

/** A command that the manifest does not know is hidden from oclif. */
function manifestHasAll(): boolean {
  const path = join(root, 'oclif.manifest.json');
  if (!existsSync(path)) return false;
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as { commands: Record<string, unknown> };
  const files = readdirSync(join(root, 'src/commands'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.slice(0, -3).replaceAll(/[\\/]/g, ':'));
  return files.sort().join() === Object.keys(manifest.commands).sort().join();
}

function modified(path: string): number {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

function newest(directory: string): number {
  let latest = 0;
  for (const name of readdirSync(directory, { recursive: true })) {
    latest = Math.max(latest, modified(join(directory, String(name))));
  }
  return latest;
}
