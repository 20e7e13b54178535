/** Files on a Disk, real or simulated, as what formats read from. */
import { basename, join } from 'node:path';
import type { ByteSource, FileEntry, FileSet } from '../formats/format.ts';
import { type Disk, type DiskFile, readFully } from './disk.ts';

export class DiskSource implements ByteSource {
  readonly #file: DiskFile;
  readonly size: number;

  /** Opens the file at `path` for reading. */
  constructor(
    disk: Disk,
    path: string,
    readonly name = basename(path),
  ) {
    this.#file = disk.open(path, 'read');
    this.size = this.#file.size();
  }

  read(target: Uint8Array, start: number, length: number, position: number): number {
    const most = Math.min(length, this.size - position);
    return most <= 0 ? 0 : readFully(this.#file, target, start, most, position);
  }

  close(): void {
    this.#file.close();
  }
}

/** The regular files of `directory`, as they are now. */
export function diskSet(disk: Disk, directory: string): FileSet {
  const files: FileEntry[] = [];
  for (const name of disk.list(directory)) {
    const stat = disk.stat(join(directory, name));
    if (stat?.kind === 'file') files.push({ name, size: stat.size });
  }
  return {
    path: directory,
    isDirectory: true,
    files,
    siblings: files,
    open: (name) => new DiskSource(disk, join(directory, name), name),
    below(name) {
      const inner = join(directory, name);
      return disk.stat(inner)?.kind === 'directory' ? diskSet(disk, inner) : undefined;
    },
  };
}
