/**
 * Writes that are under way together share one write and one sync. Callers encode what they have to
 * say and join; one flush, at the end of the current turn of the event loop, is for all of them.
 *
 * A failed write or sync poisons: nothing later may claim success, since what the disk has is
 * unknown. Whoever wants to go on closes and opens again.
 */
import { DdiaError } from '../shared/errors.ts';

interface Waiter {
  seq: number;
  resolve: (seq: number) => void;
  reject: (error: Error) => void;
}

export class GroupCommit {
  #waiters: Waiter[] = [];
  #scheduled = false;
  #failure: Error | undefined;
  closed = false;

  constructor(
    /** As messages name it: `log`, `store`. */
    readonly what: string,
    /** Writes what is encoded; with `sync` durably, else as the mode asks. Throws disk errors. */
    readonly write: (sync: boolean) => void,
  ) {}

  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Settles, with `seq`, when the next flush is done. */
  join(seq: number, resolve: (seq: number) => void, reject: (error: Error) => void): void {
    this.#waiters.push({ seq, resolve, reject });
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#flushScheduled);
  }

  readonly #flushScheduled = (): void => {
    this.#scheduled = false;
    this.flush(false);
  };

  /** Writes, and tells those who wait. Never throws: `failure` says what went wrong. */
  flush(sync: boolean): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    try {
      this.checkUsable();
      this.write(sync);
    } catch (error) {
      this.poison(error as Error);
      for (const waiter of waiters) waiter.reject(this.#failure!);
      return;
    }
    for (const waiter of waiters) waiter.resolve(waiter.seq);
  }

  /** Returns what is told from now on. */
  poison(cause: Error): Error {
    this.#failure ??= poisoned(this.what, cause);
    return this.#failure;
  }

  get usable(): boolean {
    return !this.#failure && !this.closed;
  }

  checkUsable(): void {
    if (this.#failure) throw this.#failure;
    if (this.closed) throw new DdiaError('closed', `the ${this.what} is closed`);
  }
}

/** What is told of a log or store of which nobody knows any more what the disk has. */
export function poisoned(what: string, cause: Error): DdiaError {
  if (cause instanceof DdiaError && (cause.code === 'closed' || cause.code === 'poisoned')) {
    return cause;
  }
  const told = new DdiaError(
    'poisoned',
    `a write or sync of the ${what} failed (${cause.message}): nothing more is accepted`,
    `close the ${what} and open it again: what is durable is read back`,
  );
  return Object.assign(told, { cause });
}
