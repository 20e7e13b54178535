/**
 * Turns of the event loop for long work: without them no signal is seen, since reads are
 * synchronous and promises alone never let one through.
 */
import { milliseconds } from './clock.ts';

const EVERY_MILLISECONDS = 50;

/** Gives the event loop a turn; throws the signal's reason if it was aborted. */
export async function turn(signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}

/** `if (turns.due) await turns.take()`, each time a page, a block or some entries are done. */
export class Turns {
  #last = milliseconds();

  constructor(readonly signal: AbortSignal | undefined) {}

  get due(): boolean {
    return milliseconds() - this.#last > EVERY_MILLISECONDS;
  }

  async take(): Promise<void> {
    await turn(this.signal);
    this.#last = milliseconds();
  }
}
