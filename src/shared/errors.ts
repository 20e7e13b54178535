/** Exit codes of every command. */
export const EXIT = {
  ok: 0,
  /** Damage was found, or what was asked for was not. */
  damage: 1,
  usage: 2,
  /** No such file, no permission, locked, disk full, not this format. */
  failed: 3,
  /** Nothing worse than an ordinary crash leaves: a torn tail, a leftover file. */
  tornTail: 4,
  /** As a shell reports a process that SIGINT, or SIGTERM, ended. */
  interrupted: 130,
  terminated: 143,
} as const;

/**
 * An error that a user can act on: a stable code, a sentence, and where possible what to do about
 * it. Damage in a file is never an error but a finding.
 */
export class DdiaError extends Error {
  override readonly name = 'DdiaError';
  constructor(
    readonly code: string,
    message: string,
    readonly hint?: string,
    readonly exit: number = EXIT.failed,
  ) {
    super(message);
  }
}

/** The command line is wrong. */
export function usageError(code: string, message: string, hint?: string): DdiaError {
  return new DdiaError(code, message, hint, EXIT.usage);
}

/** What the disk says of a path: a stable code, and in words. */
const SYSTEM_ERRORS: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ['not-found', 'no such file or directory'],
  EACCES: ['permission', 'permission denied'],
  EPERM: ['permission', 'operation not permitted'],
  EISDIR: ['is-directory', 'is a directory'],
  ENOTDIR: ['not-a-directory', 'not a directory'],
  ENOSPC: ['disk-full', 'no space left on device'],
  EDQUOT: ['disk-full', 'disk quota exceeded'],
  EFBIG: ['file-too-large', 'file too large'],
  EROFS: ['read-only', 'read-only file system'],
  EIO: ['io-error', 'the disk failed to read or write'],
  EEXIST: ['exists', 'already exists'],
  EMFILE: ['too-many-files', 'too many open files'],
};

/** What was being done when a system call that changes something failed. */
const DOING: Readonly<Record<string, string>> = {
  write: 'writing',
  fsync: 'syncing',
  fdatasync: 'syncing',
  ftruncate: 'cutting',
  mkdir: 'making the directory',
  rename: 'renaming',
  unlink: 'removing',
  rmdir: 'removing',
};

/** Says in words what a system call's error means for `path`. The error is its cause. */
export function fromSystemError(error: unknown, path: string): DdiaError {
  if (error instanceof DdiaError) return error;
  const { code = 'EUNKNOWN', message = String(error), syscall } = error as NodeJS.ErrnoException;
  const known = SYSTEM_ERRORS[code];
  const doing = DOING[syscall ?? ''];
  const told = known
    ? new DdiaError(known[0], `${known[1]}${doing ? `, ${doing} ` : ': '}${path}`)
    : new DdiaError('system', `${path}: ${code} ${message}`);
  return Object.assign(told, { cause: error });
}
