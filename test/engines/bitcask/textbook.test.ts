/** The textbook layouts as they are written: bytes, files, and what is refused. */
import { describe, expect, it } from 'vitest';
import { TextbookStore } from '../../../src/engines/bitcask/textbook.ts';
import { bitcask } from '../../../src/formats/bitcask/index.ts';
import type { BitcaskDialect } from '../../../src/formats/bitcask/model.ts';
import { DEFAULT_LIMITS } from '../../../src/formats/format.ts';
import { diskSet } from '../../../src/io/disk-set.ts';
import { bootProcesses, type Processes } from '../../../src/io/processes.ts';
import { failing } from '../../../src/io/sim-disk/faults.ts';
import type { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { crc32 } from '../../../src/shared/crc32.ts';
import { b, codeOf, ROOT, simDisk } from './stores.ts';

const dialect = (id: string): BitcaskDialect =>
  bitcask.dialects.find((one) => one.id === id) as BitcaskDialect;
const [HASH, LOG, RIAK] = [dialect('hash-v1'), dialect('log-v1'), dialect('riak')];
const processes = bootProcesses(0);

function open(
  disk: SimDisk,
  which: BitcaskDialect,
  fileBytes?: number,
  own: Processes = processes,
): Promise<TextbookStore> {
  const now = () => 1_700_000_000_500;
  return TextbookStore.open(disk, ROOT, which, { fileBytes, now, processes: own });
}

function bytesOf(disk: SimDisk, name: string): Buffer {
  const file = disk.open(`${ROOT}/${name}`, 'read');
  const bytes = Buffer.alloc(file.size());
  file.read(bytes, 0, bytes.length, 0);
  file.close();
  return bytes;
}

const dataFiles = (disk: SimDisk): string[] => disk.list(ROOT).filter((name) => name !== 'LOCK');

/** What the family's own reader says: key to value, and whether all is well. */
async function told(disk: SimDisk, which: BitcaskDialect) {
  const set = diskSet(disk, ROOT);
  const files = bitcask.select(set, which);
  const verified = await bitcask.verify({ set, dialect: which, files }, { limits: DEFAULT_LIMITS });
  const state = new Map<string, string>();
  for (const { name } of files) {
    if (which.dataFile(name) === undefined) continue;
    const context = { limits: DEFAULT_LIMITS, set };
    await which.scan(set.open(name), context, {
      record({ bytes, keyStart, keyEnd, valueStart, valueEnd, deleted }) {
        const key = Buffer.from(bytes.subarray(keyStart, keyEnd)).toString();
        if (deleted) state.delete(key);
        else state.set(key, Buffer.from(bytes.subarray(valueStart, valueEnd)).toString());
      },
      damage() {},
    });
  }
  return { state: Object.fromEntries(state), errors: verified.findings.map(({ code }) => code) };
}

/** Little- or big-endian numbers and texts, back to back. */
function parts(...all: (Buffer | string | [number, 'u16be' | 'u32be' | 'u32le' | 'f64le'])[]) {
  return Buffer.concat(
    all.map((part) => {
      if (typeof part === 'string') return Buffer.from(part);
      if (Buffer.isBuffer(part)) return part;
      const [value, kind] = part;
      const bytes = Buffer.alloc(kind === 'f64le' ? 8 : kind === 'u16be' ? 2 : 4);
      if (kind === 'f64le') bytes.writeDoubleLE(value);
      else if (kind === 'u32le') bytes.writeUInt32LE(value);
      else if (kind === 'u32be') bytes.writeUInt32BE(value);
      else bytes.writeUInt16BE(value);
      return bytes;
    }),
  );
}

describe('bytes', () => {
  it('of hash-v1', async () => {
    const disk = simDisk();
    const store = await open(disk, HASH);
    expect(store.write(b('key'), b('value'))).toEqual({
      file: '000001.data',
      offset: 0,
      length: 24,
    });
    store.write(b('key'), undefined, { timestamp: 7.25 });
    store.close();
    expect(bytesOf(disk, '000001.data')).toEqual(
      parts(
        [1_700_000_000.5, 'f64le'],
        [3, 'u32le'],
        [5, 'u32le'],
        'keyvalue',
        [7.25, 'f64le'],
        [3, 'u32le'],
        [0, 'u32le'],
        'key',
      ),
    );
  });

  it('of log-v1', async () => {
    const disk = simDisk();
    const store = await open(disk, LOG);
    store.write(b('key'), b('value'));
    expect(store.write(b('key'), undefined)).toMatchObject({
      file: 'segment_000001.dat',
      offset: 20,
    });
    store.close();
    const tombstone = '__BITCASK_TOMBSTONE__';
    expect(bytesOf(disk, 'segment_000001.dat')).toEqual(
      parts(
        [crc32.of(b('keyvalue')), 'u32be'],
        [3, 'u32be'],
        [5, 'u32be'],
        'keyvalue',
        [crc32.of(b(`key${tombstone}`)), 'u32be'],
        [3, 'u32be'],
        [21, 'u32be'],
        `key${tombstone}`,
      ),
    );
  });

  it('of riak', async () => {
    const disk = simDisk();
    const store = await open(disk, RIAK);
    store.write(b('key'), b('value'));
    store.write(b('key'), undefined);
    store.close();
    const tombstone = 'bitcask_tombstone';
    const body = (value: string) =>
      parts([1_700_000_000, 'u32be'], [3, 'u16be'], [value.length, 'u32be'], `key${value}`);
    expect(bytesOf(disk, '1.bitcask.data')).toEqual(
      parts(
        [crc32.of(body('value')), 'u32be'],
        body('value'),
        [crc32.of(body(tombstone)), 'u32be'],
        body(tombstone),
      ),
    );
  });
});

describe.each([HASH, LOG, RIAK])('a textbook store ($id)', (which) => {
  it('begins a file when the last one has its size, looked at before each write', async () => {
    const disk = simDisk();
    let store = await open(disk, which, 100);
    const places = [];
    for (let i = 0; i < 12; i++)
      places.push(store.write(b(`k${i % 5}`), b(`${i}`.padEnd(20, '.'))));
    const { length } = places[0]!;
    const perFile = Math.ceil(100 / length);
    expect(places.map(({ offset }) => offset / length)).toEqual(places.map((_, i) => i % perFile));
    expect(new Set(places.map(({ file }) => file)).size).toBe(Math.ceil(12 / perFile));
    store.close();
    expect(dataFiles(disk)).toEqual([...new Set(places.map(({ file }) => file))]);
    // Where it was closed it goes on, with another limit too.
    store = await open(disk, which, 1000);
    const last = places.at(-1)!;
    expect(store.write(b('k0'), b('more'))).toMatchObject({
      file: last.file,
      offset: last.offset + length,
    });
    store.close();
    expect(await told(disk, which)).toEqual({
      state: {
        k0: 'more',
        k1: '11'.padEnd(20, '.'),
        k2: '7'.padEnd(20, '.'),
        k3: '8'.padEnd(20, '.'),
        k4: '9'.padEnd(20, '.'),
      },
      errors: [],
    });
  });

  it('begins a file behind one that a crash has cut', async () => {
    const disk = simDisk();
    let store = await open(disk, which);
    store.write(b('a'), b('1'));
    const { length } = store.write(b('b'), b('2'));
    store.close();
    const file = disk.open(`${ROOT}/${which.dataName(1)}`, 'write');
    const size = file.size();
    for (const cut of [1, length - 1]) {
      file.truncate(size - cut);
      store = await open(disk, which);
      const number = cut === 1 ? 2 : 3;
      expect(store.write(b('c'), b(`${cut}`))).toMatchObject({
        file: which.dataName(number),
        offset: 0,
      });
      store.close();
      // Only the last file counts: that one is whole.
      const next = disk.open(`${ROOT}/${which.dataName(number)}`, 'write');
      next.truncate(next.size() - 1);
      next.close();
    }
    file.close();
    expect(bytesOf(disk, which.dataName(1)).length).toBe(size - length + 1);
  });

  it('begins a file behind one that has a hint, which would lag', async () => {
    const disk = simDisk();
    let store = await open(disk, which);
    store.write(b('a'), b('1'));
    store.close();
    disk.open(`${ROOT}/${which.hintName(1)}`, 'create').close();
    store = await open(disk, which);
    expect(store.write(b('a'), b('2')).file).toBe(which.dataName(2));
    store.close();
  });

  it('refuses what it cannot hold, and leaves no file of it', async () => {
    const disk = simDisk();
    const store = await open(disk, which);
    const refused: [Buffer, Buffer][] = {
      'hash-v1': [[b('k'), b('')] as [Buffer, Buffer]],
      'log-v1': [[b('k'), b('__BITCASK_TOMBSTONE__')] as [Buffer, Buffer]],
      riak: [
        [b('k'), b('bitcask_tombstone2and more')],
        [Buffer.alloc(65_536), b('v')],
      ] as [Buffer, Buffer][],
    }[which.id]!;
    for (const [key, value] of refused) {
      expect(await codeOf(() => store.write(key, value))).toBe('not-storable');
    }
    expect(await codeOf(() => store.write(b('k'), b('v'), { ttl: 1000 }))).toBe('not-storable');
    expect(dataFiles(disk)).toEqual([]);
    expect(store.write(b('k'), b('v')).offset).toBe(0);
    store.close();
  });

  it('is for one writer', async () => {
    const disk = simDisk();
    const store = await open(disk, which);
    store.write(b('a'), b('1'));
    const other = { self: { pid: 77, started: 'x' }, isAlive: () => true };
    expect(await codeOf(() => open(disk, which, undefined, other))).toBe('locked');
    store.close();
    const next = await open(disk, which, undefined, other);
    expect(await codeOf(() => store.write(b('b'), b('2')))).toBe('closed');
    next.close();
    expect(dataFiles(disk)).toEqual([which.dataName(1)]);
    expect(disk.list(ROOT)).toEqual([which.dataName(1)]);
  });

  it('takes nothing more after a failure, says so, and lets go of the lock', async () => {
    for (const [call, nth] of [
      ['write', 1],
      ['sync', 1],
      ['create', 1],
    ] as const) {
      const disk = simDisk();
      const store = await open(disk, which, 10);
      store.write(b('a'), b('1'));
      disk.inject(failing(call, nth));
      for (let i = 0; i < 2; i++) {
        expect(() => store.write(b('b'), b('2'))).toThrow(/EIO.*nothing more is accepted/);
      }
      store.close();
      expect(disk.list(ROOT)).not.toContain('LOCK');
      const again = await open(disk, which);
      again.write(b('c'), b('3'));
      again.close();
      const { state } = await told(disk, which);
      expect(state).toMatchObject({ a: '1', c: '3' });
    }
  });
});

describe('a dialect without an encoder', () => {
  it('is not written', async () => {
    const { encoder, ...readOnly } = HASH;
    expect(encoder).toBeDefined();
    expect(await codeOf(() => open(simDisk(), readOnly as BitcaskDialect))).toBe('not-writable');
  });
});
