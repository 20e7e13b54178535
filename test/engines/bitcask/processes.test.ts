/** Other processes: readers beside a writer that merges, and writers that are killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BitcaskReader } from '../../../src/engines/bitcask/reader.ts';
import { BitcaskStore } from '../../../src/engines/bitcask/store.ts';
import { RealDisk } from '../../../src/io/real-disk.ts';
import { Random } from '../../../src/shared/random.ts';
import { b } from './stores.ts';

const root = join(import.meta.dirname, '../../..');
const disk = new RealDisk();
let dir: string;
let script: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ddia-processes-'));
  script = join(dir, 'writer.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'writer-process.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Child {
  process: ChildProcess;
  /** Lines that it has printed; one that is not finished does not count. */
  lines: () => string[];
  /** Resolves when it has printed so many lines. */
  printed: (count: number) => Promise<void>;
  ended: Promise<void>;
}

function start(...args: string[]): Child {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: 'pipe',
    // Checksums of long spans are a package's.
    env: { ...process.env, NODE_PATH: join(root, 'node_modules') },
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data;
  });
  child.stderr.on('data', (data: Buffer) => {
    errors += data;
  });
  const lines = () => output.split('\n').slice(0, -1);
  const ended = new Promise<void>((resolve, reject) => {
    child.on('close', () => (errors === '' ? resolve() : reject(new Error(errors))));
  });
  const printed = (count: number) =>
    new Promise<void>((resolve, reject) => {
      child.stdout.on('data', () => {
        if (lines().length >= count) resolve();
      });
      ended.then(() => reject(new Error('it has ended')), reject);
    });
  return { process: child, lines, printed, ended };
}

/** The step up to which the content is what the writer's steps leave. Throws where it is none. */
function stepsOf(store: BitcaskReader | BitcaskStore): number {
  const content = new Map<string, number>();
  for (const { key, value } of store.scan()) content.set(`${key}`, Number(value));
  const step = content.get('step') ?? 0;
  expect(content.get('plus') ?? 0).toBe((step * (step + 1)) / 2);
  expect((content.get('plus') ?? 0) + (content.get('minus') ?? 0)).toBe(0);
  for (let i = Math.max(1, step - 49); i <= step; i++) {
    const value = content.get(`ring:${i % 50}`);
    // Of the last step, only the batch is sure to be there.
    if (i < step) expect(value).toBe(i);
    else expect([i, i > 50 ? i - 50 : undefined]).toContain(value);
  }
  const passing = [...content.keys()].filter((key) => key.startsWith('passing:'));
  expect(['', `${step - 1}`, `${step}`, `${step - 1},${step}`, `${step},${step - 1}`]).toContain(
    passing.map((key) => key.slice(8)).join(),
  );
  return step;
}

describe('readers beside a writer that merges, in another process', () => {
  it('see what some prefix of its writes leaves, and no error', async () => {
    const place = join(dir, 'read');
    const child = start(place, 'merge', '1');
    await child.printed(1);
    const kept = await BitcaskReader.open(disk, place);
    const seen: number[] = [];
    const begun = performance.now();
    while (performance.now() - begun < 800 || new Set(seen).size < 10) {
      const fresh = await BitcaskReader.open(disk, place);
      const steps = stepsOf(fresh);
      fresh.close();
      await kept.refresh();
      seen.push(stepsOf(kept));
      expect(seen.at(-1)).toBeGreaterThanOrEqual(steps);
      await new Promise((resolve) => setImmediate(resolve));
    }
    child.process.stdin!.end();
    await child.ended;
    const { steps, merges } = JSON.parse(child.lines()[1]!) as { steps: number; merges: number };
    expect(seen).toEqual(seen.toSorted((x, y) => x - y));
    expect(new Set(seen).size).toBeGreaterThanOrEqual(10);
    expect(merges).toBeGreaterThan(0);
    await kept.refresh();
    expect(stepsOf(kept)).toBe(steps);
    kept.close();
  });
});

describe('a writer that is killed', () => {
  it('has lost nothing that it acknowledged', async () => {
    const place = join(dir, 'kill');
    const random = new Random(7);
    let last = 0;
    for (let life = 0; life < 5; life++) {
      const child = start(place, 'acknowledge', String(last + 1));
      await child.printed(1 + random.below(80));
      child.process.kill('SIGKILL');
      await child.ended;
      const acknowledged = Number(child.lines().at(-1));
      expect(acknowledged).toBeGreaterThan(last);
      const reader = await BitcaskReader.open(disk, place);
      const steps = stepsOf(reader);
      reader.close();
      expect([acknowledged, acknowledged + 1]).toContain(steps);
      const store = await BitcaskStore.open(disk, place, { sync: 'none' });
      expect(stepsOf(store)).toBe(steps);
      // Goes on where the next one is sure to begin.
      const value = b(String(steps).padEnd(100));
      await store.put(b(`ring:${steps % 50}`), value);
      await store.delete(b(`passing:${steps - 1}`));
      await store.close();
      last = steps;
    }
    expect(last).toBeGreaterThan(10);
  });
});
