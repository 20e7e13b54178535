/** How fast something in the background goes, and how it is ended. */

/** How long the callers of the store wait for a slice. */
export const SLICE_MILLISECONDS = 4;

export interface Pace {
  readonly signal: AbortSignal;
  /** 0: as fast as it can. */
  readonly bytesPerSecond: number;
  /** Gives way; `bytes` were read since the last time. Throws when it is to end. */
  step(bytes: number): Promise<void>;
}

/** Gives way after each slice; with a rate, for as long as it takes. */
export function paceOf(bytesPerSecond: number, signal: AbortSignal): Pace {
  const start = performance.now();
  let done = 0;
  return {
    signal,
    bytesPerSecond,
    async step(bytes) {
      done += bytes;
      const due = bytesPerSecond === 0 ? 0 : start + (1000 * done) / bytesPerSecond;
      await waited(due - performance.now(), signal);
      signal.throwIfAborted();
    },
  };
}

function waited(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (milliseconds <= 1 || signal.aborted) {
      setImmediate(resolve);
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
