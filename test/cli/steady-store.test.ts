/** Commands that read a B+tree of ours while a process writes to it: this one. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { steady } from '../../src/cli/steady-store.ts';
import { BtreeStore } from '../../src/engines/btree/store.ts';
import { V1Store } from '../../src/engines/btree-v1/store.ts';
import { btree } from '../../src/formats/btree/index.ts';
import type { BtreeOpened } from '../../src/formats/btree/model.ts';
import { checkFile } from '../../src/formats/btree/open.ts';
import { identify } from '../../src/formats/detect.ts';
import { openFileSet } from '../../src/io/file-set.ts';
import { RealDisk } from '../../src/io/real-disk.ts';
import { contextOf, verify } from '../formats/btree/support.ts';
import { temporaryDirectory } from './run.ts';

const KEYS = 200;
const options = { pageSize: 512, sync: 'none' } as const;
type Store = BtreeStore | V1Store;

async function write(store: Store, round: number): Promise<void> {
  for (let i = 0; i < KEYS; i++) {
    await store.put(Buffer.from(`key${i}`), Buffer.from(`round ${round}`.repeat(1 + (i % 5))));
  }
  store.sync();
}

function fresh(): string {
  const directory = join(temporaryDirectory(), 'store');
  mkdirSync(directory);
  return directory;
}

async function identified(directory: string): Promise<BtreeOpened & { family: typeof btree }> {
  return (await identify([btree], openFileSet(directory))) as never;
}

async function codesOf(input: BtreeOpened, between: () => Promise<void>): Promise<string[]> {
  const context = { ...contextOf(), set: input.set };
  const source = input.set.open(input.files[0]!.name);
  const file = await input.dialect.open(input, source, context);
  const found: string[] = [];
  await between();
  await checkFile(file, context, ({ code, severity }) => {
    if (severity !== 'info') found.push(code);
  });
  file.close();
  return found;
}

describe('a v2 store that is written to', () => {
  it('keeps what a command looks at', async () => {
    const directory = fresh();
    const store = BtreeStore.open(new RealDisk(), directory, options);
    await write(store, 0);
    const input = await steady(await identified(directory));
    expect(readdirSync(directory).some((name) => name.startsWith('.reader-'))).toBe(true);
    const found = await codesOf(input, async () => {
      for (let round = 1; round < 9; round++) await write(store, round);
    });
    expect(found).toEqual([]);
    store.close();
  });

  it('may grow between being opened and being read', async () => {
    const directory = fresh();
    const store = BtreeStore.open(new RealDisk(), directory, options);
    await store.put(Buffer.from('a'), Buffer.from('1'));
    const input = await identified(directory);
    const early = input.set.open('tree.bt2');
    await write(store, 1);
    let given = false;
    const set = {
      ...input.set,
      open: (name: string) => {
        if (given) return input.set.open(name);
        given = true;
        return early;
      },
    };
    expect(await codesOf({ ...input, set }, async () => {})).toEqual([]);
    store.close();
  });

  it('has both meta pages read as they were at one moment', async () => {
    const directory = fresh();
    const store = BtreeStore.open(new RealDisk(), directory, options);
    await write(store, 0);
    const input = await identified(directory);
    const old = readFileSync(join(directory, 'tree.bt2'));
    for (let round = 1; round < 4; round++) await write(store, round);
    const now = input.set.open('tree.bt2');
    let reads = 0;
    const read = (target: Uint8Array, start: number, length: number, position: number) => {
      if (reads++ > 0) return now.read(target, start, length, position);
      target.set(old.subarray(position, position + length), start);
      return length;
    };
    const open = () => ({ name: now.name, size: now.size, read });
    const set = { ...input.set, open };
    expect(await codesOf({ ...input, set }, async () => {})).toEqual([]);
    store.close();
  });

  it('is left alone where nobody writes', async () => {
    const directory = fresh();
    const store = BtreeStore.open(new RealDisk(), directory, options);
    await write(store, 0);
    store.close();
    const input = await identified(directory);
    expect(await steady(input)).toBe(input);
    expect(readdirSync(directory)).toEqual(['tree.bt2']);
  });
});

describe('a v1 store that is written to', () => {
  it('is read as it was at one moment, tree and log', async () => {
    const directory = fresh();
    const store = await V1Store.open(new RealDisk(), directory, options);
    await write(store, 0);
    const input = await steady(await identified(directory));
    for (let i = 0; i < KEYS; i++) await store.delete(Buffer.from(`key${i}`));
    store.sync();
    expect(await verify(input)).toMatchObject({ clean: true, stats: { keys: KEYS } });
    expect(await verify(await identified(directory))).toMatchObject({ stats: { keys: 0 } });
    store.close();
  });
});
