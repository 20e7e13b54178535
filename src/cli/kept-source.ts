/**
 * Standard input whose bytes can be looked at again for a while: a layout reads them once and
 * forward, and what is shown of a span are its bytes. Kept is what lies behind the last release,
 * up to a limit.
 */
import type { ByteSource } from '../formats/format.ts';

export class KeptSource implements ByteSource {
  readonly forwardOnly = true;
  /** In order, without gaps. */
  #chunks: { offset: number; bytes: Uint8Array }[] = [];
  #kept = 0;

  constructor(
    readonly inner: ByteSource,
    /** When more is kept, the oldest goes. */
    readonly bytesMax: number,
  ) {}

  get name(): string {
    return this.inner.name;
  }

  get size(): number | undefined {
    return this.inner.size;
  }

  async read(target: Uint8Array, start: number, length: number, position: number): Promise<number> {
    const got = await this.inner.read(target, start, length, position);
    if (got > 0) {
      this.#chunks.push({ offset: position, bytes: target.slice(start, start + got) });
      this.#kept += got;
      while (this.#kept > this.bytesMax && this.#chunks.length > 1) this.#drop();
    }
    return got;
  }

  #drop(): void {
    this.#kept -= this.#chunks.shift()?.bytes.length ?? 0;
  }

  /** Bytes before `offset` are not asked for again. */
  release(offset: number): void {
    for (;;) {
      const first = this.#chunks[0];
      if (!first || first.offset + first.bytes.length > offset) return;
      this.#drop();
    }
  }

  /** Fills as `read` does, out of what is kept; returns how many bytes, 0 when they are gone. */
  again(target: Uint8Array, start: number, length: number, position: number): number {
    let done = 0;
    for (const { offset, bytes } of this.#chunks) {
      const at = position + done - offset;
      if (at < 0 || done === length) break;
      if (at >= bytes.length) continue;
      const part = bytes.subarray(at, at + length - done);
      target.set(part, start + done);
      done += part.length;
    }
    return done;
  }

  close(): void {
    this.inner.close?.();
  }
}
