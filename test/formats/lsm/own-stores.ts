/** Stores of ours in memory: made by the engine on the simulated disk, as files to be damaged. */
import type { LsmOptions } from '../../../src/engines/lsm/options.ts';
import { LsmStore } from '../../../src/engines/lsm/store.ts';
import type { Disk } from '../../../src/io/disk.ts';
import { readFully } from '../../../src/io/disk.ts';
import { bootProcesses } from '../../../src/io/processes.ts';
import { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import type { Random } from '../../../src/shared/random.ts';
import type { Files } from './databases.ts';

export const ROOT = '/store';

/** Small enough that a few writes make several levels. */
const SMALL: LsmOptions = {
  memtableBytes: 1024 * 1024,
  tableBytes: 500,
  blockBytes: 128,
  levelZeroTables: 2,
  levelOneBytes: 900,
  autoCompact: false,
  processes: bootProcesses(1),
};

export function openStore(disk: Disk, options: LsmOptions = {}): Promise<LsmStore> {
  return LsmStore.open(disk, ROOT, { ...SMALL, ...options });
}

/** The files of a directory, those of the directories below as `directory/name`. */
export function filesOf(disk: Disk, directory = ROOT, prefix = ''): Files {
  const files: Files = {};
  for (const name of disk.list(directory)) {
    const path = `${directory}/${name}`;
    const stat = disk.stat(path)!;
    if (stat.kind === 'directory') Object.assign(files, filesOf(disk, path, `${prefix}${name}/`));
    else {
      const bytes = new Uint8Array(stat.size);
      const file = disk.open(path, 'read');
      readFully(file, bytes, 0, bytes.length, 0);
      file.close();
      files[`${prefix}${name}`] = bytes;
    }
  }
  return files;
}

/** Puts files on a disk, so that the engine can open them. */
export function diskOf(files: Files): SimDisk {
  const disk = new SimDisk();
  disk.makeDirectory(ROOT);
  for (const [name, bytes] of Object.entries(files)) {
    const [directory, inner] = name.split('/');
    if (inner !== undefined && !disk.stat(`${ROOT}/${directory}`)) {
      disk.makeDirectory(`${ROOT}/${directory}`);
    }
    const file = disk.open(`${ROOT}/${name}`, 'create');
    file.write(bytes, 0, bytes.length, 0);
    file.close();
  }
  return disk;
}

export interface Made {
  files: Files;
  /** Its live content, `key=value`. */
  content: string[];
}

export async function contentOf(store: LsmStore): Promise<string[]> {
  return [...store.scan()].map(({ key, value }) => `${key}=${value}`);
}

/** Puts, deletions, and range deletions, with flushes and compactions between. */
export async function randomStore(random: Random, steps = 120): Promise<Made> {
  const disk = new SimDisk();
  const strategy = random.below(2) === 0 ? ('leveled' as const) : ('size-tiered' as const);
  const store = await openStore(disk, { strategy });
  const key = () => Buffer.from(`k${String(random.below(60)).padStart(3, '0')}`);
  for (let i = 0; i < steps; i++) {
    const what = random.below(40);
    if (what < 30) await store.put(key(), Buffer.from(`v${i}-${'x'.repeat(random.below(40))}`));
    else if (what < 34) await store.delete(key());
    else if (what < 36) {
      const [from, to] = [key(), key()].sort(Buffer.compare) as [Buffer, Buffer];
      await store.deleteRange(from, to);
    } else if (what < 39) await store.flush();
    else await store.compact();
  }
  const content = await contentOf(store);
  await store.close();
  return { files: filesOf(disk), content };
}
