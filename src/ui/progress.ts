/**
 * A progress bar on stderr, for work longer than half a second, only when stderr is a terminal. It
 * is gone before anything else is printed there.
 */
import type { SingleBar } from 'cli-progress';
import { milliseconds } from '../shared/clock.ts';

const DELAY_MILLISECONDS = 500;
const REDRAW_MILLISECONDS = 100;

/** The one that is on the terminal. */
let drawn: Progress | undefined;

/** Writes to stderr; a bar makes way for it. */
export function writeStderr(text: string): void {
  drawn?.clear();
  process.stderr.write(text);
}

export class Progress {
  readonly #begun = milliseconds();
  readonly #shown = process.stderr.isTTY === true;
  #bar: SingleBar | undefined;
  #loading = false;
  #ended = false;
  #drawnAt = 0;

  readonly update = (file: string, done: number, size: number | undefined): void => {
    if (!this.#shown || this.#ended) return;
    const now = milliseconds();
    if (now - this.#begun < DELAY_MILLISECONDS || now - this.#drawnAt < REDRAW_MILLISECONDS) return;
    this.#drawnAt = now;
    if (!this.#bar) {
      if (!this.#loading) void this.#load();
      return;
    }
    if (drawn !== this) {
      drawn = this;
      this.#bar.start(size ?? done, done, { file });
      return;
    }
    this.#bar.setTotal(size ?? done);
    this.#bar.update(done, { file });
  };

  async #load(): Promise<void> {
    this.#loading = true;
    const { default: progress } = await import('cli-progress');
    this.#bar = new progress.SingleBar({
      format: '{file} [{bar}] {percentage}% of {total} bytes',
      hideCursor: true,
      clearOnComplete: true,
      stream: process.stderr,
    });
  }

  /** Takes the bar away; the next update draws it again. */
  clear(): void {
    if (drawn !== this) return;
    drawn = undefined;
    this.#bar?.stop();
  }

  /** Takes the bar away for good. */
  end(): void {
    this.#ended = true;
    this.clear();
  }
}
