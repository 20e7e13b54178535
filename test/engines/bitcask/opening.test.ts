/** What the store and its readers make of files that are not as they were left. */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BitcaskOptions } from '../../../src/engines/bitcask/options.ts';
import { BitcaskReader } from '../../../src/engines/bitcask/reader.ts';
import { BitcaskStore } from '../../../src/engines/bitcask/store.ts';
import { RealDisk } from '../../../src/io/real-disk.ts';
import type { DdiaError } from '../../../src/shared/errors.ts';
import { b, codeOf, content, filesIn } from './stores.ts';

const disk = new RealDisk();
const MANIFEST = 'MANIFEST.bitcask2';
let dir: string;
let expected: [string, string][];

const open = (options: BitcaskOptions = {}): Promise<BitcaskStore> =>
  BitcaskStore.open(disk, dir, { sync: 'none', fileBytes: 1000, ...options });
const path = (name: string): string => join(dir, name);

/** Sealed files 1 to 5 with hints, and 6, which is written; closed. */
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ddia-opening-'));
  const store = await open();
  for (let i = 0; i < 50; i++) await store.put(b(`key${i % 40}`), b(`${i}`.padEnd(60, '.')));
  await store.delete(b('key7'));
  await store.idle();
  expected = content(store);
  await store.close();
  expect(filesIn(dir).slice(-3)).toEqual(['000005.bcd', '000005.bch', '000006.bcd']);
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function expectOpens(notes: RegExp[]): Promise<void> {
  const reader = await BitcaskReader.open(disk, dir);
  expect(content(reader)).toEqual(expected);
  expect(reader.notes.length).toBe(notes.length);
  reader.close();
  const store = await open();
  expect(content(store)).toEqual(expected);
  expect(store.recovered.length).toBe(notes.length);
  notes.forEach((note, i) => {
    expect(store.recovered[i]).toMatch(note);
    expect(reader.notes[i]).toMatch(note);
  });
  await store.close();
}

/** Writer and reader say the same, and nothing is removed. */
async function expectRefused(message: RegExp): Promise<void> {
  const before = filesIn(dir);
  for (const act of [() => open(), () => BitcaskReader.open(disk, dir)]) {
    const error = await Promise.resolve(act()).then(
      () => undefined,
      (reason: DdiaError) => reason,
    );
    expect(error?.code).toBe('corrupt');
    expect(error?.message).toMatch(message);
    expect(error?.hint).toContain('ddia bitcask');
  }
  expect(filesIn(dir)).toEqual(before);
  expect(existsSync(path('LOCK'))).toBe(false);
}

describe('a hint file', () => {
  const cases: [string, () => void, RegExp][] = [
    ['that is missing', () => rmSync(path('000002.bch')), /000002\.bch: it is missing; the data/],
    [
      'that is damaged',
      () => {
        const bytes = readFileSync(path('000003.bch'));
        bytes[200]! ^= 4;
        writeFileSync(path('000003.bch'), bytes);
      },
      /000003\.bch: .*stored checksum/,
    ],
    ['that is cut', () => truncateSync(path('000001.bch'), 100), /000001\.bch: 100 bytes/],
    ['that is empty', () => truncateSync(path('000001.bch'), 0), /000001\.bch: 0 bytes/],
    ['that goes on', () => appendFileSync(path('000001.bch'), 'x'), /000001\.bch: \d+ bytes, its/],
    [
      'that is for another file',
      () => copyFileSync(path('000001.bch'), path('000004.bch')),
      /000004\.bch: it is of data file 1, expected 4/,
    ],
  ];

  it.each(cases)('%s costs nothing, and is made anew', async (_, act, note) => {
    act();
    await expectOpens([note]);
    // It is not named any more, so it is not read, nor there.
    await expectOpens([]);
    const store = await open();
    await store.put(b('key1'), b('1'));
    await store.idle();
    for (const { sealed, hint } of store.stat().files) expect(hint).toBe(sealed);
    await store.close();
    expected = expected.map(([key, value]) => [key, key === 'key1' ? '1' : value]);
    await expectOpens([]);
  });

  it('that the store had no time to make is made later', async () => {
    let store = await open({ fileBytes: 200 });
    for (let i = 0; i < 20; i++) await store.put(b('k'), b(`${i}`.padEnd(100)));
    await store.close();
    store = await open();
    expect(store.stat().files.some(({ sealed, hint }) => sealed && !hint)).toBe(true);
    await store.put(b('k'), b('1'));
    await store.idle();
    expect(store.stat().files.some(({ sealed, hint }) => sealed && !hint)).toBe(false);
    await store.close();
  });
});

describe('a data file', () => {
  const cases: [string, () => void, RegExp][] = [
    ['that is missing', () => rmSync(path('000003.bcd')), /000003\.bcd @ 0: .* is not there/],
    [
      'that is sealed and was cut',
      () => truncateSync(path('000002.bcd'), 500),
      /000002\.bcd @ 500: 500 bytes, \d+ in the manifest/,
    ],
    [
      'that is sealed and goes on',
      () => appendFileSync(path('000002.bcd'), 'more'),
      /000002\.bcd @ 10\d\d: \d+ bytes, \d+ in the manifest/,
    ],
    [
      'that was written last and was cut',
      () => truncateSync(path('000006.bcd'), 64),
      /000006\.bcd @ 64: 64 bytes/,
    ],
    [
      'that was written last and goes on behind what the store had when it was closed',
      () => appendFileSync(path('000006.bcd'), Buffer.alloc(4096)),
      /000006\.bcd @ \d+: \d+ bytes, \d+ in the manifest/,
    ],
    [
      'that another has taken the place of',
      () => copyFileSync(path('000001.bcd'), path('000002.bcd')),
      /000002\.bcd @ 0: it is not the file that the manifest names/,
    ],
    [
      'whose header is damaged',
      () => {
        const bytes = readFileSync(path('000004.bcd'));
        bytes[30]! ^= 1;
        writeFileSync(path('000004.bcd'), bytes);
      },
      /000004\.bcd @ 0: its header is damaged/,
    ],
    [
      'that is damaged where there is no hint',
      () => {
        rmSync(path('000004.bch'));
        const bytes = readFileSync(path('000004.bcd'));
        bytes[400]! ^= 1;
        writeFileSync(path('000004.bcd'), bytes);
      },
      /000004\.bcd @ \d{3}: crc-mismatch: /,
    ],
  ];

  it.each(cases)('%s is refused', (_, act, message) => {
    act();
    return expectRefused(message);
  });

  it('that is damaged where a hint is read fails the gets and scans that need it', async () => {
    const bytes = readFileSync(path('000002.bcd'));
    bytes[bytes.length - 10]! ^= 1;
    writeFileSync(path('000002.bcd'), bytes);
    const store = await open({ cacheBytes: 0 });
    const failed = expected.filter(([key]) => {
      try {
        store.get(b(key));
        return false;
      } catch (error) {
        expect((error as DdiaError).message).toMatch(/000002\.bcd @ \d+: the record of \d+ bytes/);
        return true;
      }
    });
    expect(failed.length).toBe(1);
    expect(await codeOf(() => content(store))).toBe('corrupt');
    await store.close();
  });

  it('of an older time is refused: another copy of the store', async () => {
    copyFileSync(path('000006.bcd'), path('kept'));
    const store = await open();
    await store.put(b('a'), b('1'));
    await store.close();
    renameSync(path('kept'), path('000006.bcd'));
    await expectRefused(/000006\.bcd @ \d+: \d+ bytes, \d+ in the manifest/);
  });
});

describe('a manifest', () => {
  it('that is missing is not made up', async () => {
    rmSync(path(MANIFEST));
    await expectRefused(/000001\.bcd is there and MANIFEST\.bitcask2 is not/);
  });

  it('that is damaged is refused', async () => {
    const bytes = readFileSync(path(MANIFEST));
    bytes[80]! ^= 1;
    writeFileSync(path(MANIFEST), bytes);
    await expectRefused(/MANIFEST\.bitcask2: entry 0 at 64: stored checksum/);
    truncateSync(path(MANIFEST), 200);
    await expectRefused(/MANIFEST\.bitcask2: 200 bytes, expected/);
  });

  it('of an older time does not cost what was written since', async () => {
    copyFileSync(path(MANIFEST), path('kept'));
    const store = await open();
    for (let i = 0; i < 40; i++) await store.put(b(`new${i}`), b('1'.repeat(60)));
    await store.close();
    copyFileSync(path('kept'), path(MANIFEST));
    // The store was closed then: file 6 had an end.
    await expectRefused(/MANIFEST\.bitcask2 @ 0: generation \d+ does not know of 000007\.bcd/);
  });

  it('of an older time, from before a merge, is refused', async () => {
    copyFileSync(path(MANIFEST), path('kept'));
    const store = await open();
    await store.merge();
    await store.close();
    copyFileSync(path('kept'), path(MANIFEST));
    await expectRefused(/000001\.bcd @ 0: the manifest names it, and it is not there/);
  });

  it('of an older time that lacks nothing is as good as the last', async () => {
    const store = await open();
    await store.put(b('new'), b('1'));
    copyFileSync(path(MANIFEST), path('kept'));
    await store.put(b('new'), b('2'));
    expected = content(store);
    await store.close();
    copyFileSync(path('kept'), path(MANIFEST));
    const again = await open();
    expect(content(again)).toEqual(expected);
    expect(again.recovered).toEqual([
      expect.stringMatching(
        /^the store was not closed: 000006\.bcd is whole up to (\d+), \1 bytes/,
      ),
    ]);
    await again.close();
  });
});

describe('leftovers', () => {
  it('are removed when all is well, and only then', async () => {
    const store = await open();
    await store.merge();
    await store.close();
    const names = filesIn(dir);
    // A merge that a crash has cut short leaves such files, and one that is begun has no record.
    copyFileSync(path(names[0]!), path('000099.bcd'));
    writeFileSync(path('000098.bcd'), readFileSync(path(names[0]!)).subarray(0, 64));
    writeFileSync(path('000099.bch'), 'anything');
    writeFileSync(path('.000099.bcd.tmp-1-1'), 'anything');
    writeFileSync(path('notes.txt'), 'not ours');
    const last = path(names.findLast((name) => name.endsWith('.bcd'))!);
    const whole = readFileSync(last);
    appendFileSync(last, 'x');
    expect(await codeOf(() => open())).toBe('corrupt');
    expect(existsSync(path('000099.bcd'))).toBe(true);
    writeFileSync(last, whole);
    const again = await open();
    expect(content(again)).toEqual(expected);
    expect(filesIn(dir)).toEqual(names);
    expect(existsSync(path('.000099.bcd.tmp-1-1'))).toBe(false);
    expect(existsSync(path('notes.txt'))).toBe(true);
    await again.close();
  });
});

describe('a directory without a store', () => {
  it('is left as it is where the store must exist', async () => {
    const empty = path('empty');
    disk.makeDirectory(empty);
    expect(await codeOf(() => BitcaskStore.open(disk, empty, { create: false }))).toBe('not-found');
    expect(disk.list(empty)).toEqual([]);
    expect(await codeOf(() => BitcaskReader.open(disk, empty))).toBe('not-found');
    writeFileSync(path('file'), '');
    expect(await codeOf(() => BitcaskReader.open(disk, path('file')))).toBe('not-found');
  });
});

describe('the last file after a crash', () => {
  it('is cut where it is whole, and the rest kept beside it', async () => {
    const store = await open();
    await store.put(b('new'), b('1'));
    expected = content(store);
    // The process is killed: the manifest does not say that the store was closed.
    const copy = mkdtempSync(join(tmpdir(), 'ddia-opening-'));
    for (const name of [...filesIn(dir), MANIFEST]) copyFileSync(path(name), join(copy, name));
    await store.close();
    rmSync(dir, { recursive: true });
    dir = copy;
    const { size } = statSync(path('000006.bcd'));
    appendFileSync(path('000006.bcd'), Buffer.concat([Buffer.alloc(300_000, 1), Buffer.alloc(70)]));
    const reader = await BitcaskReader.open(disk, dir);
    expect(content(reader)).toEqual(expected);
    reader.close();
    const again = await open();
    expect(content(again)).toEqual(expected);
    expect(again.recovered[0]).toMatch(
      new RegExp(`^300000 bytes behind offset ${size} of 000006.bcd are kept in torn/000006.bcd.`),
    );
    await again.close();
    const [torn] = disk.list(path('torn'));
    expect(readFileSync(join(dir, 'torn', torn!))).toEqual(Buffer.alloc(300_000, 1));
    expect(statSync(path('000006.bcd')).size).toBe(size);
  });
});
