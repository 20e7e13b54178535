/**
 * What a store does beside its writes, one thing after the other: hints for files that were sealed,
 * and merges. It goes on in small steps between which callers have their turn.
 */
import { DdiaError } from '../../shared/errors.ts';
import type { DataFile } from './data-file.ts';
import type { MergeReport } from './merge.ts';
import type { ResolvedOptions } from './options.ts';
import type { Pace } from './scan-data.ts';

export interface Jobs {
  /** Makes the hint of a sealed file. */
  seal(file: DataFile, pace: Pace): Promise<void>;
  merge(files: readonly DataFile[], pace: Pace): Promise<MergeReport>;
  files(): Iterable<DataFile>;
}

export class Background {
  readonly #stop = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  /** Why a hint or a merge failed that nobody waits for. The store is as it was before it. */
  lastFailure: string | undefined;

  constructor(
    readonly options: ResolvedOptions,
    readonly jobs: Jobs,
  ) {}

  /** A file is sealed: it gets a hint, and perhaps there is something to merge now. */
  sealed(file: DataFile): void {
    this.#quietly(() => this.jobs.seal(file, this.#pace(0)));
    if (!this.options.autoMerge) return;
    this.#quietly(async () => {
      const picks = worthMerging(this.jobs.files(), this.options);
      if (picks.length > 0)
        await this.jobs.merge(picks, this.#pace(this.options.mergeBytesPerSecond));
    });
  }

  merge(which: 'all' | 'worth'): Promise<MergeReport> {
    return this.#queue(() => {
      const files = [...this.jobs.files()];
      const picks =
        which === 'all' ? files.filter(({ sealed }) => sealed) : worthMerging(files, this.options);
      return this.jobs.merge(picks, this.#pace(0));
    });
  }

  async idle(): Promise<void> {
    let last: unknown;
    while (last !== this.#last) {
      last = this.#last;
      await this.#last;
    }
  }

  /** Ends what is under way: what is not committed yet leaves no trace. */
  async stop(): Promise<void> {
    this.#stop.abort(new DdiaError('closed', 'the store is closed'));
    await this.idle();
  }

  #quietly(job: () => Promise<unknown>): void {
    this.#queue(job).catch((error: Error) => {
      if (!this.#stop.signal.aborted) this.lastFailure = error.message;
    });
  }

  #queue<Result>(job: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(() => {
      this.#stop.signal.throwIfAborted();
      return job();
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** Gives way before each window; with a rate, no sooner than it allows. */
  #pace(bytesPerSecond: number): Pace {
    const { signal } = this.#stop;
    const start = performance.now();
    let allowed = 0;
    return {
      signal,
      async before(bytes) {
        const due = bytesPerSecond === 0 ? 0 : start + (1000 * allowed) / bytesPerSecond;
        allowed += bytes;
        const wait = due - performance.now();
        await new Promise((resolve) =>
          wait > 1 ? setTimeout(resolve, wait) : setImmediate(resolve),
        );
        signal.throwIfAborted();
      },
    };
  }
}

/** Sealed files of which much is dead, and small ones if there are many. */
export function worthMerging(files: Iterable<DataFile>, options: ResolvedOptions): DataFile[] {
  const { mergeDead, mergeFiles, fileBytes } = options;
  const sealed = [...files].filter((file) => file.sealed);
  const dead = sealed.filter((file) => file.deadBytes >= mergeDead * file.size);
  const small = sealed.filter((file) => file.size < fileBytes / 4);
  return [...new Set([...dead, ...(small.length >= mergeFiles ? small : [])])];
}
