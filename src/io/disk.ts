/**
 * The only door to the disk for whatever writes: the interface that the real disk (real-disk.ts)
 * and the simulated one that can crash (sim-disk/) share. Calls are synchronous: a storage engine
 * orders its writes and syncs, and a call that has returned has happened. Errors are Node's: an
 * Error with `code` (`ENOENT`, `ENOSPC`, `EIO`, …), never swallowed.
 *
 * What is durable when (POSIX, and what engines may rely on):
 *   write       nothing, until a sync of that file
 *   sync        the file's data and length; not its name
 *   dataSync    the same, less what reading the data back does not need
 *   create, rename, remove    nothing, until syncDirectory of the directory (both, for a move)
 * After a failed sync the unsynced data is gone although reads may still show it, and a later sync
 * may succeed without it (see "Files are hard", and PostgreSQL's fsyncgate): treat it as fatal for
 * the file.
 */
export type OpenMode =
  /** Reading; the file must exist. */
  | 'read'
  /** Reading and writing; the file must exist. */
  | 'write'
  /** Reading and writing; the file must not exist. */
  | 'create';

export interface FileStat {
  readonly kind: 'file' | 'directory' | 'other';
  readonly size: number;
}

export interface DiskFile {
  readonly path: string;
  /**
   * Fills target[start, start + length) from `position`; returns the bytes there were, 0 past the
   * end.
   */
  read(target: Uint8Array, start: number, length: number, position: number): number;
  /**
   * Writes bytes[start, start + length) at `position`; returns how many were written: may be fewer.
   */
  write(bytes: Uint8Array, start: number, length: number, position: number): number;
  /** Cuts the file, or extends it with zeros. */
  truncate(size: number): void;
  sync(): void;
  dataSync(): void;
  size(): number;
  /**
   * Writes all of bytes[0, length), and syncs, while the caller goes on; leave the bytes alone
   * until it has resolved. For bulk output that nothing depends on yet: only the real disk has it.
   * A file that is closed meanwhile is closed behind the last of them.
   */
  writeBeside?(bytes: Uint8Array, length: number, position: number): Promise<void>;
  syncBeside?(): Promise<void>;
  close(): void;
}

export interface Disk {
  open(path: string, mode: OpenMode): DiskFile;
  /** Names in a directory, ascending by code unit. */
  list(directory: string): string[];
  stat(path: string): FileStat | undefined;
  /** With parents. Does nothing if it exists. */
  makeDirectory(path: string): void;
  /** Replaces `to` if it exists. */
  rename(from: string, to: string): void;
  remove(path: string): void;
  removeDirectory(path: string): void;
  syncDirectory(path: string): void;
}

/** Writes all of bytes[start, end), through short writes. */
export function writeFully(
  file: DiskFile,
  bytes: Uint8Array,
  start: number,
  end: number,
  position: number,
): void {
  let at = start;
  while (at < end) {
    const written = file.write(bytes, at, end - at, position + at - start);
    if (written <= 0) {
      throw Object.assign(new Error(`write of ${end - at} bytes made no progress: ${file.path}`), {
        code: 'EIO',
      });
    }
    at += written;
  }
}

/** Reads until length bytes are there or the file ends; returns how many. */
export function readFully(
  file: DiskFile,
  target: Uint8Array,
  start: number,
  length: number,
  position: number,
): number {
  let done = 0;
  while (done < length) {
    const got = file.read(target, start + done, length - done, position + done);
    if (got <= 0) break;
    done += got;
  }
  return done;
}
