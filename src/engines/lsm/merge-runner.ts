/** Who carries out the merges of a store: its own thread, or for large ones another. */
import type { Worker } from 'node:worker_threads';
import type { Disk } from '../../io/disk.ts';
import { RealDisk } from '../../io/real-disk.ts';
import { DdiaError } from '../../shared/errors.ts';
import { bytesOf, type MergeJob, type MergeResult, removeTables, runMerge } from './merge-job.ts';
import type { ResolvedOptions } from './options.ts';
import type { Pace } from './pace.ts';
import type { TableFile } from './table-file.ts';

/** The next number of a table, in memory that threads share: no two take the same. */
export type FileNumbers = Uint32Array<SharedArrayBuffer>;

export const takeFrom = (numbers: FileNumbers): number => Atomics.add(numbers, 0, 1);

export interface MergeRunner {
  /**
   * `inputs` are the tables of the job, which the caller keeps. Throws what the pace's signal says
   * when it is aborted: no sooner than nothing is written any more, and nothing is left behind.
   */
  run(job: MergeJob, inputs: readonly TableFile[], pace: Pace): Promise<MergeResult>;
  close(): Promise<void>;
}

export function runnerFor(
  disk: Disk,
  numbers: FileNumbers,
  { compactionWorker, compactionWorkerFromBytes }: ResolvedOptions,
): MergeRunner {
  return compactionWorker !== undefined && disk instanceof RealDisk
    ? inWorker(disk, numbers, compactionWorker, compactionWorkerFromBytes)
    : inThisThread(disk, numbers);
}

export function inThisThread(disk: Disk, numbers: FileNumbers): MergeRunner {
  return {
    run: (job, inputs, pace) => runMerge(disk, job, inputs, () => takeFrom(numbers), pace),
    async close() {},
  };
}

export type ToWorker =
  | { kind: 'merge'; job: MergeJob; numbers: FileNumbers; bytesPerSecond: number }
  | { kind: 'abort' };

export type FromWorker = { result: MergeResult } | { error: TransferredError };

/** What of an error goes through to another thread. */
export interface TransferredError {
  /** Whether it is one for users: with a hint, and a code of ours. */
  ours: boolean;
  message: string;
  code: string | undefined;
  hint: string | undefined;
}

export function transferred(error: unknown): TransferredError {
  const { message = String(error), code } = error as NodeJS.ErrnoException;
  const ours = error instanceof DdiaError;
  return { ours, message, code, hint: ours ? error.hint : undefined };
}

function received({ ours, message, code, hint }: TransferredError): Error {
  if (ours) return new DdiaError(code ?? 'corrupt', message, hint);
  return Object.assign(new Error(message), code !== undefined && { code });
}

/**
 * On the real disk alone, which all threads see alike. `script`: merge-worker.ts as it was built.
 * Merges of less than `fromBytes` are done here: to start a thread costs more. The thread is
 * started with the first merge, and does not keep the process alive when it has none.
 */
export function inWorker(
  disk: Disk,
  numbers: FileNumbers,
  script: string,
  fromBytes: number,
): MergeRunner {
  const here = inThisThread(disk, numbers);
  let worker: Worker | undefined;
  const start = async (): Promise<Worker> => {
    const threads = await import('node:worker_threads');
    const started = new threads.Worker(script, { execArgv: [] });
    const gone = (): void => {
      if (worker === started) worker = undefined;
    };
    // Whoever waits for it listens as well; without a listener, an error would be thrown.
    return started.on('error', gone).on('exit', gone);
  };
  return {
    async run(job, inputs, pace) {
      if (bytesOf(job.inputs) < fromBytes) return here.run(job, inputs, pace);
      const { signal, bytesPerSecond } = pace;
      worker ??= await start();
      const answer = await ask(worker, { kind: 'merge', job, numbers, bytesPerSecond }, signal);
      if ('error' in answer) {
        signal.throwIfAborted();
        throw received(answer.error);
      }
      if (signal.aborted) removeTables(disk, job.directory, answer.result.tables);
      signal.throwIfAborted();
      return answer.result;
    },
    async close() {
      await worker?.terminate();
    },
  };
}

/** Rejects when the thread has died. */
function ask(
  worker: Worker,
  request: Extract<ToWorker, { kind: 'merge' }>,
  signal: AbortSignal,
): Promise<FromWorker> {
  const tell = (message: ToWorker): void => worker.postMessage(message);
  const abort = (): void => tell({ kind: 'abort' });
  return new Promise<FromWorker>((resolve, reject) => {
    const done = (): void => {
      signal.removeEventListener('abort', abort);
      worker.off('message', answered).off('error', failed).off('messageerror', failed);
      worker.off('exit', ended).unref();
    };
    const answered = (answer: FromWorker): void => {
      done();
      resolve(answer);
    };
    const failed = ({ message }: Error): void => {
      done();
      reject(new DdiaError('compaction-thread', `the thread that compacts has died: ${message}`));
    };
    const ended = (code: number): void => failed(new Error(`exit code ${code}`));
    worker.on('message', answered).on('error', failed).on('messageerror', failed);
    worker.on('exit', ended).ref();
    signal.addEventListener('abort', abort);
    tell(request);
    if (signal.aborted) abort();
  });
}
