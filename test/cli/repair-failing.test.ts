/**
 * Repairs that the disk lets down half-way: what they made is gone again, what was there before is
 * as it was, and the next try works.
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { applyRepair, planRepair, type RepairTarget } from '../../src/cli/repair.ts';
import { LsmStore } from '../../src/engines/lsm/store.ts';
import { identify } from '../../src/formats/detect.ts';
import { DEFAULT_LIMITS } from '../../src/formats/format.ts';
import { loadFamilies } from '../../src/formats/registry.ts';
import type { DiskFile, OpenMode } from '../../src/io/disk.ts';
import { openFileSet } from '../../src/io/file-set.ts';
import { systemError } from '../../src/io/system-error.ts';
import type { DdiaError } from '../../src/shared/errors.ts';
import { treeOf } from '../support/tree.ts';
import { ddia, type ErrorAnswer, json, root, temporaryDirectory } from './run.ts';

/** How many changes of the disk succeed before one fails. */
const disk = vi.hoisted(() => ({ left: Number.POSITIVE_INFINITY }));

vi.mock('../../src/io/real-disk.ts', async (original) => {
  const { RealDisk } = await original<typeof import('../../src/io/real-disk.ts')>();
  const spend = (syscall: string, path: string) => {
    if (disk.left-- === 0) throw systemError('ENOSPC', syscall, path);
  };
  class FullDisk extends RealDisk {
    override open(path: string, mode: OpenMode): DiskFile {
      const file = super.open(path, mode);
      const { write, sync } = file;
      file.write = (...args) => {
        spend('write', path);
        return write.apply(file, args);
      };
      file.sync = () => {
        spend('fsync', path);
        sync.apply(file);
      };
      return file;
    }
    override makeDirectory(path: string): void {
      spend('mkdir', path);
      super.makeDirectory(path);
    }
    override rename(from: string, to: string): void {
      spend('rename', to);
      super.rename(from, to);
    }
  }
  return { RealDisk: FullDisk };
});

const directory = temporaryDirectory();

/** Damages the file in its middle, so that something is dropped. */
function damaged(name: string, from: string, file: string): string {
  const path = join(directory, name, 'source');
  cpSync(join(root, 'fixtures', from), path, { recursive: true });
  const bytes = treeOf(path)[file]!;
  const middle = bytes.length >> 1;
  writeFileSync(join(path, file), bytes.fill(0x5a, middle, middle + 40));
  return path;
}

async function lsmStore(): Promise<string> {
  const path = join(directory, 'lsm', 'source');
  const { RealDisk } = await import('../../src/io/real-disk.ts');
  const store = await LsmStore.open(new RealDisk(), path);
  for (let i = 0; i < 300; i++) await store.put(Buffer.from(`k${i}`), Buffer.alloc(50));
  await store.flush();
  await store.put(Buffer.from('last'), Buffer.alloc(9));
  await store.close();
  const bytes = treeOf(path)['000001.sst2']!;
  writeFileSync(join(path, '000001.sst2'), bytes.fill(0x5a, 3000, 3040));
  return path;
}

const SOURCES: Record<string, () => string | Promise<string>> = {
  wal: () => damaged('wal', 'wal/v1/clean', '000001.wal'),
  bitcask: () => damaged('bitcask', 'bitcask/log-v1/clean', 'segment_000001.dat'),
  sstable: () => damaged('sstable', 'sstable/lsm-v1/clean', 'sstable_000001.sst'),
  avro: () => join(damaged('avro', 'avro/damaged', 'torn.avro'), 'torn.avro'),
  lsm: lsmStore,
};

async function planned(path: string): Promise<(more: Partial<RepairTarget>) => Promise<unknown>> {
  const context = { limits: DEFAULT_LIMITS };
  const input = await identify(await loadFamilies(), openFileSet(path), undefined);
  const plan = await planRepair(input, { mend: false }, context);
  const out = join(path, '../new/out');
  const target = { out, inPlace: false, backup: true, quarantine: undefined, force: false };
  return (more) => applyRepair(input, plan, { ...target, ...more }, context);
}

describe('a repair on a full disk', () => {
  it.each(Object.entries(SOURCES))(
    'of family %s leaves nothing, whenever it fails, and can be tried again',
    { timeout: 60_000 },
    async (_, make) => {
      const path = await make();
      const place = join(path, '..');
      const repair = await planned(path);
      for (const old of [false, true]) {
        if (old) {
          for (const name of ['out', 'out.quarantine']) {
            mkdirSync(join(place, 'new', name), { recursive: true });
            writeFileSync(join(place, 'new', name, 'old'), name);
          }
        }
        const before = treeOf(place);
        let failures = 0;
        for (;;) {
          disk.left = failures;
          try {
            await repair({ force: old });
            break;
          } catch (error) {
            expect(error).toMatchObject({ code: 'disk-full' });
            expect((error as Error).message).toMatch(
              /^no space left on device, (writing|syncing|renaming|making the directory) \//,
            );
            failures++;
          } finally {
            disk.left = Number.POSITIVE_INFINITY;
          }
          expect({ failures, ...treeOf(place) }).toEqual({ failures, ...before });
        }
        expect(failures).toBeGreaterThan(6);
        const after = Object.keys(treeOf(place));
        expect(after.filter((name) => /old$|tmp/.test(name))).toEqual([]);
        expect(after).toContain('new/out.quarantine/index.json');
      }
    },
  );
});

describe('a repair in place', () => {
  it('leaves all as it was, until files are put in their place', async () => {
    const path = damaged('in-place', 'wal/v1/clean', '000001.wal');
    const place = join(path, '..');
    const repair = await planned(path);
    const before = treeOf(place);
    for (let failures = 0; ; failures++) {
      disk.left = failures;
      const error = await repair({ inPlace: true, out: undefined }).catch((one: Error) => one);
      disk.left = Number.POSITIVE_INFINITY;
      expect(error).toMatchObject({ code: 'disk-full' });
      const { hint } = error as DdiaError;
      if (hint === undefined) {
        expect({ failures, ...treeOf(place) }).toEqual({ failures, ...before });
        continue;
      }
      expect(failures).toBeGreaterThan(6);
      const rest = /what is not in its place yet is in (.*): move it there/.exec(hint)![1]!;
      expect(treeOf(rest)).toHaveProperty('000001.wal');
      expect(treeOf(path)['000001.wal.bak']).toEqual(before['source/000001.wal']);
      expect(treeOf(place)).toHaveProperty('source.quarantine/index.json');
      return;
    }
  });
});

describe('a result within its source', () => {
  it.each([
    ['wal/v1/bad-crc', ['wal', 'repair', '--out']],
    ['bitcask/log-v1/bad-crc', ['bitcask', 'repair', '--out']],
    ['wal/v1/bad-crc', ['wal', 'upgrade', '--out']],
    ['bitcask/hash-v1/clean', ['bitcask', 'merge', '--out']],
    ['bitcask/hash-v1/clean', ['bitcask', 'upgrade', '--out']],
    ['sstable/lsm-v1/clean', ['sstable', 'compact', '--out']],
    ['database/leveldb', ['lsm', 'repair', '--to', 'v2', '--out']],
    ['database/leveldb', ['lsm', 'repair', '--out']],
    ['wal/v1/bad-crc', ['wal', 'repair', '--in-place', '--quarantine']],
  ])('%s: %j is refused', (fixture, [family, verb, ...flags]) => {
    const path = join(directory, 'within', fixture.replaceAll('/', '-'));
    cpSync(join(root, 'fixtures', fixture), path, { recursive: true });
    const before = treeOf(path);
    const ran = ddia([family!, verb!, path, '--json', ...flags, join(path, 'new')]);
    expect(json<ErrorAnswer>(ran).error.code).toBe('same-place');
    expect(ran.status).toBe(3);
    expect(treeOf(path)).toEqual(before);
  });

  it('is refused of a quarantine within the result too', () => {
    const path = join(root, 'fixtures/wal/v1/bad-crc');
    const out = join(directory, 'apart');
    const ran = ddia(['wal', 'repair', path, '--json', '--out', out, '--quarantine', `${out}/q`]);
    expect(json<ErrorAnswer>(ran).error).toMatchObject({ code: 'same-place' });
    expect(treeOf(directory)).not.toHaveProperty('apart');
  });
});
