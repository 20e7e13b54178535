// Bundles the application into dist/: one small entry per command, what they share in chunks. One file to
// read instead of hundreds is what makes the start fast. `--manifest` also writes oclif.manifest.json.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/**
 * What @oclif/core requires up front and seldom uses: left in node_modules, behind a proxy that loads it at
 * the first touch. Compiling it would cost a fifth of the start. All are CommonJS, which is what the
 * question for __esModule is about: it must not load them.
 */
const LAZY = [
  'tinyglobby',
  'ejs',
  'cli-spinners',
  'semver',
  'minimatch',
  'lilconfig',
  'wrap-ansi',
  'indent-string',
  'widest-line',
  'get-package-type',
  'node:child_process',
  'node:perf_hooks',
  'node:readline',
];

/**
 * Stands for the package wsl-utils, which oclif loads on every start only to ask whether this is
 * Windows' Linux: the same answer, from the name of the kernel.
 */
const WSL_UTILS = `
  import { readFileSync } from 'node:fs';
  const kernel = () => {
    try {
      return readFileSync('/proc/sys/kernel/osrelease', 'latin1');
    } catch {
      return '';
    }
  };
  export const isWsl = process.platform === 'linux' && /microsoft/i.test(kernel());
  export const powerShellPath = () =>
    (process.env.SYSTEMROOT ?? 'C:\\\\Windows') +
    '\\\\System32\\\\WindowsPowerShell\\\\v1.0\\\\powershell.exe';`;

const lazyDependencies = {
  name: 'lazy-dependencies',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^wsl-utils$/ }, ({ path }) => ({ path, namespace: 'wsl' }));
    onLoad({ filter: /.*/, namespace: 'wsl' }, () => ({ contents: WSL_UTILS }));
    // The ids of commands are ASCII: to sort them by locale only loads the tables of Unicode, 7 ms.
    onLoad({ filter: /@oclif.core.lib.config.plugin\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(
        'a.id.localeCompare(b.id)',
        '(a.id < b.id ? -1 : 1)',
      ),
    }));
    onResolve({ filter: new RegExp(`^(${LAZY.join('|')})$`) }, ({ path, importer }) =>
      importer.includes('@oclif/core') ? { path, namespace: 'lazy' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({
      contents: `
        let loaded;
        const load = () => (loaded ??= ddiaOclifRequire(${JSON.stringify(path)}));
        module.exports = new Proxy(function () {}, {
          get: (_, name) => (name === '__esModule' ? undefined : load()[name]),
          apply: (_, self, args) => load().apply(self, args),
          construct: (_, args) => new (load())(...args),
        });`,
    }));
  },
};

/** Started as threads, from the file of their own, and so small that they need no core. */
const WORKERS = [
  'src/cli/aside-worker.ts',
  'src/engines/bitcask/hint-worker.ts',
  'src/engines/lsm/merge-worker.ts',
];

/**
 * esbuild puts two files into one chunk only if the very same entries need both, which makes dozens
 * of chunks of a few hundred bytes, half a millisecond each. So what many entries need (the share
 * is of all entries) is made the need of each: it becomes one chunk.
 */
const WIDELY_NEEDED = 0.3;

function widelyNeeded({ inputs, outputs }) {
  const entries = Object.values(outputs)
    .flatMap(({ entryPoint }) => entryPoint ?? [])
    .filter((entry) => !WORKERS.includes(entry));
  const needs = new Map();
  for (const entry of entries) {
    const reached = new Set([entry]);
    for (const file of reached) {
      for (const { path, kind, external } of inputs[file].imports)
        if (!external && kind === 'import-statement' && inputs[path]) reached.add(path);
    }
    for (const file of reached) needs.set(file, (needs.get(file) ?? 0) + 1);
  }
  const wide = [...needs].filter(([file, count]) => {
    return file.startsWith('src/') && count >= WIDELY_NEEDED * entries.length;
  });
  return { entries, files: wide.map(([file]) => file) };
}

const oneCore = ({ entries, files }) => ({
  name: 'one-core',
  setup({ onLoad }) {
    const needing = new Set(entries.map((file) => join(root, file)));
    const core = files.map((file) => `import ${JSON.stringify(join(root, file))};`).join('\n');
    onLoad({ filter: /\.ts$/ }, ({ path }) =>
      needing.has(path)
        ? { contents: `${readFileSync(path, 'utf8')}\n${core}`, loader: 'ts' }
        : undefined,
    );
  },
});

/** What CommonJS expects to find. It costs half a millisecond a file, so only those that ask get it. */
const COMMONJS = `${[
  "import { createRequire as ddiaCreateRequire } from 'node:module';",
  "import { fileURLToPath as ddiaFileUrlToPath } from 'node:url';",
  "import { dirname as ddiaDirname } from 'node:path';",
  'const require = ddiaCreateRequire(import.meta.url);',
  'const ddiaOclifRequire = (name) =>',
  "  ddiaCreateRequire(require.resolve('@oclif/core'))(name);",
  'const __filename = ddiaFileUrlToPath(import.meta.url);',
  'const __dirname = ddiaDirname(__filename);',
].join('\n')}\n`;

function giveCommonJs(directory) {
  for (const name of readdirSync(directory, { recursive: true }).map(String)) {
    if (!name.endsWith('.js')) continue;
    const file = join(directory, name);
    const code = readFileSync(file, 'utf8');
    if (/\b(?:require|__dirname|__filename|ddiaOclifRequire)\b/.test(code))
      writeFileSync(file, COMMONJS + code);
  }
}

export async function buildInto(outdir) {
  const src = join(root, 'src');
  const commands = readdirSync(join(src, 'commands'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts'));
  const entryPoints = { main: join(src, 'main.ts') };
  for (const worker of WORKERS) entryPoints[basename(worker, '.ts')] = join(root, worker);
  for (const name of commands) {
    entryPoints[`commands/${name.slice(0, -3)}`] = join(src, 'commands', name);
  }
  // Built beside and swapped in: a command that runs meanwhile finds the one or the other.
  const fresh = `${outdir}.tmp-${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  const settings = {
    entryPoints,
    absWorkingDir: root,
    outdir: fresh,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    chunkNames: 'chunks/[name]-[hash]',
    minify: true,
    logLevel: 'warning',
    plugins: [lazyDependencies],
    // Native or only ever loaded through require when needed.
    external: ['@node-rs/crc32', '@node-rs/xxhash', 'crc-32', 'crc-32/*'],
  };
  const { metafile } = await build({ ...settings, write: false, metafile: true });
  const core = widelyNeeded(metafile);
  await build({ ...settings, plugins: [lazyDependencies, oneCore(core)] });
  giveCommonJs(fresh);
  // The pages that `ddia formats DIALECT` prints.
  for (const name of readdirSync(join(src, 'formats'), { recursive: true }).map(String)) {
    if (!name.endsWith('FORMAT.md')) continue;
    const target = join(fresh, 'formats', name);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(src, 'formats', name), target);
  }
  const old = `${outdir}.old-${process.pid}`;
  if (existsSync(outdir)) renameSync(outdir, old);
  renameSync(fresh, outdir);
  rmSync(old, { recursive: true, force: true });
}

/** oclif reads it instead of loading every command. Sorted: directories list in no fixed order. */
export function writeManifest() {
  execFileSync(process.execPath, [join(root, 'node_modules/oclif/bin/run.js'), 'manifest'], {
    cwd: root,
    env: { ...process.env, OCLIF_SKIP_NEW_VERSION_CHECK: '1', DDIA_SKIP_NEW_VERSION_CHECK: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const file = join(root, 'oclif.manifest.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  const commands = Object.entries(manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1));
  manifest.commands = Object.fromEntries(commands);
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
}

if (process.argv[1] && relative(fileURLToPath(import.meta.url), process.argv[1]) === '') {
  await buildInto(join(root, 'dist'));
  if (process.argv.includes('--manifest')) writeManifest();
}
