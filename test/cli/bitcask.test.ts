import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BitcaskStore } from '../../src/engines/bitcask/store.ts';
import { RealDisk } from '../../src/io/real-disk.ts';
import { ddia } from './run.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ddia-cli-bitcask-'));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

function importKeys(store: string, from: number, to: number): void {
  const lines = Array.from({ length: to - from }, (_, i) => {
    return `{"key":"k${from + i}","value":"v${from + i}"}\n`;
  });
  const args = ['bitcask', 'import', store, '--file-bytes', '400'];
  expect(ddia(args, { input: lines.join('') }).status).toBe(0);
}

describe('a store with an older manifest', () => {
  it('is read and repaired as a whole', () => {
    const store = join(dir, 'store');
    const manifest = join(store, 'MANIFEST.bitcask2');
    importKeys(store, 0, 20);
    copyFileSync(manifest, join(dir, 'older'));
    importKeys(store, 20, 40);
    copyFileSync(join(dir, 'older'), manifest);
    const verified = ddia(['bitcask', 'verify', store]);
    expect(verified.status).toBe(1);
    expect(verified.stdout).toMatch(/bad-manifest.*MANIFEST[\s\S]*older than the files/);
    const repaired = join(dir, 'repaired');
    expect(ddia(['bitcask', 'repair', store, '--out', repaired]).status).toBe(0);
    expect(ddia(['bitcask', 'keys', repaired]).stdout.split('\n').length).toBe(41);
    expect(ddia(['bitcask', 'put', repaired, 'k', 'v']).status).toBe(0);
  });
});

describe('a store that is written to', () => {
  it('is not changed in place by anybody else', async () => {
    const path = join(dir, 'store');
    importKeys(path, 0, 40);
    const store = await BitcaskStore.open(new RealDisk(), path);
    for (const args of [
      ['put', path, 'k', 'v'],
      ['merge', path],
      ['hint', 'build', path, '--all', '--in-place'],
    ]) {
      const { status, stderr } = ddia(['bitcask', ...args]);
      expect([status, args[0]]).toEqual([3, args[0]]);
      expect(stderr).toContain('lock');
    }
    expect(ddia(['bitcask', 'get', path, 'k7']).stdout).toBe('v7\n');
    await store.close();
  });
});

describe('a store that is written anew in place', () => {
  it.each([
    ['repair', 'repair', '000001.bcd'],
    ['hint build', 'hint build', '000001.bch'],
  ])('has the hint that its last file had not, too (%s)', async (_, command, hit) => {
    const path = join(dir, 'store');
    const store = await BitcaskStore.open(new RealDisk(), path, { fileBytes: 400 });
    for (let i = 0; i < 30; i++) await store.put(Buffer.from(`k${i}`), Buffer.from(`v${i}`));
    await store.idle();
    await store.close();
    const names = readdirSync(path).filter((name) => name.endsWith('.bch'));
    expect(names.length).toBeLessThan(readdirSync(path).filter((n) => n.endsWith('.bcd')).length);
    const bytes = readFileSync(join(path, hit));
    writeFileSync(join(path, hit), bytes.fill(0x5a, 120, 130));
    ddia(['bitcask', ...command.split(' '), path, '--in-place']);
    expect(ddia(['bitcask', 'verify', path]).stdout).toContain('clean');
  });
});

describe('import', () => {
  it('leaves hints for whoever opens the store next', () => {
    const store = join(dir, 'store');
    importKeys(store, 0, 40);
    const { stdout } = ddia(['bitcask', 'verify', store]);
    expect(stdout).toContain('clean');
    expect(stdout).not.toContain('hint-missing');
  });
});
