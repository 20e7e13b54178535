/** What a store does beside its writes, one thing after the other: compactions. */
import { DdiaError } from '../../shared/errors.ts';
import type { CompactionReport } from './compaction.ts';
import { type Pace, paceOf } from './pace.ts';

export class Background {
  readonly #stop = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #scheduled = false;
  /** Why the last compaction failed. The store is as it was before it. */
  lastFailure: string | undefined;

  constructor(
    readonly bytesPerSecond: number,
    /** Does one compaction that is worth it; undefined: there is none. */
    readonly once: (pace: Pace) => Promise<CompactionReport | undefined>,
  ) {}

  /** There may be something to do: does it until there is nothing any more. */
  wake(): void {
    if (this.#scheduled || this.#stop.signal.aborted) return;
    this.#scheduled = true;
    this.queue(async () => {
      this.#scheduled = false;
      while (await this.once(this.pace(this.bytesPerSecond)));
    }).catch(() => {});
  }

  queue<Result>(job: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(() => {
      this.#stop.signal.throwIfAborted();
      return job();
    });
    this.#last = result.catch(() => {});
    return result;
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

  pace(bytesPerSecond: number): Pace {
    return paceOf(bytesPerSecond, this.#stop.signal);
  }
}
