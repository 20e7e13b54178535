/**
 * Turns of the event loop for long work: without them no signal is seen, since reads are
 * synchronous and promises alone never let one through.
 */
import { milliseconds } from './clock.ts';

const EVERY_MILLISECONDS = 50;

/** Of whoever has the work done. */
export interface Waiting {
  readonly signal?: AbortSignal | undefined;
  /** Shows what is there by now. */
  readonly idle?: (() => void) | undefined;
}

/** Gives the event loop a turn; throws the signal's reason if it was aborted. */
export async function turn({ signal, idle }: Waiting): Promise<void> {
  signal?.throwIfAborted();
  idle?.();
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}

/** `if (turns.due) await turns.take()`, each time a page, a block or some entries are done. */
export class Turns {
  #last = milliseconds();

  constructor(readonly waiting: Waiting) {}

  get due(): boolean {
    return milliseconds() - this.#last > EVERY_MILLISECONDS;
  }

  async take(): Promise<void> {
    await turn(this.waiting);
    this.#last = milliseconds();
  }
}
