import { type Disk, readFully, writeFully } from '../../src/io/disk.ts';
import { pendingOperations } from '../../src/io/sim-disk/image.ts';
import { describePending, type Fate } from '../../src/io/sim-disk/operations.ts';
import { SimDisk } from '../../src/io/sim-disk/sim-disk.ts';

export function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

export function readText(disk: Disk, path: string): string {
  const file = disk.open(path, 'read');
  const content = Buffer.alloc(file.size());
  const length = readFully(file, content, 0, content.length, 0);
  file.close();
  return content.toString('latin1', 0, length);
}

/** Creates the file if need be, and syncs nothing unless told. */
export function writeText(
  disk: Disk,
  path: string,
  text: string,
  { position = 0, sync = false }: { position?: number; sync?: boolean } = {},
): void {
  const file = disk.open(path, disk.stat(path) === undefined ? 'create' : 'write');
  writeFully(file, bytes(text), 0, text.length, position);
  if (sync) file.sync();
  file.close();
}

/** A durable file. */
export function settle(disk: Disk, path: string, text: string): void {
  writeText(disk, path, text, { sync: true });
  disk.syncDirectory(path.slice(0, path.lastIndexOf('/')) || '/');
}

/** Every path below a directory, with the text of files and `undefined` for directories. */
export function tree(disk: Disk, directory: string): Record<string, string | undefined> {
  const found: Record<string, string | undefined> = {};
  for (const name of disk.list(directory)) {
    const path = `${directory}/${name}`;
    if (disk.stat(path)?.kind === 'directory') {
      found[path] = undefined;
      Object.assign(found, tree(disk, path));
    } else {
      found[path] = readText(disk, path);
    }
  }
  return found;
}

/** What waits to be synced, as the choices of a crash number it. */
export function pending(disk: SimDisk): string[] {
  return pendingOperations(disk.snapshot()).map(describePending);
}

/**
 * The disk after a crash that keeps the pending operations with these numbers, or has these fates.
 */
export function crash(
  disk: SimDisk,
  keep: 'none' | 'all' | readonly number[] | Readonly<Record<number, Fate>> = 'none',
  fill: 'zeros' | 'garbage' = 'zeros',
): SimDisk {
  const fates = pendingOperations(disk.snapshot()).map((_, at): Fate => {
    if (keep === 'none' || keep === 'all') return keep === 'all' ? 'kept' : 'dropped';
    if (Array.isArray(keep)) return keep.includes(at) ? 'kept' : 'dropped';
    return (keep as Readonly<Record<number, Fate>>)[at] ?? 'dropped';
  });
  return disk.crash({ fates, fill, seed: 7 });
}

export function simDisk(): SimDisk {
  return new SimDisk({ root: '/d' });
}

/** The `code` of what a call throws. */
export function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
