/** Where writes wait until flushes and compactions have caught up. */
import type { Totals } from './stat.ts';

export class Room {
  #waiting: { promise: Promise<void>; resolve: () => void } | undefined;

  async wait(totals: Pick<Totals, 'stalls' | 'stallMilliseconds'>): Promise<void> {
    if (!this.#waiting) {
      let resolve = (): void => {};
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.#waiting = { promise, resolve };
      totals.stalls++;
      const begun = performance.now();
      promise.then(() => {
        totals.stallMilliseconds += performance.now() - begun;
      });
    }
    await this.#waiting.promise;
  }

  /** Whoever waits looks again. */
  give(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}
