/**
 * Reads hint files whole and checks them: in this thread, or for large stores in others, so that
 * reading and checking goes on while this one fills the key directory.
 */
import { Worker } from 'node:worker_threads';
import { checkHint, type ExpectedHint } from '../../formats/bitcask/v2/hint.ts';
import { type Disk, type DiskFile, readFully } from '../../io/disk.ts';

/** A hint that asks for more memory than this is not taken at its word: the data is read. */
const HINT_BYTES_MAX = 1024 * 1024 * 1024;
/** Starting a thread takes as long as checking so much. */
export const THREADS_FROM_BYTES = 16 * 1024 * 1024;

/** The bytes of a hint that is true, or in words why it cannot be used. */
export type CheckedHint = Uint8Array | string;

export interface HintReader {
  /** How many may be asked for ahead. */
  readonly ahead: number;
  read(path: string, expected: ExpectedHint): Promise<CheckedHint>;
  close(): void;
}

/** Throws the disk's errors. */
export function readHint(disk: Disk, path: string, expected: ExpectedHint): CheckedHint {
  let handle: DiskFile;
  try {
    handle = disk.open(path, 'read');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'it is missing';
    throw error;
  }
  try {
    const size = handle.size();
    if (size > HINT_BYTES_MAX) return `${size} bytes, at most ${HINT_BYTES_MAX} are read`;
    const bytes = new Uint8Array(size);
    if (readFully(handle, bytes, 0, size, 0) < size) return 'it ended while it was read';
    return checkHint(bytes, expected) ?? bytes;
  } finally {
    handle.close();
  }
}

export function inThisThread(disk: Disk): HintReader {
  return {
    ahead: 0,
    read: async (path, expected) => readHint(disk, path, expected),
    close() {},
  };
}

export interface HintRequest {
  id: number;
  path: string;
  expected: ExpectedHint;
}

export interface HintAnswer {
  id: number;
  hint: CheckedHint;
}

/** `script`: hint-worker.ts as it was built. What a thread cannot do, this one does. */
export function inThreads(disk: Disk, script: string, count: number): HintReader {
  const waiting = new Map<number, (hint: CheckedHint | undefined) => void>();
  let next = 0;
  let givenUp = false;
  const giveUp = (): void => {
    givenUp = true;
    for (const answer of waiting.values()) answer(undefined);
    waiting.clear();
  };
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(script, { execArgv: [] });
    worker.on('message', ({ id, hint }: HintAnswer) => {
      waiting.get(id)?.(hint);
      waiting.delete(id);
    });
    worker.on('error', giveUp);
    worker.on('exit', giveUp);
    worker.unref();
    return worker;
  });
  return {
    ahead: 2 * count,
    async read(path, expected) {
      if (givenUp) return readHint(disk, path, expected);
      const id = next++;
      const hint = await new Promise<CheckedHint | undefined>((answer) => {
        waiting.set(id, answer);
        const request: HintRequest = { id, path, expected };
        const worker = workers[id % count]!;
        worker.ref();
        worker.postMessage(request);
      });
      return hint ?? readHint(disk, path, expected);
    },
    close() {
      for (const worker of workers) void worker.terminate();
    },
  };
}
