import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import type { Disk, DiskFile, FileStat, OpenMode } from './disk.ts';
import { systemError } from './system-error.ts';

/** 'create' is exclusive: of two processes that create a file, one is told EEXIST. */
const FLAGS: Readonly<Record<OpenMode, string>> = { read: 'r', write: 'r+', create: 'wx+' };

/** Absent on Windows, where a directory cannot be opened at all. */
const OPEN_DIRECTORY = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0);

/** What platforms and file systems that cannot sync a directory say when asked to. */
const CANNOT_SYNC_DIRECTORY = new Set(['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR']);

/**
 * The disk of this machine, through Node's synchronous calls, whose errors it passes on as they
 * are.
 */
export class RealDisk implements Disk {
  open(path: string, mode: OpenMode): DiskFile {
    const descriptor = openSync(path, FLAGS[mode]);
    // A directory can be opened for reading, and only the first read would fail.
    if (mode === 'read' && fstatSync(descriptor).isDirectory()) {
      closeSync(descriptor);
      throw systemError('EISDIR', 'open', path);
    }
    return new RealFile(descriptor, path);
  }

  list(directory: string): string[] {
    return readdirSync(directory).sort();
  }

  stat(path: string): FileStat | undefined {
    try {
      const stat = statSync(path);
      const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : 'other';
      return { kind, size: stat.size };
    } catch (error) {
      if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
      throw error;
    }
  }

  makeDirectory(path: string): void {
    mkdirSync(path, { recursive: true });
  }

  rename(from: string, to: string): void {
    renameSync(from, to);
  }

  remove(path: string): void {
    unlinkSync(path);
  }

  removeDirectory(path: string): void {
    rmdirSync(path);
  }

  syncDirectory(path: string): void {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(path, OPEN_DIRECTORY);
      fsyncSync(descriptor);
    } catch (error) {
      if (!CANNOT_SYNC_DIRECTORY.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }
}

class RealFile implements DiskFile {
  /** Undefined once closed: the number may by then belong to another file. */
  #descriptor: number | undefined;
  /** Writes and syncs that go on in the background. */
  #beside = 0;

  constructor(
    descriptor: number,
    readonly path: string,
  ) {
    this.#descriptor = descriptor;
  }

  read(target: Uint8Array, start: number, length: number, position: number): number {
    return this.#call('read', (fd) => readSync(fd, target, start, length, position));
  }

  write(bytes: Uint8Array, start: number, length: number, position: number): number {
    return this.#call('write', (fd) => writeSync(fd, bytes, start, length, position));
  }

  truncate(size: number): void {
    // Node takes a negative size for 0.
    if (size < 0) throw systemError('EINVAL', 'ftruncate', this.path);
    this.#call('ftruncate', (fd) => ftruncateSync(fd, size));
  }

  sync(): void {
    this.#call('fsync', fsyncSync);
  }

  dataSync(): void {
    this.#call('fdatasync', fdatasyncSync);
  }

  size(): number {
    return this.#call('fstat', (fd) => fstatSync(fd)).size;
  }

  writeBeside(bytes: Uint8Array, length: number, position: number): Promise<void> {
    return this.#goOn('write', async (descriptor) => {
      for (let done = 0; done < length; ) {
        const written = await writePiece(descriptor, bytes, done, length - done, position + done);
        if (written <= 0) throw systemError('EIO', 'write', this.path);
        done += written;
      }
    });
  }

  syncBeside(): Promise<void> {
    return this.#goOn('fsync', (descriptor) => {
      return new Promise((resolve, reject) => {
        fsync(descriptor, (error) => (error ? reject(error) : resolve()));
      });
    });
  }

  async #goOn(syscall: string, work: (descriptor: number) => Promise<void>): Promise<void> {
    const descriptor = this.#opened(syscall);
    this.#beside++;
    try {
      await work(descriptor);
    } catch (error) {
      throw withPath(error as NodeJS.ErrnoException, this.path);
    } finally {
      this.#beside--;
      if (this.#beside === 0 && this.#descriptor === undefined) closeSync(descriptor);
    }
  }

  close(): void {
    const descriptor = this.#opened('close');
    this.#descriptor = undefined;
    if (this.#beside === 0) closeSync(descriptor);
  }

  /** Of a descriptor the system does not tell which file it is, and its errors are to name it. */
  #call<Result>(syscall: string, act: (descriptor: number) => Result): Result {
    const descriptor = this.#opened(syscall);
    try {
      return act(descriptor);
    } catch (error) {
      throw withPath(error as NodeJS.ErrnoException, this.path);
    }
  }

  #opened(syscall: string): number {
    if (this.#descriptor === undefined) throw systemError('EBADF', syscall, this.path);
    return this.#descriptor;
  }
}

function withPath(error: NodeJS.ErrnoException, path: string): NodeJS.ErrnoException {
  if (error.syscall === undefined || error.path !== undefined) return error;
  error.message = `${error.message} '${path}'`;
  error.path = path;
  return error;
}

function writePiece(
  descriptor: number,
  bytes: Uint8Array,
  start: number,
  length: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    write(descriptor, bytes, start, length, position, (error, written) => {
      if (error) reject(error);
      else resolve(written);
    });
  });
}

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
