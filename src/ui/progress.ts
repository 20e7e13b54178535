/** A progress bar on stderr, for work longer than half a second, only when stderr is a terminal. */
import type { SingleBar } from 'cli-progress';
import { milliseconds } from '../shared/clock.ts';

const DELAY_MILLISECONDS = 500;
const REDRAW_MILLISECONDS = 100;

export class Progress {
  readonly #begun = milliseconds();
  readonly #shown = process.stderr.isTTY === true;
  #bar: SingleBar | undefined;
  #loading = false;
  #ended = false;
  #drawn = 0;

  constructor(readonly color: boolean) {}

  readonly update = (file: string, done: number, size: number | undefined): void => {
    if (!this.#shown || this.#ended) return;
    const now = milliseconds();
    if (now - this.#begun < DELAY_MILLISECONDS || now - this.#drawn < REDRAW_MILLISECONDS) return;
    this.#drawn = now;
    if (!this.#bar) {
      if (!this.#loading) void this.#load();
      return;
    }
    this.#bar.setTotal(size ?? done);
    this.#bar.update(done, { file });
  };

  async #load(): Promise<void> {
    this.#loading = true;
    const { default: progress } = await import('cli-progress');
    if (this.#ended) return;
    this.#bar = new progress.SingleBar({
      format: '{file} [{bar}] {percentage}% of {total} bytes',
      hideCursor: true,
      clearOnComplete: true,
      stream: process.stderr,
    });
    this.#bar.start(1, 0, { file: '' });
  }

  end(): void {
    this.#ended = true;
    this.#bar?.stop();
  }
}
