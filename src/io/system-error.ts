import { constants } from 'node:os';

const WORDS: Readonly<Record<string, string>> = {
  EBADF: 'bad file descriptor',
  EBUSY: 'resource busy or locked',
  EEXIST: 'file already exists',
  EINVAL: 'invalid argument',
  EIO: 'i/o error',
  EISDIR: 'illegal operation on a directory',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
};

/**
 * An error as Node makes one of a failed system call: message, `code`, `errno`, `syscall` and
 * `path`.
 */
export function systemError(code: string, syscall: string, path: string): NodeJS.ErrnoException {
  const number = (constants.errno as Readonly<Record<string, number>>)[code];
  const error = new Error(`${code}: ${WORDS[code] ?? 'failed'}, ${syscall} '${path}'`);
  return Object.assign(error, {
    code,
    syscall,
    path,
    ...(number === undefined ? {} : { errno: -number }),
  });
}

/**
 * What Node throws when a span lies outside of the buffer it is to be read into or written from.
 */
export function checkSpan(buffer: Uint8Array, start: number, length: number): void {
  if (start < 0 || length < 0 || start + length > buffer.length) {
    const error = new RangeError(
      `[${start}, ${start + length}) lies outside of a buffer of ${buffer.length} bytes`,
    );
    throw Object.assign(error, { code: 'ERR_OUT_OF_RANGE' });
  }
}
