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
  /** As a shell reports a process that SIGINT ended. */
  interrupted: 130,
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

/** Says in words what a system call's error means for `path`. */
export function fromSystemError(error: unknown, path: string): DdiaError {
  if (error instanceof DdiaError) return error;
  const { code = 'EUNKNOWN', message = String(error) } = error as NodeJS.ErrnoException;
  const words: Record<string, [string, string]> = {
    ENOENT: ['not-found', `no such file or directory: ${path}`],
    EACCES: ['permission', `permission denied: ${path}`],
    EPERM: ['permission', `operation not permitted: ${path}`],
    EISDIR: ['is-directory', `is a directory: ${path}`],
    ENOTDIR: ['not-a-directory', `not a directory: ${path}`],
    ENOSPC: ['disk-full', `no space left on device: ${path}`],
    EROFS: ['read-only', `read-only file system: ${path}`],
    EIO: ['io-error', `the disk failed to read or write: ${path}`],
    EEXIST: ['exists', `already exists: ${path}`],
    EMFILE: ['too-many-files', `too many open files: ${path}`],
  };
  const known = words[code];
  return known
    ? new DdiaError(known[0], known[1])
    : new DdiaError('system', `${path}: ${code} ${message}`);
}
