/**
 * A directory that appears whole or not at all: its files are written and synced in a temporary
 * directory beside it, which then takes its name. Until then a crash leaves nothing but that
 * temporary directory.
 */
import * as path from 'node:path';
import { DdiaError, fromSystemError } from '../shared/errors.ts';
import { type Disk, type DiskFile, writeFully } from './disk.ts';

const BUFFER_BYTES = 1024 * 1024;
/** Buffers that are on their way at most; with so many a write is made at once. */
const BESIDE_MAX = 8;
/** With so many on their way `ready` waits. */
const BESIDE_ENOUGH = 3;

export class NewDirectory {
  /** Where the files are until `finish`. */
  readonly temporary: string;
  #open: BufferedFile | undefined;
  readonly #below = new Set<string>();
  /** It has its name; what had it before is set aside. */
  #placed = false;
  #done = false;
  /** Directories above it that were not there. */
  readonly #parents: string[] = [];

  /** `replace`: what is there is set aside first and removed at the end. */
  constructor(
    readonly disk: Disk,
    readonly target: string,
    readonly replace = false,
  ) {
    const there = disk.stat(target);
    const empty = there?.kind === 'directory' && disk.list(target).length === 0;
    if (there && !replace && !empty) {
      throw new DdiaError('exists', `${target} exists already`, 'choose another place, or --force');
    }
    if (there && there.kind !== 'directory') {
      throw new DdiaError('not-a-directory', `${target} is not a directory`);
    }
    const parent = path.dirname(path.resolve(target));
    this.temporary = path.join(parent, `.${path.basename(target)}.tmp-${process.pid}`);
    try {
      for (let one = parent; !disk.stat(one); one = path.dirname(one)) this.#parents.push(one);
      disk.makeDirectory(this.temporary);
    } catch (error) {
      this.#removeParents();
      throw fromSystemError(error, this.temporary);
    }
  }

  /** One file at a time. `directory/name`: in a directory below, which is made. */
  create(name: string): BufferedFile {
    const parts = name.split('/');
    const odd = parts.some((part) => path.basename(part) !== part || /^\.{0,2}$/.test(part));
    if (odd || parts.length > 2) {
      throw new DdiaError('bad-name', `not a file name: ${JSON.stringify(name)}`);
    }
    if (parts.length === 2) this.#makeBelow(parts[0]!);
    this.#open = new BufferedFile(this.disk, path.join(this.temporary, name));
    return this.#open;
  }

  #makeBelow(name: string): void {
    if (this.#below.has(name)) return;
    const inner = path.join(this.temporary, name);
    try {
      this.disk.makeDirectory(inner);
    } catch (error) {
      throw fromSystemError(error, inner);
    }
    this.#below.add(name);
  }

  /** Gives the directory its name, durably. */
  finish(): void {
    const { disk, target } = this;
    this.place();
    this.#done = true;
    try {
      removeTree(disk, this.#old);
    } catch (error) {
      throw fromSystemError(error, target);
    }
  }

  /** As `finish`, but `abandon` still takes it back: for who has more to do that can fail. */
  place(): void {
    if (this.#placed) return;
    const { disk, target, temporary } = this;
    const resolved = path.resolve(target);
    try {
      for (const name of this.#below) disk.syncDirectory(path.join(temporary, name));
      disk.syncDirectory(temporary);
      if (disk.stat(resolved)) disk.rename(resolved, this.#old);
      this.#placed = true;
      disk.rename(temporary, resolved);
      disk.syncDirectory(path.dirname(resolved));
    } catch (error) {
      throw fromSystemError(error, target);
    }
  }

  get #old(): string {
    return `${this.temporary}.old`;
  }

  /**
   * A file that is written while the caller goes on: end it with `finishBeside`, before the
   * directory is finished.
   */
  createBeside(name: string): BufferedFile {
    const file = this.create(name);
    file.inBackground = true;
    return file;
  }

  /** Leaves all as it was before; harmless after finish. */
  abandon(): void {
    if (this.#done) return;
    this.#done = true;
    const { disk } = this;
    this.#open?.close();
    const resolved = path.resolve(this.target);
    if (disk.stat(this.temporary)) removeTree(disk, this.temporary);
    else if (this.#placed) removeTree(disk, resolved);
    if (this.#placed && disk.stat(this.#old)) disk.rename(this.#old, resolved);
    this.#removeParents();
  }

  /** Those that hold nothing: others may have put something there meanwhile. */
  #removeParents(): void {
    const { disk } = this;
    for (const one of this.#parents) {
      if (!disk.stat(one)) continue;
      if (disk.list(one).length > 0) return;
      disk.removeDirectory(one);
    }
  }
}

/** Appends to a new file through a buffer. */
export class BufferedFile {
  readonly #file: DiskFile;
  inBackground = false;
  #buffer: Uint8Array = new Uint8Array(BUFFER_BYTES);
  /** Buffers that nothing is written from. */
  readonly #free: Uint8Array[] = [];
  #beside = 0;
  #all: Promise<unknown> = Promise.resolve();
  #last: Promise<void> = Promise.resolve();
  #count = 0;
  #position = 0;
  #closed = false;

  constructor(
    disk: Disk,
    readonly path: string,
  ) {
    try {
      this.#file = disk.open(path, 'create');
    } catch (error) {
      throw fromSystemError(error, path);
    }
  }

  /** Bytes appended so far. */
  get size(): number {
    return this.#position + this.#count;
  }

  write(bytes: Uint8Array, start = 0, end = bytes.length): void {
    if (end - start > BUFFER_BYTES - this.#count) this.#flush();
    if (end - start > BUFFER_BYTES) {
      this.#writeOut(bytes, start, end);
      return;
    }
    this.#buffer.set(
      start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end),
      this.#count,
    );
    this.#count += end - start;
  }

  /** Puts bytes in place of some that were appended before. */
  patch(position: number, bytes: Uint8Array): void {
    try {
      this.#flush();
      if (this.inBackground) {
        // Behind what is on its way to the same place.
        const copy = bytes.slice();
        this.#all = this.#all.then(() => writeFully(this.#file, copy, 0, copy.length, position));
        this.#all.catch(() => {});
      } else writeFully(this.#file, bytes, 0, bytes.length, position);
    } catch (error) {
      throw fromSystemError(error, this.path);
    }
  }

  finish(): void {
    try {
      this.#flush();
      this.#file.sync();
    } catch (error) {
      throw fromSystemError(error, this.path);
    } finally {
      this.close();
    }
  }

  /** Until not much is on its way any more. */
  async ready(): Promise<void> {
    if (this.#beside >= BESIDE_ENOUGH) await this.#last;
  }

  /** As `finish`, without making the caller wait. */
  async finishBeside(): Promise<void> {
    try {
      this.#flush();
      await this.#all;
      if (this.#file.syncBeside) await this.#file.syncBeside();
      else this.#file.sync();
    } catch (error) {
      throw fromSystemError(error, this.path);
    } finally {
      this.close();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }

  #flush(): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    if (this.inBackground && this.#beside < BESIDE_MAX && this.#file.writeBeside) {
      this.#writeBeside(count);
    } else this.#writeOut(this.#buffer, 0, count);
  }

  #writeBeside(count: number): void {
    const buffer = this.#buffer;
    this.#beside++;
    const written = this.#file.writeBeside!(buffer, count, this.#position).finally(() => {
      this.#beside--;
      this.#free.push(buffer);
    });
    this.#position += count;
    this.#last = written;
    this.#all = Promise.all([this.#all, written]);
    // Told when the file is finished; one that is not is of no interest.
    this.#all.catch(() => {});
    this.#buffer = this.#free.pop() ?? new Uint8Array(BUFFER_BYTES);
  }

  #writeOut(bytes: Uint8Array, start: number, end: number): void {
    try {
      writeFully(this.#file, bytes, start, end, this.#position);
    } catch (error) {
      throw fromSystemError(error, this.path);
    }
    this.#position += end - start;
  }
}

/** Removes a directory and all in it; does nothing if it is not there. */
export function removeTree(disk: Disk, directory: string): void {
  const stat = disk.stat(directory);
  if (stat?.kind !== 'directory') return;
  for (const name of disk.list(directory)) {
    const inner = path.join(directory, name);
    if (disk.stat(inner)?.kind === 'directory') removeTree(disk, inner);
    else disk.remove(inner);
  }
  disk.removeDirectory(directory);
}
