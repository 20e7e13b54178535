/**
 * Logs that were damaged on purpose, below stores whose every write was synced: the engine refuses,
 * or has all that was written. Where it has less, a crash may have left the very same bytes: the
 * store was not closed, and what is missing are the last writes since it was opened.
 */
import { describe, expect, it } from 'vitest';
import { bootProcesses } from '../../../src/io/processes.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { Random } from '../../../src/shared/random.ts';
import { type Files, verify } from '../../formats/lsm/databases.ts';
import { contentOf, diskOf, filesOf, openStore } from '../../formats/lsm/own-stores.ts';

const SEGMENT = /^wal\/\d+\.wal2$/;
const MANIFEST = 'wal/MANIFEST.wal2';
const STORES = 25;
const DAMAGES = 10;

interface Made {
  files: Files;
  /** Writes in all, and when it was opened last. */
  writes: number;
  kept: number;
  closed: boolean;
  /** The files as they were at other times. */
  older: Files[];
}

const key = (n: number) => `key ${String(n).padStart(4, '0')}`;

/** The keys of so many writes. */
const upTo = (writes: number) => Array.from({ length: writes }, (_, n) => `${key(n)}=`);

/** One key a write, so that the content tells which writes are there. */
async function make(random: Random): Promise<Made> {
  const disk = new SimDisk();
  const older: Files[] = [];
  const lives = 1 + random.below(3);
  let [writes, kept, closed] = [0, 0, false];
  for (let life = 1; life <= lives; life++) {
    const store = await openStore(disk, { processes: bootProcesses(life) });
    kept = writes;
    for (let left = random.below(12); left > 0; left--) {
      const some = Array.from({ length: 1 + random.below(3) }, (_, i) => writes + i);
      writes += some.length;
      // Large values make records that lie in several blocks.
      const value = Buffer.alloc(random.below(8) === 0 ? random.below(50_000) : random.below(40));
      await store.batch(some.map((n) => ({ key: Buffer.from(key(n)), value })));
      if (random.below(10) === 0) await store.flush();
      if (random.below(4) === 0) older.push(filesOf(disk));
    }
    closed = random.below(2) === 0;
    // A process that was killed has closed nothing; its lock is one of the dead.
    if (closed) await store.close();
  }
  return { files: filesOf(disk), writes, kept, closed, older };
}

type Damage = (bytes: Uint8Array, random: Random) => Uint8Array;

/** Where something stands: what was allocated ahead is of no interest. */
function written(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

function overwritten(bytes: Uint8Array, random: Random, byte: () => number): Uint8Array {
  const from = random.below(written(bytes));
  const most = Math.min(written(bytes) - from, random.below(2) === 0 ? 40 : 4000);
  return bytes.fill(0, from, from + most).map((one, at) => {
    return at >= from && at < from + most ? byte() : one;
  });
}

const OF_BYTES: Record<string, Damage> = {
  'a flipped bit': (bytes, random) => {
    bytes[random.below(written(bytes))]! ^= 1 << random.below(8);
    return bytes;
  },
  'bytes overwritten': (bytes, random) => overwritten(bytes, random, () => random.below(256)),
  'bytes of zero': (bytes, random) => overwritten(bytes, random, () => 0),
  'a cut': (bytes, random) => bytes.slice(0, random.below(written(bytes))),
  'bytes cut out': (bytes, random) => {
    const from = random.below(written(bytes));
    return Buffer.concat([bytes.slice(0, from), bytes.slice(from + 1 + random.below(200))]);
  },
  'bytes twice': (bytes, random) => {
    const from = random.below(written(bytes));
    return Buffer.concat([bytes.slice(0, from + 1 + random.below(200)), bytes.slice(from)]);
  },
};

const OF_FILES: Record<string, (made: Made, random: Random) => Files> = {
  'a segment gone': ({ files }, random) => {
    const gone = random.pick(Object.keys(files).filter((name) => SEGMENT.test(name)));
    return Object.fromEntries(Object.entries(files).filter(([name]) => name !== gone));
  },
  'all segments gone': ({ files }) =>
    Object.fromEntries(Object.entries(files).filter(([name]) => !SEGMENT.test(name))),
  'an older segment': ({ files, older }, random) => {
    const before = older.length > 0 ? random.pick(older) : files;
    const names = Object.keys(files).filter((name) => SEGMENT.test(name) && before[name]);
    return { ...files, ...Object.fromEntries(names.map((name) => [name, before[name]!])) };
  },
  'an older manifest of the log': ({ files, older }, random) => {
    const before = older.length > 0 ? random.pick(older) : files;
    return { ...files, [MANIFEST]: before[MANIFEST]! };
  },
};

function damaged(made: Made, random: Random): { what: string; files: Files } {
  const segments = Object.keys(made.files).filter((name) => SEGMENT.test(name));
  const kinds = [...Object.keys(OF_FILES), ...Object.keys(OF_BYTES), ...Object.keys(OF_BYTES)];
  const what = segments.length > 0 ? random.pick(kinds) : 'an older manifest of the log';
  if (OF_FILES[what]) return { what, files: OF_FILES[what](made, random) };
  const name = random.pick(segments);
  const bytes = OF_BYTES[what]!(Uint8Array.from(made.files[name]!), random);
  return { what, files: { ...made.files, [name]: bytes } };
}

/** The writes that are there; undefined: it was refused. */
async function opened(files: Files): Promise<string[] | undefined> {
  const disk = diskOf(files);
  try {
    const store = await openStore(disk, { create: false, processes: bootProcesses(9) });
    const content = (await contentOf(store)).map((one) => one.slice(0, one.indexOf('=') + 1));
    await store.close();
    return content;
  } catch (error) {
    expect(error).toMatchObject({ code: 'corrupt' });
    return undefined;
  }
}

describe('a damaged log', () => {
  it('costs no write in silence', { timeout: 60_000 }, async () => {
    let [refused, less] = [0, 0];
    for (let seed = 1; seed <= STORES; seed++) {
      const random = new Random(seed);
      const made = await make(random);
      for (let round = 0; round < DAMAGES; round++) {
        const { what, files } = damaged(made, random);
        const content = await opened(files);
        const { findings } = await verify(files);
        const worst = findings.some(({ severity }) => severity === 'error');
        const at = { seed, round, what, closed: made.closed };
        if (!content) {
          expect({ ...at, worst }).toEqual({ ...at, worst: true });
          refused++;
          continue;
        }
        const writes = content.length;
        expect({ ...at, content }).toEqual({ ...at, content: upTo(writes) });
        if (writes === made.writes) continue;
        less++;
        expect({ ...at, least: writes >= made.kept }).toEqual({
          ...at,
          closed: false,
          least: true,
        });
        // Only an end without a rest, which is one of zeros too, leaves no trace.
        const cut = /cut|of zero|older segment/.test(what);
        expect({ ...at, told: cut || findings.length > 0 }).toEqual({ ...at, told: true });
      }
    }
    // Otherwise the test would prove nothing.
    expect(refused).toBeGreaterThan(80);
    expect(less).toBeGreaterThan(10);
  });
});
