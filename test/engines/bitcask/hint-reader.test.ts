import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inThisThread, inThreads, readHint } from '../../../src/engines/bitcask/hint-reader.ts';
import { BitcaskStore } from '../../../src/engines/bitcask/store.ts';
import { decodeManifest } from '../../../src/formats/bitcask/v2/manifest.ts';
import { RealDisk } from '../../../src/io/real-disk.ts';

const disk = new RealDisk();
/** As it is built; the tests build first. */
const WORKER = join(import.meta.dirname, '../../../dist/hint-worker.js');
let dir: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ddia-hints-'));
  const store = await BitcaskStore.open(disk, dir, { sync: 'none', fileBytes: 4096 });
  for (let i = 0; i < 300; i++) await store.put(Buffer.from(`key${i}`), Buffer.from(`value${i}`));
  await store.merge();
  await store.close();
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

function hints() {
  const manifest = decodeManifest(readFileSync(join(dir, 'MANIFEST.bitcask2')));
  if (typeof manifest === 'string') throw new Error(manifest);
  return manifest.files
    .filter(({ hint }) => hint)
    .map(({ file, hintCrc, dataBytes }) => ({
      path: join(dir, `${String(file).padStart(6, '0')}.bch`),
      expected: { file, crc: hintCrc, dataBytes },
    }));
}

describe('hints read in threads', () => {
  it('are what they are in one', async () => {
    const all = hints();
    expect(all.length).toBeGreaterThan(3);
    const [one, many] = [inThisThread(disk), inThreads(disk, WORKER, 2)];
    const read = (reader: typeof one) =>
      Promise.all(all.map(({ path, expected }) => reader.read(path, expected)));
    const [expected, found] = [await read(one), await read(many)];
    many.close();
    expect(found.map((hint) => Buffer.from(hint as Uint8Array))).toEqual(
      expected.map((hint) => Buffer.from(hint as Uint8Array)),
    );
  });

  it('say what is wrong with them', async () => {
    const [first, second, third] = hints();
    const damaged = readFileSync(first!.path);
    damaged[100]! ^= 1;
    writeFileSync(first!.path, damaged);
    rmSync(second!.path);
    const reader = inThreads(disk, WORKER, 1);
    const read = ({ path, expected }: NonNullable<typeof first>) => reader.read(path, expected);
    expect(await read(first!)).toMatch(/stored checksum/);
    expect(await read(second!)).toMatch(/missing/);
    expect(await read({ ...third!, expected: { ...third!.expected, dataBytes: 1 } })).toMatch(
      /for a data file of/,
    );
    reader.close();
  });

  it('are read in this thread where no other can be had', async () => {
    const reader = inThreads(disk, join(dir, 'no-such-script.js'), 2);
    const all = hints();
    expect(all.length).toBeGreaterThan(3);
    // Also those that are asked for when all threads are gone.
    for (const { path, expected } of all) {
      expect(await reader.read(path, expected)).toEqual(readHint(disk, path, expected));
    }
    reader.close();
  });
});

describe('a store whose hints are damaged', () => {
  it('opens with the same content, and says so', async () => {
    for (const name of readdirSync(dir).filter((one) => one.endsWith('.bch'))) {
      const bytes = readFileSync(join(dir, name));
      bytes[bytes.length >> 1]! ^= 0x10;
      writeFileSync(join(dir, name), bytes);
    }
    const store = await BitcaskStore.open(disk, dir);
    expect(store.size).toBe(300);
    expect(store.get(Buffer.from('key77'))).toEqual(Buffer.from('value77'));
    expect(store.recovered.length).toBeGreaterThan(3);
    expect(store.recovered[0]).toMatch(/\.bch: .*; the data file was read instead/);
    await store.close();
  });
});
