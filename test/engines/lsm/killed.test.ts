/** Processes that end, one way or the other, while a thread of theirs is there to compact. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LsmStore } from '../../../src/engines/lsm/store.ts';
import { DEFAULT_LIMITS } from '../../../src/formats/format.ts';
import { decodeManifest, MANIFEST_NAME } from '../../../src/formats/lsm/manifest.ts';
import { sstable } from '../../../src/formats/sstable/index.ts';
import { v2 } from '../../../src/formats/sstable/v2/index.ts';
import { tableName } from '../../../src/formats/sstable/v2/layout.ts';
import { openFileSet } from '../../../src/io/file-set.ts';
import { RealDisk } from '../../../src/io/real-disk.ts';

const root = join(import.meta.dirname, '../../..');
/** As it is built; the tests build first. */
const WORKER = join(root, 'dist/merge-worker.js');
let dir: string;
let script: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ddia-killed-'));
  script = join(dir, 'writer-process.mjs');
  const processes = ['writer-process.ts', 'unclosed-process.ts'];
  await build({
    entryPoints: processes.map((name) => join(import.meta.dirname, name)),
    outdir: dir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Tables, finished or not, that the manifest does not name. */
function leftovers(place: string): string[] {
  if (!existsSync(join(place, MANIFEST_NAME))) return [];
  const manifest = decodeManifest(readFileSync(join(place, MANIFEST_NAME)));
  if (typeof manifest === 'string') throw new Error(manifest);
  const named = new Set(manifest.tables.map(({ file }) => tableName(file)));
  return readdirSync(place).filter((name) => name.includes('.sst2') && !named.has(name));
}

/** Lets it write from step `first` on, kills it, and returns the last step that it printed. */
async function oneLife(place: string, first: number, least: number): Promise<number> {
  const child = spawn(process.execPath, [script, place, WORKER, String(first)], {
    stdio: 'pipe',
    // Checksums of long spans are a package's.
    env: { ...process.env, NODE_PATH: join(root, 'node_modules') },
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data;
    // A table that is not named is one that is written at this moment, or about to be named.
    if (output.split('\n').length > least && leftovers(place).length > 1) child.kill('SIGKILL');
  });
  child.stderr.on('data', (data: Buffer) => {
    errors += data;
  });
  await new Promise((resolve) => child.on('close', resolve));
  expect(errors).toBe('');
  return Number(output.split('\n').at(-2));
}

/** What the key's value is after the step; undefined: there is none. */
function valueAfter(step: number, key: number): string | undefined {
  const put = step - ((step - key + 100) % 100);
  const taken = step - ((step - key + 150) % 100);
  return put > taken && put > 0 ? String(put) : undefined;
}

function expectSteps(store: LsmStore, acknowledged: number): number {
  const last = Number(store.get(Buffer.from('last')));
  expect([acknowledged, acknowledged + 1]).toContain(last);
  // Of the step that was under way anything may be there: what it touches is left out.
  const open = new Set([(last + 1) % 100, (last + 51) % 100]);
  for (let key = 0; key < 100; key++) {
    if (open.has(key)) continue;
    expect(
      store
        .get(Buffer.from(`key:${key}`))
        ?.toString()
        .trim(),
    ).toBe(valueAfter(last, key));
  }
  return last;
}

describe('a process that is killed while it compacts in a thread', () => {
  it('has lost nothing, brought nothing back, and leaves what the next opening removes', async () => {
    const place = join(dir, 'store');
    const disk = new RealDisk();
    let last = 0;
    let left = 0;
    for (let life = 0; life < 4; life++) {
      const acknowledged = await oneLife(place, last + 1, 100 + 37 * life);
      left += leftovers(place).length;
      const store = await LsmStore.open(disk, place, { autoCompact: false });
      expect(leftovers(place)).toEqual([]);
      last = expectSteps(store, acknowledged);
      await restore(store, last);
      await store.close();
    }
    expect(last).toBeGreaterThan(500);
    expect(left).toBeGreaterThan(0);
    const set = openFileSet(place);
    const files = sstable.select(set, v2);
    const verified = await sstable.verify({ set, dialect: v2, files }, { limits: DEFAULT_LIMITS });
    expect(verified.findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
  });
});

describe('a process that does not close its store', () => {
  it('ends all the same when the thread has nothing to do', () => {
    const args = [join(dir, 'unclosed-process.mjs'), join(dir, 'unclosed'), WORKER];
    // Less than it would take to wait for a thread that never ends.
    const output = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 30_000 });
    expect(output).toBe('1\n');
  });
});

/** Puts the keys that the step under way touches back to what they were before it. */
async function restore(store: LsmStore, last: number): Promise<void> {
  for (const key of [(last + 1) % 100, (last + 51) % 100]) {
    const value = valueAfter(last, key);
    if (value === undefined) await store.delete(Buffer.from(`key:${key}`));
    else await store.put(Buffer.from(`key:${key}`), Buffer.from(value));
  }
}
