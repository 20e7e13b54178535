/** What a repair keeps: everything that is not in damaged blocks and records, and no more. */
import { describe, expect, it } from 'vitest';
import { LsmStore } from '../../../src/engines/lsm/store.ts';
import type { Opened, RepairPlan } from '../../../src/formats/format.ts';
import { lsm, v2 } from '../../../src/formats/lsm/index.ts';
import { fromLog } from '../../../src/formats/lsm/log-operation.ts';
import {
  decodeManifest,
  type LsmManifest,
  MANIFEST_NAME,
} from '../../../src/formats/lsm/manifest.ts';
import { rewriteStore } from '../../../src/formats/lsm/rewrite.ts';
import { StoreWriter } from '../../../src/formats/lsm/store-writer.ts';
import { TYPE } from '../../../src/formats/sstable/entry-block.ts';
import { EntryCopy } from '../../../src/formats/sstable/entry-copy.ts';
import { v2 as table } from '../../../src/formats/sstable/v2/index.ts';
import { tableName } from '../../../src/formats/sstable/v2/layout.ts';
import { scanLog } from '../../../src/formats/wal/reader.ts';
import { selectSegments } from '../../../src/formats/wal/segments.ts';
import { v2 as log } from '../../../src/formats/wal/v2/index.ts';
import { bootProcesses } from '../../../src/io/processes.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { Random } from '../../../src/shared/random.ts';
import { MemorySource, memorySet } from '../../support/memory.ts';
import { codes, content, context, databaseFiles, type Files, open, verify } from './databases.ts';
import { contentOf, diskOf, filesOf, openStore, ROOT, randomStore } from './own-stores.ts';

interface Entry {
  type: number;
  seq: number;
  key: string;
  value: string;
}

const nameOf = ({ type, seq, key, value }: Entry): string => `${seq} ${type} ${key} ${value}`;

/** Files in memory as a repair writes them. */
class MemoryOutput {
  readonly files: Files = {};

  create(name: string) {
    const parts: Uint8Array[] = [];
    return {
      write: (bytes: Uint8Array, start: number, end: number) => {
        parts.push(bytes.slice(start, end));
      },
      finish: () => {
        this.files[name] = new Uint8Array(Buffer.concat(parts));
      },
    };
  }
}

function opened(files: Files): Opened {
  const set = memorySet(files);
  return { set, dialect: v2, files: lsm.select(set, v2) };
}

async function repaired(files: Files, mend = false): Promise<{ plan: RepairPlan; files: Files }> {
  const input = opened(files);
  const plan: RepairPlan = { ...(await lsm.planRepair!(input, { mend }, context)), inputs: [] };
  const output = new MemoryOutput();
  await lsm.applyRepair!(input, plan, context, output);
  return { plan, files: output.files };
}

/** Entries of the tables `names`, by a scan of each file, and those of the log. */
async function entriesOf(files: Files, names: readonly string[]): Promise<Entry[]> {
  const entries: Entry[] = [];
  const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
  for (const name of names.filter((one) => files[one])) {
    const source = new MemorySource(name, files[name]!);
    await table.scan(
      source,
      { ...context, depth: 'read' },
      {
        block(block) {
          for (let i = 0; i < block.count; i++) {
            const seq = block.seqHigh[i]! * 2 ** 32 + block.seqLow[i]!;
            const [key, value] = [text(block.key(i)), text(block.value(i))];
            entries.push({ type: block.types[i]!, seq, key, value });
          }
        },
        damage() {},
      },
    );
  }
  const set = memorySet(files).below?.('wal');
  if (!set) return entries;
  const input = { set, dialect: log, files: selectSegments(set, log) };
  await scanLog(
    input,
    { ...context, set },
    {
      record(record) {
        fromLog(record, (type, seq, key, keyStart, keyEnd, value, valueStart, valueEnd) => {
          const own = text(value.subarray(valueStart, valueEnd));
          entries.push({ type, seq, key: text(key.subarray(keyStart, keyEnd)), value: own });
        });
      },
      damage() {},
    },
  );
  return entries;
}

/** Live content of entries, by their numbers alone. */
function liveOf(entries: readonly Entry[]): string[] {
  const newest = new Map<string, Entry>();
  const ranges = entries.filter(({ type }) => type === TYPE.rangeDelete);
  for (const entry of entries) {
    if (entry.type === TYPE.rangeDelete) continue;
    if ((newest.get(entry.key)?.seq ?? 0) < entry.seq) newest.set(entry.key, entry);
  }
  const covered = ({ key, seq }: Entry) =>
    ranges.some((range) => range.seq > seq && range.key <= key && key < range.value);
  return [...newest.values()]
    .filter((entry) => entry.type === TYPE.put && !covered(entry))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, value }) => `${key}=${value}`);
}

const tablesIn = (files: Files): string[] =>
  Object.keys(files).filter((name) => name.endsWith('.sst2'));

const points = (entries: readonly Entry[]): string[] =>
  [...new Set(entries.filter(({ type }) => type !== TYPE.rangeDelete).map(nameOf))].sort();

function expectAccounted(plan: RepairPlan, files: Files): void {
  for (const [name, bytes] of Object.entries(files)) {
    const spans = plan.ledger.filter(({ file }) => file === name);
    expect({ name, bytes: spans.reduce((sum, { length }) => sum + length, 0) }).toEqual({
      name,
      bytes: bytes.length,
    });
  }
}

/** Opened by the engine, written to, and read again. */
async function engineContent(files: Files): Promise<string[]> {
  const disk = diskOf(files);
  const options = { autoCompact: false, create: false };
  const store = await LsmStore.open(disk, ROOT, { ...options, processes: bootProcesses(1) });
  const before = await contentOf(store);
  const seq = await store.put(Buffer.from('~new'), Buffer.from('n'));
  expect(seq).toBeGreaterThan((decodeManifest(files[MANIFEST_NAME]!) as LsmManifest).flushedSeq);
  await store.compact();
  expect(await contentOf(store)).toEqual([...before, '~new=n']);
  await store.close();
  return before;
}

describe('a healthy store', () => {
  it('is kept whole', async () => {
    for (let seed = 100; seed < 110; seed++) {
      const made = await randomStore(new Random(seed));
      const { plan, files } = await repaired(made.files);
      expectAccounted(plan, made.files);
      expect(plan.ledger.every(({ fate }) => fate === 'kept')).toBe(true);
      expect([plan.consequences, plan.findings]).toEqual([[], []]);
      expect((await verify(files)).findings).toEqual([]);
      expect(await engineContent(files)).toEqual(made.content);
    }
  });
});

/** One of the ways in which files come to harm. */
function harm(files: Files, random: Random): Files {
  const names = Object.keys(files).filter((name) => name !== 'LOCK');
  const name = names[random.below(names.length)]!;
  const bytes = Uint8Array.from(files[name]!);
  const at = random.below(Math.max(1, bytes.length));
  const what = random.below(6);
  if (what === 0) {
    const { [name]: _gone, ...rest } = files;
    return rest;
  }
  if (what === 1) return { ...files, [name]: bytes.subarray(0, at) };
  if (what === 3) return { ...files, [name]: files[names[random.below(names.length)]!]! };
  if (what === 2) bytes.fill(0, at, at + random.below(200));
  else if (bytes.length > 0) bytes[at]! ^= 1 << random.below(8);
  return { ...files, [name]: bytes };
}

describe('a damaged store', () => {
  it('keeps every entry that can be read', { timeout: 60_000 }, async () => {
    // 207 cuts off the footers of a table with range deletions.
    for (const seed of [207, ...Array.from({ length: 60 }, (_, i) => i)]) {
      const random = new Random(seed);
      const made = await randomStore(random, 80);
      let files = made.files;
      for (let n = 1 + random.below(3); n > 0; n--) files = harm(files, random);
      const { plan, files: result } = await repaired(files);
      expectAccounted(plan, files);
      const { findings } = await verify(result);
      expect({ seed, findings }).toEqual({ seed, findings: [] });
      const manifest = decodeManifest(files[MANIFEST_NAME] ?? new Uint8Array(0));
      const live =
        typeof manifest === 'string'
          ? tablesIn(files)
          : manifest.tables.map(({ file }) => tableName(file));
      const left = await entriesOf(files, live);
      const hole = plan.ledger.some(
        ({ file, fate }) => fate === 'dropped' && file.startsWith('wal/'),
      );
      const flushed = typeof manifest === 'string' ? 0 : manifest.flushedSeq;
      const inTables = new Set(points(await entriesOf({ ...files, ...noLog(files) }, live)));
      // With a hole in it, of the log only what no table has counts.
      const kept = left.filter((one) => !hole || one.seq > flushed || inTables.has(nameOf(one)));
      const now = await entriesOf(result, tablesIn(result));
      expect({ seed, points: points(now) }).toEqual({ seed, points: points(kept) });
      expect({ seed, live: await engineContent(result) }).toEqual({ seed, live: liveOf(now) });
      if (!hole) expect({ seed, live: liveOf(now) }).toEqual({ seed, live: liveOf(left) });
    }
  });

  /** The files of the log, as if there were nothing in them. */
  function noLog(files: Files): Files {
    const names = Object.keys(files).filter((name) => name.startsWith('wal/'));
    return Object.fromEntries(names.map((name) => [name, new Uint8Array(0)]));
  }

  it('tells what the loss means', async () => {
    const made = await randomStore(new Random(7), 200);
    const manifest = decodeManifest(made.files[MANIFEST_NAME]!) as LsmManifest;
    const { file, level } = manifest.tables[0]!;
    const name = tableName(file);
    const { [name]: _gone, ...without } = made.files;
    const { plan } = await repaired(without);
    expect(plan.consequences[0]).toMatch(`table ${file} of level ${level} is gone: `);
    expect(plan.consequences[0]).toMatch('older values of them show, deleted keys come back');
    const bytes = Uint8Array.from(made.files[name]!);
    bytes[64 + 40]! ^= 1;
    const { plan: hurt } = await repaired({ ...made.files, [name]: bytes });
    expect(hurt.consequences[0]).toMatch(
      new RegExp(`^${name} @ 64 .*entries with keys .* are lost`),
    );
    expect(hurt.ledger.find(({ fate }) => fate === 'dropped')).toMatchObject({
      file: name,
      offset: 64,
    });
  });

  it('tells what a table held in whose place another file lies', async () => {
    const made = await randomStore(new Random(7), 200);
    const manifest = decodeManifest(made.files[MANIFEST_NAME]!) as LsmManifest;
    const { file, entries } = manifest.tables[0]!;
    const { [tableName(file)]: own, ...others } = made.files;
    for (const [name, bytes] of Object.entries({ ...others, cut: own!.subarray(0, 64) })) {
      const { plan } = await repaired({ ...made.files, [tableName(file)]: bytes });
      const places = [`table ${file} is not whole: at most ${entries} `, `${tableName(file)} @ `];
      const told = plan.consequences.filter((one) => places.some((at) => one.startsWith(at)));
      expect({ name, told: told.join() }).toEqual({
        name,
        told: expect.stringMatching(
          'entries with keys from .* are lost: older values of them show',
        ),
      });
    }
  });

  it('tells of a log whose last file is gone', async () => {
    const made = await randomStore(new Random(7), 200);
    const rest = Object.entries(made.files).filter(([name]) => !/^wal\/\d/.test(name));
    const { plan } = await repaired(Object.fromEntries(rest));
    expect(plan.consequences[0]).toMatch(/^wal\/.*is missing.*: older values of its keys show/);
  });

  it('takes nothing from a log that ends before its tables do', async () => {
    const disk = new SimDisk();
    const store = await openStore(disk);
    await store.put(Buffer.from('gone'), Buffer.from('old'));
    const early = filesOf(disk);
    await store.delete(Buffer.from('gone'));
    await store.put(Buffer.from('kept'), Buffer.from('new'));
    await store.flush();
    await store.compact();
    await store.close();
    // The deletion is in no table any more, since nothing was left for it to delete.
    const isLog = (name: string): boolean => name.startsWith('wal/');
    const files: Files = {};
    for (const [name, bytes] of Object.entries(filesOf(disk)))
      if (!isLog(name)) files[name] = bytes;
    for (const [name, bytes] of Object.entries(early)) if (isLog(name)) files[name] = bytes;
    expect(codes((await verify(files)).findings)).toContain('missing-log');
    const { plan, files: result } = await repaired(files);
    expect(plan.consequences[0]).toMatch(/the log ends at seq 1.*older values of its keys show/);
    const mended = await openStore(diskOf(result));
    expect(await contentOf(mended)).toEqual(['kept=new']);
    await mended.close();
  });

  it('of whose manifest a part is lost can lack tables that nobody knows of', async () => {
    const made = await randomStore(new Random(7), 200);
    const bytes = Uint8Array.from(made.files[MANIFEST_NAME]!);
    const { file } = (decodeManifest(bytes) as LsmManifest).tables[0]!;
    bytes[70]! ^= 1;
    const { [tableName(file)]: _gone, ...without } = made.files;
    const { plan } = await repaired({ ...without, [MANIFEST_NAME]: bytes });
    expect(plan.consequences.join()).toMatch(
      /that are gone, nothing is known: older values of their keys show, deleted keys come back/,
    );
  });

  it('of whose manifest nothing is left is built from its tables', async () => {
    const made = await randomStore(new Random(11), 200);
    const { [MANIFEST_NAME]: _gone, ...without } = made.files;
    const { plan, files } = await repaired(without);
    expect(plan.consequences[0]).toMatch('no entry names');
    expect(await engineContent(files)).toEqual(made.content);
  });

  it('has a flipped bit of its log put back where that is asked for', async () => {
    const made = await randomStore(new Random(3), 30);
    const segment = Object.keys(made.files).find((name) => /^wal\/\d/.test(name))!;
    const whole = made.files[segment]!;
    let mended = 0;
    for (let at = 64; at < whole.length && mended < 3; at += 7) {
      const bytes = Uint8Array.from(whole);
      bytes[at]! ^= 4;
      const damaged = { ...made.files, [segment]: bytes };
      const { plan, files } = await repaired(damaged, true);
      if (!plan.ledger.some(({ mends }) => mends)) continue;
      mended++;
      expect(await engineContent(files)).toEqual(made.content);
    }
    expect(mended).toBe(3);
  });
});

/** A store with two values and a merge operand over one of them. */
function withOperand(): Files {
  const output = new MemoryOutput();
  const writer = new StoreWriter(output, []);
  const add = (type: number, key: string, seqLow: number) => {
    const bytes = Buffer.from(key);
    const parts = { key: bytes, value: bytes, seqHigh: 0, seqLow, timestamp: undefined };
    writer.add(new EntryCopy().set({ type, ...parts }).block, 0);
  };
  add(TYPE.merge, 'a', 9);
  add(TYPE.put, 'a', 4);
  add(TYPE.put, 'b', 5);
  writer.finish(20);
  return output.files;
}

describe('merge operands', () => {
  it('are kept where the store stays what it is', async () => {
    const files = withOperand();
    expect((await verify(files)).findings).toEqual([]);
    const { lines } = await content((await repaired(files)).files);
    expect(lines).toEqual(['61 61 merge', '61 61', '62 62']);
  });

  it('are handed over where it becomes one that does not know them', async () => {
    const database = await open(withOperand());
    const output = new MemoryOutput();
    const left: string[] = [];
    const { entries, leftOut } = await rewriteStore(
      database,
      database.version.families.get(0)!,
      context,
      output,
      {
        tell: (finding) => left.push(finding.message),
        leftOut: (block, i) => left.push(`${block.key(i)} ${block.types[i]} ${block.seqLow[i]}`),
      },
    );
    expect({ entries, leftOut, left }).toEqual({ entries: 2, leftOut: 1, left: ['97 2 9'] });
    expect(await engineContent(output.files)).toEqual(['a=a', 'b=b']);
  });
});

describe('a directory of other software', () => {
  it.each([
    ['leveldb', 'default'],
    ['rocksdb', 'default'],
    ['rocksdb', 'users'],
  ])('%s, %s, becomes a store of ours', async (software, name) => {
    const files = databaseFiles(software);
    const database = await open(files);
    const family = [...database.version.families.values()].find((one) => one.name === name)!;
    const output = new MemoryOutput();
    const told: unknown[] = [];
    const visitor = { tell: (finding: unknown) => told.push(finding), leftOut: () => told.push(0) };
    await rewriteStore(database, family, context, output, visitor);
    expect(told).toEqual([]);
    expect(codes((await verify(output.files)).findings)).toEqual([]);
    expect((await content(output.files)).lines).toEqual((await content(files, name)).lines);
    await engineContent(output.files);
  });
});
