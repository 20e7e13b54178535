/** A disk that leaves out or spoils one kind of step, as a careless engine would. */
import { basename } from 'node:path';
import type { Disk, DiskFile, FileStat, OpenMode } from '../../../src/io/disk.ts';
import { isTemporaryName } from '../../../src/io/durable.ts';

export interface Defect {
  /** True: this sync of a file is left out. */
  skipsSync?(path: string, data: boolean): boolean;
  skipsDirectorySync?(path: string, created: string): boolean;
  /** Errors of syncs are not noticed. */
  ignoresSyncErrors?: boolean;
  /** Files are replaced by cutting them to nothing and writing them again. */
  replacesInPlace?(path: string): boolean;
}

export class DefectiveDisk implements Disk {
  #created = '';

  constructor(
    readonly disk: Disk,
    readonly defect: Defect,
  ) {}

  open(path: string, mode: OpenMode): DiskFile {
    if (mode === 'create') this.#created = basename(path);
    return new DefectiveFile(this.disk.open(path, mode), this.defect);
  }

  list(directory: string): string[] {
    return this.disk.list(directory);
  }

  stat(path: string): FileStat | undefined {
    return this.disk.stat(path);
  }

  makeDirectory(path: string): void {
    this.disk.makeDirectory(path);
  }

  rename(from: string, to: string): void {
    if (!this.defect.replacesInPlace?.(to) || !this.disk.stat(to)) {
      this.disk.rename(from, to);
      return;
    }
    const source = this.disk.open(from, 'read');
    const bytes = new Uint8Array(source.size());
    source.read(bytes, 0, bytes.length, 0);
    source.close();
    const target = this.disk.open(to, 'write');
    target.truncate(0);
    target.write(bytes, 0, bytes.length, 0);
    target.sync();
    target.close();
    this.disk.remove(from);
  }

  remove(path: string): void {
    this.disk.remove(path);
  }

  removeDirectory(path: string): void {
    this.disk.removeDirectory(path);
  }

  syncDirectory(path: string): void {
    if (!this.defect.skipsDirectorySync?.(path, this.#created)) this.disk.syncDirectory(path);
  }
}

class DefectiveFile implements DiskFile {
  constructor(
    readonly file: DiskFile,
    readonly defect: Defect,
  ) {}

  get path(): string {
    return this.file.path;
  }

  read(target: Uint8Array, start: number, length: number, position: number): number {
    return this.file.read(target, start, length, position);
  }

  write(bytes: Uint8Array, start: number, length: number, position: number): number {
    return this.file.write(bytes, start, length, position);
  }

  truncate(size: number): void {
    this.file.truncate(size);
  }

  sync(): void {
    this.#sync(false);
  }

  dataSync(): void {
    this.#sync(true);
  }

  #sync(data: boolean): void {
    if (this.defect.skipsSync?.(this.path, data)) return;
    try {
      if (data) this.file.dataSync();
      else this.file.sync();
    } catch (error) {
      if (!this.defect.ignoresSyncErrors) throw error;
    }
  }

  size(): number {
    return this.file.size();
  }

  close(): void {
    this.file.close();
  }
}

export const isSegment = (path: string) => path.endsWith('.wal2') && !path.includes('MANIFEST');
export const isTemporary = (path: string) => isTemporaryName(basename(path));
