/** A meta page that is older than the pages beside it: told where that is certain, and only there. */
import { describe, expect, it } from 'vitest';
import type { BtreeStore } from '../../../src/engines/btree/store.ts';
import { btree } from '../../../src/formats/btree/index.ts';
import { v2 } from '../../../src/formats/btree/v2/index.ts';
import { DEFAULT_LIMITS } from '../../../src/formats/format.ts';
import { type Disk, readFully } from '../../../src/io/disk.ts';
import { diskSet } from '../../../src/io/disk-set.ts';
import { explore } from '../../../src/io/sim-disk/explore.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { formatReport } from '../../../src/io/sim-disk/violation.ts';
import { alone, codes, plan, repaired, scan, verify } from '../../formats/btree/support.ts';
import { type Event, type EventLog, opener, ROOT, write } from './invariants.ts';

const PAGE = 512;
const filled = (name: string, value: string) => [name, value.repeat(70)] as [string, string];
const input = (bytes: Uint8Array) => alone(v2, 'tree.bt2', bytes);

function fileOn(disk: Disk): Uint8Array {
  const file = disk.open(`${ROOT}/tree.bt2`, 'read');
  const bytes = new Uint8Array(file.size());
  readFully(file, bytes, 0, bytes.length, 0);
  file.close();
  return bytes;
}

async function life(disk: SimDisk, log: EventLog): Promise<void> {
  const open = opener(disk.boot);
  let store = open(disk);
  const more = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((key) => filled(key, '1'));
  await write(store, log, more);
  await write(store, log, [filled('c', '2')]);
  store.close();
  store = open(disk);
  for (const key of ['d', 'e', 'h']) await write(store, log, [filled(key, '3')]);
  await write(store, log, [
    ['a', undefined],
    ['b', undefined],
  ]);
  await store.vacuum();
  await write(store, log, [filled('i', '4')]);
  await write(
    store,
    log,
    [...'cdefghi'].map((key) => [key, undefined]),
  );
  store.close();
}

describe('a crash', () => {
  it.each(['ordered', 'per-file', 'adversarial'] as const)(
    'leaves no file that seems to be older than its pages, nor one with an error (%s)',
    async (profile) => {
      const report = await explore<Event>({
        disk: { root: ROOT },
        workload: life,
        async check(disk) {
          if (!disk.stat(`${ROOT}/tree.bt2`)) return [];
          const set = diskSet(disk, ROOT);
          const opened = { set, dialect: v2, files: btree.select(set, v2) };
          const context = { limits: DEFAULT_LIMITS, options: { deep: true } };
          const { findings } = await btree.verify(opened, context);
          return findings
            .filter(({ severity, message }) => severity === 'error' || /older/.test(message))
            .map(({ code, message }) => `${code}: ${message}`);
        },
        profile,
        limits: { maxStates: 500, maxRecoveryStates: 0 },
        idempotence: false,
      });
      expect(report.violations, formatReport(report)).toEqual([]);
    },
  );
});

describe('a meta page that an older one is in the place of', () => {
  /** The file after each of these, and the last one with the meta pages of another. */
  async function states(): Promise<Uint8Array[]> {
    const disk = new SimDisk({ root: ROOT });
    const files: Uint8Array[] = [];
    const turn = async (work: (store: BtreeStore) => Promise<unknown>) => {
      const store = opener(0)(disk);
      await work(store);
      store.close();
      files.push(fileOn(disk));
    };
    const put = (store: BtreeStore, key: string, value: string) =>
      store.put(Buffer.from(key), Buffer.from(value.repeat(70)));
    await turn((store) => Promise.all([...'abcdefgh'].map((key) => put(store, key, '1'))));
    await turn((store) => put(store, 'c', '2'));
    await turn(async (store) => {
      await put(store, 'd', '3');
      await put(store, 'i', '3');
      await store.delete(Buffer.from('e'));
    });
    return files;
  }
  const withMetasOf = (file: Uint8Array, other: Uint8Array) => {
    const copy = new Uint8Array(file);
    copy.set(other.subarray(0, 2 * PAGE));
    return copy;
  };
  const rowsOf = async (bytes: Uint8Array) =>
    (await scan(input(bytes))).rows.map(({ key, value }) => `${key}${String(value)[0]}`).join(' ');

  it('is told, and what later transactions wrote is kept', async () => {
    const [, before, last] = (await states()) as [Uint8Array, Uint8Array, Uint8Array];
    const stale = withMetasOf(last, before);
    const { findings } = await verify(input(stale));
    const older = findings.filter(({ message }) => message.includes('older than the file'));
    expect(older).toMatchObject([{ code: 'meta-bad', severity: 'error' }]);
    const result = (await repaired(input(stale)))['tree.bt2']!;
    expect(await codes(input(result))).toEqual([]);
    expect(await rowsOf(result)).toBe('a1 b1 c2 d3 f1 g1 h1 i3');
    expect(await rowsOf(last)).toBe('a1 b1 c2 d3 f1 g1 h1 i3');
  });

  it('is told, and no part of a tree is taken for it where the rest is cut off', async () => {
    const [, before, last] = (await states()) as [Uint8Array, Uint8Array, Uint8Array];
    for (let end = before.length; end < last.length; end += PAGE) {
      const rows = await rowsOf(
        (await repaired(input(withMetasOf(last, before).slice(0, end))))['tree.bt2']!,
      );
      for (const key of 'abcdfgh') expect(rows, `cut at ${end}`).toContain(key);
    }
  });

  it('or damage: the tree of its transaction is there, and is taken', async () => {
    const disk = new SimDisk({ root: ROOT });
    const store = opener(0)(disk);
    for (const key of 'abcdefgh') await store.put(Buffer.from(key), Buffer.from('1'.repeat(70)));
    const killed = fileOn(disk);
    const live = killed[32]! > killed[PAGE + 32]! ? 0 : 1;
    killed[live * PAGE + 50]! ^= 1;
    const messages = (await verify(input(killed))).findings.map(({ message }) => message);
    expect(messages.join()).toContain('may be older than the file');
    const carried = await plan(input(killed));
    expect(carried.consequences.join()).toContain('the tree is that of transaction');
    const result = (await repaired(input(killed), carried))['tree.bt2']!;
    expect(await codes(input(result))).toEqual([]);
    expect(await rowsOf(result)).toBe('a1 b1 c1 d1 e1 f1 g1 h1');
  });

  it('is not told of a file that is as it should be', async () => {
    for (const file of await states()) {
      expect((await verify(input(file))).findings.filter((f) => f.severity !== 'info')).toEqual([]);
    }
  });
});
