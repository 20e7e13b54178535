/**
 * Ctrl-C comes as an event, and events are seen in turns of the event loop alone: whatever goes
 * through a large file has to give some. Here the clock says each time that one is due.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { bbolt } from '../../src/formats/btree/bbolt/index.ts';
import { findInPages } from '../../src/formats/btree/find.ts';
import { btree } from '../../src/formats/btree/index.ts';
import { lmdb } from '../../src/formats/btree/lmdb/index.ts';
import type { BtreeContext, BtreeOpened } from '../../src/formats/btree/model.ts';
import { scanTrees } from '../../src/formats/btree/scan.ts';
import { drawTrees, showPages } from '../../src/formats/btree/show.ts';
import { sqlite } from '../../src/formats/btree/sqlite/index.ts';
import { v2 } from '../../src/formats/btree/v2/index.ts';
import { DEFAULT_LIMITS, type RecordSink } from '../../src/formats/format.ts';
import { tableDialects } from '../../src/formats/sstable/index.ts';
import { wal } from '../../src/formats/wal/index.ts';
import { MemorySource, memorySet, root } from '../support/memory.ts';
import { alone } from './btree/support.ts';
import { fileOf, pairs } from './btree/v2-support.ts';

vi.mock('../../src/shared/clock.ts', () => {
  let now = 0;
  return { milliseconds: () => (now += 1000) };
});

/** Runs it, and stops it by an event when it has shown something for the first time. */
async function stopped(run: (signal: AbortSignal, shown: () => void) => Promise<unknown>) {
  const stop = new AbortController();
  let count = 0;
  const running = run(stop.signal, () => {
    if (count++ === 0) setImmediate(() => stop.abort(new Error('stopped')));
  });
  await expect(running).rejects.toThrow('stopped');
  expect(count).toBeGreaterThan(0);
}

const fixture = (name: string) => new Uint8Array(readFileSync(join(root, 'fixtures', name)));
const trees: [string, BtreeOpened][] = [
  ['sqlite', alone(sqlite, 'small-pages.db', fixture('btree/sqlite/small-pages.db'))],
  ['lmdb', alone(lmdb, 'data.mdb', fixture('btree/lmdb/data.mdb'))],
  ['bbolt', alone(bbolt, 'users.db', fixture('btree/bbolt/users.db'))],
  ['v2', alone(v2, 'tree.bt2', fileOf(pairs(3000)))],
];

const contextOf = (input: BtreeOpened, signal: AbortSignal): BtreeContext => ({
  limits: DEFAULT_LIMITS,
  options: {},
  set: input.set,
  signal,
});

/** For what goes on as long as it is told to. */
const more = (shown: () => void) => () => {
  shown();
  return true;
};

describe.each(trees)('Ctrl-C in a B+tree of %s', (_, input) => {
  it('ends a dump of its pages', () =>
    stopped((signal, shown) => showPages(input, contextOf(input, signal), undefined, more(shown))));

  it('ends the drawing of its trees', () =>
    stopped((signal, shown) =>
      drawTrees(input, contextOf(input, signal), { depth: 100 }, more(shown)),
    ));

  it('ends a search through its pages', () =>
    stopped((signal, shown) => findInPages(input, {}, contextOf(input, signal), shown)));

  it('ends the layout of its bytes', () => {
    const source = input.set.open(input.files[0]!.name);
    return stopped((signal, shown) =>
      btree.layout(input, source, contextOf(input, signal), more(shown)),
    );
  });
});

// The one of bbolt has a single leaf, which is a single step.
const scanned = trees.filter(([name]) => name !== 'bbolt');

describe('Ctrl-C in a scan', () => {
  it.each(scanned)('of %s ends it', (_, input) => {
    const sink = {} as RecordSink;
    return stopped((signal, print) =>
      scanTrees(input, { print }, contextOf(input, signal), sink, () => {}),
    );
  });
});

describe('What waits to be printed', () => {
  it.each(scanned)('in a scan of %s is printed in each turn', async (_, input) => {
    const idle = vi.fn();
    const context = { ...contextOf(input, new AbortController().signal), idle };
    await scanTrees(input, { print: () => {} }, context, {} as RecordSink, () => {});
    expect(idle).toHaveBeenCalled();
  });

  it('in a dump of a log is printed in each turn', async () => {
    const idle = vi.fn();
    const name = '000001.wal';
    const set = memorySet({ [name]: fixture(`wal/v1/clean/${name}`) });
    const sink = new Proxy({}, { get: () => () => {} }) as RecordSink;
    const input = { set, dialect: wal.dialects.find(({ id }) => id === 'v1')!, files: set.files };
    await wal.dump(input, {}, { limits: DEFAULT_LIMITS, idle }, sink, () => {});
    expect(idle).toHaveBeenCalled();
  });
});

describe('Ctrl-C in a table', () => {
  const tables: [string, string][] = [
    ['leveldb', 'sstable/leveldb/000005.ldb'],
    ['rocksdb', 'sstable/rocksdb-made/two-level.sst'],
  ];
  it.each(tables)('of %s ends the layout of its bytes', (id, name) => {
    const dialect = tableDialects.find((one) => one.id === id)!;
    const source = new MemorySource('t', fixture(name));
    return stopped((signal, shown) =>
      dialect.layout(source, { limits: DEFAULT_LIMITS, signal }, more(shown)),
    );
  });
});
