/**
 * A process is killed at any I/O, the next one goes on with what the cache shows, and then the
 * power fails: what it went on from must have been durable before it relied on it.
 */
import { describe, expect, it } from 'vitest';
import { BitcaskStore } from '../../src/engines/bitcask/store.ts';
import { BtreeStore } from '../../src/engines/btree/store.ts';
import { V1Store } from '../../src/engines/btree-v1/store.ts';
import { LsmStore } from '../../src/engines/lsm/store.ts';
import { WriteAheadLog } from '../../src/engines/wal/log.ts';
import { bytesValue } from '../../src/formats/bytes/value.ts';
import type { Disk } from '../../src/io/disk.ts';
import { bootProcesses } from '../../src/io/processes.ts';
import {
  type DiskImage,
  fingerprint,
  pendingOperations,
  powerLoss,
} from '../../src/io/sim-disk/image.ts';
import type { Fate } from '../../src/io/sim-disk/operations.ts';
import { SimDisk } from '../../src/io/sim-disk/sim-disk.ts';

/** Neither it nor what is above it is there at first. */
const PLACE = '/above/store';

interface Store {
  put(key: string): Promise<unknown>;
  /** Lets go of what is no longer needed. `kept` are the keys that must be there. */
  tidy(kept: Set<string>): Promise<unknown>;
  keys(): Promise<string[]>;
  close(): Promise<unknown>;
}

type Open = (disk: Disk, boot: number) => Promise<Store>;

const keysOf = (pairs: Iterable<{ key: Uint8Array }>) => [...pairs].map(({ key }) => `${key}`);

const engines: Record<string, Open> = {
  async wal(disk, boot) {
    const options = { logId: () => 42n, preallocateBytes: 0, processes: bootProcesses(boot) };
    const log = await WriteAheadLog.open(disk, PLACE, options);
    return {
      put: (key) => log.append({ op: 'put', key: Buffer.from(key), value: Buffer.alloc(0) }),
      async tidy(kept) {
        log.rotate();
        kept.clear();
        log.truncate(log.currentSeq);
      },
      async keys() {
        const keys: string[] = [];
        const { end } = await log.replay(0, ({ bytes, keyStart, keyEnd }) => {
          keys.push(`${bytesValue(bytes, keyStart, keyEnd)}`);
        });
        expect(end).toBe(undefined);
        return keys;
      },
      close: () => log.close(),
    };
  },
  async lsm(disk, boot) {
    const processes = bootProcesses(boot);
    const options = { storeId: () => 42n, autoCompact: false, processes };
    const store = await LsmStore.open(disk, PLACE, options);
    return {
      put: (key) => store.put(Buffer.from(key), Buffer.from(key)),
      async tidy() {
        await store.flush();
        await store.compact();
      },
      keys: async () => keysOf(store.scan()),
      close: () => store.close(),
    };
  },
  async bitcask(disk, boot) {
    const processes = bootProcesses(boot);
    const options = { storeId: () => 42n, now: () => 0, fileBytes: 150, processes };
    const store = await BitcaskStore.open(disk, PLACE, options);
    return {
      put: (key) => store.put(Buffer.from(key), Buffer.from(key)),
      tidy: () => store.merge(),
      keys: async () => keysOf(store.scan()),
      close: () => store.close(),
    };
  },
  async 'btree v1'(disk, boot) {
    const options = { pageSize: 512, processes: bootProcesses(boot) };
    const store = await V1Store.open(disk, PLACE, options);
    return {
      put: (key) => store.put(Buffer.from(key), Buffer.from(key)),
      tidy: async () => {},
      keys: async () => keysOf(store.scan()),
      close: async () => store.close(),
    };
  },
  async 'btree v2'(disk, boot) {
    const options = { storeId: () => 42n, pageSize: 512, processes: bootProcesses(boot) };
    const store = BtreeStore.open(disk, PLACE, options);
    return {
      put: (key) => store.put(Buffer.from(key), Buffer.from(key)),
      tidy: async () => {},
      keys: async () => keysOf(store.scan()),
      close: async () => store.close(),
    };
  },
};

interface Moment {
  image: DiskImage;
  kept: readonly string[];
}

/** What the disk was before each I/O of `life`, and at the end, with what had to be there then. */
async function momentsOf(
  disk: SimDisk,
  kept: Set<string>,
  life: () => Promise<unknown>,
): Promise<Moment[]> {
  const moments: Moment[] = [];
  const seen = new Set<string>();
  const look = () => {
    const image = disk.snapshot();
    const name = `${fingerprint(image)} ${[...kept]}`;
    if (!seen.has(name)) moments.push({ image, kept: [...kept] });
    seen.add(name);
  };
  disk.onOperation = (_, when) => when === 'before' && look();
  await life();
  look();
  return moments;
}

/** Nothing is kept, all but one, or one alone. */
function* losses(image: DiskImage): Generator<DiskImage> {
  const pending = pendingOperations(image);
  const lose = (fateOf: (at: number) => Fate) =>
    powerLoss(image, { fates: pending.map((_, at) => fateOf(at)), fill: 'zeros', seed: 1 });
  yield lose(() => 'dropped');
  for (const one of pending.keys()) {
    yield lose((at) => (at === one ? 'dropped' : 'kept'));
    yield lose((at) => (at === one ? 'kept' : 'dropped'));
  }
}

/** Keys, tidying between them, and opened twice. */
async function wholeLife(disk: SimDisk, open: Open): Promise<Moment[]> {
  const kept = new Set<string>();
  const put = async (store: Store, key: string) => {
    await store.put(key);
    kept.add(key);
  };
  return momentsOf(disk, kept, async () => {
    let store = await open(disk, 1);
    await put(store, 'a');
    await store.tidy(kept);
    await put(store, 'b');
    await store.close();
    store = await open(disk, 2);
    await put(store, 'c');
    await store.close();
  });
}

describe.each(Object.entries(engines))('a store that goes on after a kill: %s', (_, open) => {
  it('has lost nothing when the power fails next', async () => {
    const first = await wholeLife(new SimDisk(), open);
    expect(first.length).toBeGreaterThan(20);
    const problems = new Set<string>();
    const tried = new Set<string>();
    for (const [at, killed] of first.entries()) {
      const disk = SimDisk.from(killed.image);
      const kept = new Set(killed.kept);
      const next = await momentsOf(disk, kept, async () => {
        const store = await open(disk, 3);
        await store.put('z');
        kept.add('z');
        await store.close();
      });
      for (const { image, kept: must } of next) {
        for (const lost of losses(image)) {
          const name = `${fingerprint(lost)} ${must}`;
          if (tried.has(name)) continue;
          tried.add(name);
          const found = await problemOf(SimDisk.from(lost), must, open);
          if (found) problems.add(`killed at ${at}: ${found}`);
        }
      }
    }
    expect([...problems].slice(0, 5)).toEqual([]);
  });
});

async function problemOf(
  disk: SimDisk,
  must: readonly string[],
  open: Open,
): Promise<string | undefined> {
  try {
    const store = await open(disk, 4);
    const keys = await store.keys();
    await store.close();
    const lost = must.filter((key) => !keys.includes(key));
    return lost.length > 0 ? `${lost} lost` : undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
