import { basename, dirname, join } from 'node:path';
import { DdiaError } from '../shared/errors.ts';
import { type Disk, readFully, writeFully } from './disk.ts';
import { type Processes, type ProcessIdentity, systemProcesses } from './processes.ts';

/** A lock's content is one line; anything longer is not ours. */
const CONTENT_BYTES_MAX = 128;

/**
 * A file that says which process has a store open: `PID STARTED`, where a process that died no
 * longer counts.
 *
 * Two processes that find the same dead owner must not both replace it, nor one remove what the
 * other has just created; and a file that was created and not yet written must not pass for a dead
 * one. So whoever wants the lock first puts up a claim: a file named after the process, which no
 * other process ever creates. It goes on only if it sees no claim of a living process but its own.
 * Of two that meet, at least one sees the other, since each creates before it lists; both may, and
 * both give up. Under a claim the lock can be read, removed and created as if alone. Claims of the
 * dead are removed by name, which can hit nobody else's.
 *
 * Nothing is synced: a lock that a crash of the machine undoes has lost its owner as well.
 * Processes of another machine or of another process namespace look dead; a store on a shared disk
 * is not protected from them.
 */
export class LockFile {
  readonly #disk: Disk;
  readonly #content: Buffer;
  #held = true;

  private constructor(
    disk: Disk,
    readonly path: string,
    content: Buffer,
  ) {
    this.#disk = disk;
    this.#content = content;
  }

  /**
   * Throws a DdiaError `locked` that names the process which has the lock. Its directory must
   * exist.
   */
  static acquire(disk: Disk, path: string, processes: Processes = systemProcesses()): LockFile {
    const claim = putUpClaim(disk, path, processes);
    try {
      const owner = readOwner(disk, path);
      if (owner !== undefined && processes.isAlive(owner)) throw locked(path, owner.pid);
      if (disk.stat(path) !== undefined) disk.remove(path);
      const { pid, started } = processes.self;
      const content = Buffer.from(`${pid} ${started}\n`);
      createWith(disk, path, content);
      return new LockFile(disk, path, content);
    } finally {
      disk.remove(claim);
    }
  }

  /** Removes the file if it is still this lock's. Does nothing the second time. */
  release(): void {
    if (!this.#held) return;
    this.#held = false;
    const content = readContent(this.#disk, this.path);
    if (content !== undefined && this.#content.equals(content)) this.#disk.remove(this.path);
  }
}

/** The living process that has the lock; undefined: none has it. Nothing is touched. */
export function lockOwner(
  disk: Disk,
  path: string,
  processes: Processes = systemProcesses(),
): number | undefined {
  const owner = readOwner(disk, path);
  return owner !== undefined && processes.isAlive(owner) ? owner.pid : undefined;
}

/** Returns the path of the claim. */
function putUpClaim(disk: Disk, path: string, processes: Processes): string {
  const directory = dirname(path);
  const prefix = `.${basename(path)}.claim-`;
  const { pid, started } = processes.self;
  const own = `${prefix}${pid}-${started}`;
  const claim = join(directory, own);
  try {
    disk.open(claim, 'create').close();
  } catch (error) {
    // Another thread of this process is at it.
    if (hasCode(error, 'EEXIST')) throw locked(path, pid);
    throw error;
  }
  try {
    for (const name of disk.list(directory)) {
      if (!name.startsWith(prefix) || name === own) continue;
      const other = parseIdentity(name.slice(prefix.length), '-');
      if (other === undefined) continue;
      if (processes.isAlive(other)) throw locked(path, other.pid);
      removeIfThere(disk, join(directory, name));
    }
  } catch (error) {
    disk.remove(claim);
    throw error;
  }
  return claim;
}

/** Undefined if there is no lock, or one that was never completed. */
function readOwner(disk: Disk, path: string): ProcessIdentity | undefined {
  const text = readContent(disk, path)?.toString('latin1');
  if (text === undefined || !text.endsWith('\n')) return undefined;
  return parseIdentity(text.slice(0, -1), ' ');
}

function parseIdentity(text: string, separator: string): ProcessIdentity | undefined {
  const at = text.indexOf(separator);
  const pid = text.slice(0, Math.max(0, at));
  if (!/^[1-9]\d{0,9}$/.test(pid)) return undefined;
  return { pid: Number(pid), started: text.slice(at + 1) };
}

function readContent(disk: Disk, path: string): Buffer | undefined {
  try {
    const file = disk.open(path, 'read');
    try {
      const content = Buffer.alloc(CONTENT_BYTES_MAX);
      return content.subarray(0, readFully(file, content, 0, content.length, 0));
    } finally {
      file.close();
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** A lock that could not be written is not left behind, as far as that is possible. */
function createWith(disk: Disk, path: string, content: Buffer): void {
  const file = disk.open(path, 'create');
  try {
    writeFully(file, content, 0, content.length, 0);
  } catch (error) {
    removeIfThere(disk, path);
    throw error;
  } finally {
    file.close();
  }
}

/** Another process may have been quicker. */
function removeIfThere(disk: Disk, path: string): void {
  try {
    disk.remove(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

function locked(path: string, pid: number): DdiaError {
  return new DdiaError(
    'locked',
    `${dirname(path)} is in use by process ${pid}`,
    `Close it there first. The lock is ${path}; one of a dead process is replaced by itself.`,
  );
}

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
