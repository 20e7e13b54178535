/** Makes a block of plain entries: index, metaindex, properties. See block.ts for its parts. */
import { putVarint } from './varint.ts';

export class BlockBuilder {
  readonly #bytes: number[] = [];
  readonly #restarts: number[] = [];
  #last: Uint8Array = new Uint8Array(0);
  #since = 0;

  constructor(
    /** Every how many entries a key stands whole. */
    readonly restartEvery: number,
  ) {}

  add(key: Uint8Array, value: Uint8Array): void {
    let shared = 0;
    if (this.#restarts.length === 0 || this.#since >= this.restartEvery) {
      this.#restarts.push(this.#bytes.length);
      this.#since = 0;
    } else {
      const most = Math.min(key.length, this.#last.length);
      while (shared < most && key[shared] === this.#last[shared]) shared++;
    }
    putVarint(this.#bytes, shared);
    putVarint(this.#bytes, key.length - shared);
    putVarint(this.#bytes, value.length);
    for (let i = shared; i < key.length; i++) this.#bytes.push(key[i]!);
    for (const byte of value) this.#bytes.push(byte);
    this.#last = key;
    this.#since++;
  }

  finish(): Uint8Array {
    if (this.#restarts.length === 0) this.#restarts.push(0);
    const restartsAt = this.#bytes.length;
    const block = new Uint8Array(restartsAt + 4 * this.#restarts.length + 4);
    block.set(this.#bytes);
    const view = new DataView(block.buffer);
    for (const [i, at] of this.#restarts.entries()) view.setUint32(restartsAt + 4 * i, at, true);
    view.setUint32(block.length - 4, this.#restarts.length, true);
    return block;
  }
}
