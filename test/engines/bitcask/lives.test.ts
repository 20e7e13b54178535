/**
 * One store through many lives: opened with any options, written, merged and closed in any order,
 * with calls that fail, and cut short at any I/O by a power loss or the death of its process. What
 * the next life finds is what some prefix of the writes leaves, with all in it that was durable.
 */
import { describe, expect, it } from 'vitest';
import type { BitcaskOptions } from '../../../src/engines/bitcask/options.ts';
import { BitcaskReader } from '../../../src/engines/bitcask/reader.ts';
import type { BitcaskStore } from '../../../src/engines/bitcask/store.ts';
import { crashChoices } from '../../../src/io/sim-disk/choices.ts';
import { failing } from '../../../src/io/sim-disk/faults.ts';
import { pendingOperations, powerLoss } from '../../../src/io/sim-disk/image.ts';
import { EventLog, record } from '../../../src/io/sim-disk/recording.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { Random } from '../../../src/shared/random.ts';
import {
  allowed,
  contentOf,
  type Event,
  NOW,
  type Opener,
  opener,
  ROOT,
  violations,
  write,
} from './invariants.ts';

const KEYS = ['', 'a', 'b', 'c', 'd', 'e', 'f', 'g'];
const CALLS = ['write', 'sync', 'syncDirectory', 'create', 'rename', 'remove', 'read'] as const;
/** More of both for a night: `LIVES_SEEDS=500 npx vitest run test/engines/bitcask/lives.test.ts`. */
const SEEDS = Number(process.env['LIVES_SEEDS'] ?? 40);
const LIVES = 8;

/** Each life is a process of its own, and the ones before it are dead. */
const openerOf = (life: number, options: BitcaskOptions): Opener => {
  const self = { pid: 100 + life, started: 'once' };
  const processes = { self, isAlive: ({ pid }: { pid: number }) => pid === self.pid };
  return opener(0, { processes, ...options });
};

function anyOptions(random: Random): BitcaskOptions {
  return {
    sync: random.pick(['sync', 'batch', 'none', 'none'] as const),
    batchEvery: 3,
    fileBytes: random.pick([120, 400, 1500, 8000]),
    autoMerge: random.below(2) === 0,
    mergeDead: random.pick([0.2, 0.6]),
    mergeFiles: random.pick([2, 8]),
    cacheBytes: random.pick([0, 4096, 2 ** 20]),
  };
}

/** Of a call that fails; what it leaves has to be right all the same. */
function expected(error: unknown): void {
  const { code = '' } = error as { code?: string };
  if (!/EIO|ENOSPC|poisoned|closed/.test(code)) throw error;
}

class Life {
  count = 0;
  /** Without what syncs: more is left to lose. */
  readonly #plain: boolean;

  constructor(
    readonly disk: SimDisk,
    readonly store: BitcaskStore,
    readonly random: Random,
    readonly log: EventLog<Event>,
    readonly durable: boolean,
    readonly name: number,
  ) {
    this.#plain = random.below(2) === 0;
  }

  async run(): Promise<void> {
    const { random } = this;
    const underWay: Promise<unknown>[] = [];
    for (let steps = random.below(25); steps > 0; steps--) {
      const act = this.#step();
      if (random.below(3) === 0) await act;
      else underWay.push(act.catch(expected));
      if (random.below(4) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(underWay);
    if (random.below(3) > 0) await this.store.close();
  }

  async #step(): Promise<unknown> {
    const { random, store, log, durable } = this;
    const value = `${this.name}.${this.count++}`.padEnd(random.pick([1, 1, 60, 900]), '.');
    const change = (): [string, string | undefined] => [
      random.pick(KEYS),
      random.below(3) === 0 ? undefined : value,
    ];
    const what = random.below(this.#plain ? 12 : 20);
    if (what < 12) return write(store, log, [change()], durable);
    if (what < 15) return write(store, log, [change(), change(), change()], true);
    if (what < 17) return store.merge('worth');
    if (what < 18) return store.merge();
    if (what < 19) return store.idle();
    return this.#look();
  }

  /** A reader without the lock sees what some prefix of the writes leaves, a later one no less. */
  async #look(): Promise<void> {
    const { disk, log } = this;
    const reader = await BitcaskReader.open(disk, ROOT, () => NOW);
    try {
      for (let looks = 0; looks < 3; looks++) {
        expect(allowed(log.events, 0)).toContain(contentOf(reader));
        await new Promise((resolve) => setImmediate(resolve));
        await reader.refresh();
      }
    } finally {
      reader.close();
    }
  }
}

/** The store as the next life finds it. */
function cutShort(image: ReturnType<SimDisk['snapshot']>, random: Random): SimDisk {
  if (random.below(3) === 0) return SimDisk.from(image);
  const limits = { exhaustiveOperations: 4, samples: 20, perKind: 8 };
  const pending = pendingOperations(image);
  const choices = [...crashChoices(pending, 'adversarial', random.uint32(), limits)];
  return SimDisk.from(powerLoss(image, random.pick(choices)));
}

async function manyLives(seed: number): Promise<void> {
  const random = new Random(seed);
  let disk = new SimDisk({ root: ROOT });
  let before: [string, string][] = [];
  for (let life = 0; life < LIVES; life++) {
    const options = anyOptions(random);
    const open = openerOf(2 * life, options);
    const log = new EventLog<Event>();
    log.append({ kind: 'issued', changes: before });
    log.append({ kind: 'acknowledged', seq: 0, count: 0, durable: true });
    if (random.below(3) === 0) disk.inject(failing(random.pick(CALLS), 1 + random.below(40)));
    if (random.below(5) === 0) disk.capacityBytes = disk.usedBytes + random.below(8000);
    const moments = await record(disk, log, async () => {
      try {
        const store = await open(disk);
        await new Life(disk, store, random, log, options.sync === 'sync', life).run();
      } catch (error) {
        expected(error);
      }
    });
    disk.clearFaults();
    const { image, eventCount, operation } = random.pick(moments);
    disk = cutShort(image, random);
    const next = openerOf(2 * life + 1, options);
    const events = log.events.slice(0, eventCount);
    const place = `seed ${seed}, life ${life}, ${operation}, ${JSON.stringify(options)}`;
    if (random.below(2) === 0) {
      expect(await violations(disk, events, next), place).toEqual([]);
    }
    const store = await next(disk);
    before = [...store.scan()].map(({ key, value }) => [`${key}`, `${value}`]);
    if (random.below(2) === 0) await store.close();
  }
}

describe('a store of many lives', () => {
  it.each(Array.from({ length: SEEDS }, (_, i) => i + 1))('keeps its promises (%i)', manyLives);
});
