/**
 * What a store does beside its writes, one thing after the other: hints for files that were sealed,
 * and merges. It goes on in small steps between which callers have their turn.
 */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { DdiaError } from '../../shared/errors.ts';
import type { DataFile } from './data-file.ts';
import type { MergeReport } from './merge.ts';
import type { ResolvedOptions } from './options.ts';
import type { Pace } from './scan-data.ts';

export interface Jobs {
  /** Makes the hint of a sealed file. */
  hint(file: DataFile, pace: Pace): Promise<void>;
  merge(files: readonly DataFile[], pace: Pace): Promise<MergeReport>;
  /** As they are now, with what has expired in them. */
  files(): readonly DataFile[];
}

export class Background {
  readonly #stop = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  /** Why the last work that nobody waits for failed, if it did. The store is as it was before. */
  lastFailure: string | undefined;

  constructor(
    readonly options: ResolvedOptions,
    readonly jobs: Jobs,
  ) {}

  /** Sealed files without a hint get one, and perhaps there is something to merge. */
  tend(): void {
    this.#queue(() => this.#tend()).then(
      () => {
        this.lastFailure = undefined;
      },
      (error: Error) => {
        if (!this.#stop.signal.aborted) this.lastFailure = error.message;
      },
    );
  }

  async #tend(): Promise<void> {
    let failure: unknown;
    for (const file of this.jobs.files()) {
      if (!file.sealed || file.hintCrc !== 0) continue;
      try {
        await this.jobs.hint(file, this.#pace(0));
      } catch (error) {
        // What fails for one file, for good perhaps, need not fail for the next.
        this.#stop.signal.throwIfAborted();
        failure ??= error;
      }
    }
    if (this.options.autoMerge) {
      const picks = worthMerging(this.jobs.files(), this.options);
      if (picks.length > 0) {
        await this.jobs.merge(picks, this.#pace(this.options.mergeBytesPerSecond));
      }
    }
    if (failure !== undefined) throw failure;
  }

  merge(which: 'all' | 'worth'): Promise<MergeReport> {
    return this.#queue(() => {
      const files = this.jobs.files();
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
        if (wait > 1) await sleep(wait, undefined, { signal }).catch(() => {});
        else await turn();
        signal.throwIfAborted();
      },
    };
  }
}

/**
 * Sealed files of which much is dead, and small ones if there are many; or all, if much is dead of
 * them together, for a deletion is dead where all that it may hide is merged with it.
 */
export function worthMerging(files: readonly DataFile[], options: ResolvedOptions): DataFile[] {
  const { mergeDead, mergeFiles, fileBytes } = options;
  const sealed = files.filter((file) => file.sealed);
  let [dead, bytes] = [0, 0];
  for (const { deadBytes, deletionBytes, size } of sealed) {
    dead += deadBytes + deletionBytes;
    bytes += size;
  }
  if (sealed.length > 0 && dead >= mergeDead * bytes) return sealed;
  const isSmall = ({ size }: DataFile): boolean => size < fileBytes / 4;
  const many = sealed.filter(isSmall).length >= mergeFiles;
  return sealed.filter(
    (file) => file.deadBytes >= mergeDead * file.size || (many && isSmall(file)),
  );
}
