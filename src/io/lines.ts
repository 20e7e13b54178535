/** Lines of standard input or any stream, as they come, with their numbers. */
import * as fs from 'node:fs';
import { isatty } from 'node:tty';
import { DdiaError, fromSystemError } from '../shared/errors.ts';

const CHUNK_BYTES = 256 * 1024;
/**
 * A record within the default of --max-record-bytes, 64 MiB, each of its bytes as `\u0000`, and
 * a MiB for what else is in the line. A string of V8 ends a little further on, at 512 MiB.
 */
export const LINE_BYTES_MAX = 6 * 64 * 1024 * 1024 + 1024 * 1024;
/** Room for a line of several pieces is given back once it is larger. */
const ROOM_BYTES_KEPT = 4 * CHUNK_BYTES;
const NEWLINE = 0x0a;
const STDIN = 0;

/**
 * Calls `visit` with each line, without its newline, and its number from 1; the bytes are good
 * until it returns. A last line without a newline counts. `between` is awaited after each piece
 * that was read. Throws a DdiaError when a line is longer than LINE_BYTES_MAX, and whatever the
 * callbacks throw.
 */
export async function readLines(
  fd: number,
  visit: (line: Buffer, number: number) => void,
  signal?: AbortSignal,
  between?: () => Promise<void>,
): Promise<void> {
  const begun = new BegunLine();
  let number = 0;
  for await (const bytes of piecesOf(fd, signal)) {
    let at = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      const rest = bytes.subarray(at, end);
      visit(begun.length > 0 ? begun.endedBy(rest, number + 1) : rest, ++number);
      at = end + 1;
    }
    await between?.();
    if (at < bytes.length) begun.add(bytes.subarray(at), number + 1);
  }
  if (begun.length > 0) {
    visit(begun.endedBy(Buffer.alloc(0), number + 1), ++number);
    await between?.();
  }
}

/** A line whose end has not come yet. Its room doubles: a byte is copied a few times at most. */
class BegunLine {
  length = 0;
  #room: Buffer = Buffer.alloc(0);

  add(bytes: Buffer, number: number): void {
    const length = this.length + bytes.length;
    if (length > LINE_BYTES_MAX) {
      const most = `the limit is ${LINE_BYTES_MAX}`;
      throw new DdiaError('line-too-long', `line ${number} has ${length} bytes or more, ${most}`);
    }
    if (length > this.#room.length) {
      const room = Math.min(LINE_BYTES_MAX, Math.max(2 * length, CHUNK_BYTES));
      const larger = Buffer.allocUnsafeSlow(room);
      this.#room.copy(larger, 0, 0, this.length);
      this.#room = larger;
    }
    bytes.copy(this.#room, this.length);
    this.length = length;
  }

  endedBy(rest: Buffer, number: number): Buffer {
    this.add(rest, number);
    const line = this.#room.subarray(0, this.length);
    this.length = 0;
    if (this.#room.length > ROOM_BYTES_KEPT) this.#room = Buffer.alloc(0);
    return line;
  }
}

/** A file of lines, or standard input for `-`. */
export function openForReading(path: string): { fd: number; close(): void } {
  if (path === '-') return { fd: 0, close() {} };
  try {
    const fd = fs.openSync(path, 'r');
    return { fd, close: () => fs.closeSync(fd) };
  } catch (error) {
    throw fromSystemError(error, path);
  }
}

/** What is read at once; it is good until the next is asked for. */
async function* piecesOf(fd: number, signal?: AbortSignal): AsyncGenerator<Buffer> {
  signal?.throwIfAborted();
  if (fd === STDIN && mayWait(fd)) {
    yield* piecesOfStdin(signal);
    return;
  }
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (;;) {
    const got = await readChunk(fd, chunk, signal);
    if (got === 0) return;
    yield chunk.subarray(0, got);
    signal?.throwIfAborted();
  }
}

/** A pipe, or a terminal: nothing may come for as long as anyone likes. */
function mayWait(fd: number): boolean {
  const stat = fs.fstatSync(fd);
  return stat.isFIFO() || stat.isSocket() || isatty(fd);
}

/**
 * Through the event loop: a read that waits in a thread cannot be given up, and would keep an
 * interrupted process alive until somebody writes to the pipe.
 */
async function* piecesOfStdin(signal?: AbortSignal): AsyncGenerator<Buffer> {
  const { stdin } = process;
  const onAbort = () => stdin.destroy(signal!.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const piece of stdin) {
      yield piece as Buffer;
      signal?.throwIfAborted();
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function readChunk(fd: number, chunk: Buffer, signal?: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal!.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    fs.read(fd, chunk, 0, chunk.length, null, (error, got) => {
      signal?.removeEventListener('abort', onAbort);
      if (!error) resolve(got);
      else if (error.code === 'EOF') resolve(0);
      else if (error.code === 'EAGAIN') {
        // A non-blocking pipe with nothing in it yet.
        setTimeout(() => readChunk(fd, chunk, signal).then(resolve, reject), 5);
      } else reject(error);
    });
  });
}
