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
import { dirname, join, relative } from 'node:path';
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
];

const lazyDependencies = {
  name: 'lazy-dependencies',
  setup({ onResolve, onLoad }) {
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

export async function buildInto(outdir, options = {}) {
  const src = join(root, 'src');
  const commands = readdirSync(join(src, 'commands'), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts'));
  const entryPoints = {
    main: join(src, 'main.ts'),
    'aside-worker': join(src, 'cli/aside-worker.ts'),
    'hint-worker': join(src, 'engines/bitcask/hint-worker.ts'),
  };
  for (const name of commands) {
    entryPoints[`commands/${name.slice(0, -3)}`] = join(src, 'commands', name);
  }
  // Built beside and swapped in: a command that runs meanwhile finds the one or the other.
  const fresh = `${outdir}.tmp-${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  await build({
    entryPoints,
    outdir: fresh,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    chunkNames: 'chunks/[name]-[hash]',
    minify: true,
    keepNames: false,
    logLevel: 'warning',
    plugins: [lazyDependencies],
    // Native or only ever loaded through require when needed.
    external: ['@node-rs/crc32', '@node-rs/xxhash', 'crc-32', 'crc-32/*'],
    banner: {
      js: [
        "import { createRequire as ddiaCreateRequire } from 'node:module';",
        "import { fileURLToPath as ddiaFileUrlToPath } from 'node:url';",
        "import { dirname as ddiaDirname } from 'node:path';",
        'const require = ddiaCreateRequire(import.meta.url);',
        'const ddiaOclifRequire = (name) =>',
        "  ddiaCreateRequire(require.resolve('@oclif/core'))(name);",
        'const __filename = ddiaFileUrlToPath(import.meta.url);',
        'const __dirname = ddiaDirname(__filename);',
      ].join('\n'),
    },
    ...options,
  });
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
