/** ByteSources over real files and standard input, opened for reading only. */
import * as fs from 'node:fs';
import type { ByteSource } from '../formats/format.ts';
import { fromSystemError } from '../shared/errors.ts';

/**
 * A regular file, read synchronously at any position (an asynchronous read costs 60 times as much).
 * The size is the one at opening: a log that grows meanwhile is read up to there.
 */
export class FileSource implements ByteSource {
  readonly size: number;
  #fd: number;
  readonly #owned: boolean;
  /** Reads that go on in the background: the descriptor is closed behind the last of them. */
  #beside = 0;
  #closing = false;

  constructor(
    readonly path: string,
    readonly name: string,
    fd?: number,
  ) {
    this.#owned = fd === undefined;
    try {
      this.#fd = fd ?? fs.openSync(path, 'r');
      this.size = fs.fstatSync(this.#fd).size;
    } catch (error) {
      throw fromSystemError(error, path);
    }
  }

  read(target: Uint8Array, start: number, length: number, position: number): number {
    const most = Math.min(length, this.size - position);
    let done = 0;
    while (done < most) {
      let got: number;
      try {
        got = fs.readSync(this.#fd, target, start + done, most - done, position + done);
      } catch (error) {
        throw fromSystemError(error, `${this.path} at offset ${position + done}`);
      }
      if (got === 0) break; // cut while we read
      done += got;
    }
    return done;
  }

  async readBeside(
    target: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): Promise<number> {
    const most = Math.min(length, this.size - position);
    let done = 0;
    this.#beside++;
    try {
      while (done < most) {
        const [at, left] = [start + done, most - done];
        const got = await readPiece(this.#fd, target, at, left, position + done);
        if (got === 0) break; // cut while we read
        done += got;
      }
      return done;
    } catch (error) {
      throw fromSystemError(error, `${this.path} at offset ${position + done}`);
    } finally {
      this.#beside--;
      if (this.#closing) this.close();
    }
  }

  close(): void {
    if (!this.#owned || this.#fd < 0) return; // standard input is opened more than once
    this.#closing = true;
    if (this.#beside > 0) return;
    fs.closeSync(this.#fd);
    this.#fd = -1;
  }
}

function readPiece(
  descriptor: number,
  target: Uint8Array,
  start: number,
  length: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(descriptor, target, start, length, position, (error, got) => {
      if (error) reject(error);
      else resolve(got);
    });
  });
}

/** A small text file, whole. */
export function readTextFile(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    throw fromSystemError(error, path);
  }
}

/** A small file, whole. */
export function readBytesFile(path: string): Uint8Array {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    throw fromSystemError(error, path);
  }
}

/** How much of a stream's front can be read again, for detection. */
const RETAINED_BYTES = 64 * 1024;

/**
 * Standard input that is a pipe: once, forward, with its front kept so that it can be looked at
 * first.
 */
export class StreamSource implements ByteSource {
  readonly forwardOnly = true;
  size: number | undefined = undefined;
  #front = new Uint8Array(0);
  #consumed = 0;

  constructor(
    readonly name: string,
    readonly fd: number,
  ) {}

  async read(target: Uint8Array, start: number, length: number, position: number): Promise<number> {
    if (position < this.#front.length) {
      const part = this.#front.subarray(position, position + length);
      target.set(part, start);
      return part.length;
    }
    if (position !== this.#consumed) {
      throw new Error(`stream read at ${position}, it stands at ${this.#consumed}`);
    }
    const got = await this.#next(target, start, length);
    if (got === 0) this.size = this.#consumed;
    if (this.#consumed === this.#front.length && this.#consumed < RETAINED_BYTES) {
      const grown = new Uint8Array(this.#consumed + got);
      grown.set(this.#front);
      grown.set(target.subarray(start, start + got), this.#consumed);
      this.#front = grown;
    }
    this.#consumed += got;
    return got;
  }

  #next(target: Uint8Array, start: number, length: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.fd, target, start, length, null, (error, got) => {
        if (!error) resolve(got);
        else if (error.code === 'EOF') resolve(0);
        else if (error.code === 'EAGAIN') {
          // A non-blocking pipe with nothing in it yet.
          setTimeout(() => this.#next(target, start, length).then(resolve, reject), 5);
        } else reject(fromSystemError(error, 'standard input'));
      });
    });
  }
}
