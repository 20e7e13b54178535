/** Output that is kept until it is taken, in memory of its own. */
import { Output } from './output.ts';

const FIRST_BYTES = 256 * 1024;

export class GatheredOutput extends Output {
  #gathered = new Uint8Array(FIRST_BYTES);
  #length = 0;

  constructor() {
    super(-1); // it is written to no file
  }

  override put(bytes: Uint8Array, end: number): void {
    if (this.#length + end > this.#gathered.length) {
      const more = new Uint8Array(2 * (this.#length + end));
      more.set(this.#gathered.subarray(0, this.#length));
      this.#gathered = more;
    }
    this.#gathered.set(bytes.subarray(0, end), this.#length);
    this.#length += end;
  }

  /** What has come since the last time; its memory is the caller's from now on. */
  take(): Uint8Array {
    this.flush();
    const taken = this.#gathered.subarray(0, this.#length);
    // The next will need about as much.
    this.#gathered = new Uint8Array(Math.max(FIRST_BYTES, this.#length + (this.#length >> 3)));
    this.#length = 0;
    return taken;
  }
}
