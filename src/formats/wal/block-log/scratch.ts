/** A reused buffer in which fragments become a payload. It grows up to a limit and no further. */
const START_BYTES = 64 * 1024;

export class Scratch {
  bytes: Uint8Array = new Uint8Array(0);
  /**
   * Bytes that are there, and bytes that were appended: more than that once the limit is passed.
   */
  length = 0;
  total = 0;

  constructor(readonly bytesMax: number) {}

  get overflow(): boolean {
    return this.total > this.length;
  }

  clear(): void {
    this.length = 0;
    this.total = 0;
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.total += size;
    if (this.total > this.bytesMax || this.total - size > this.length) return;
    if (this.total > this.bytes.length) {
      const capacity = Math.max(START_BYTES, this.bytes.length * 2, this.total);
      const grown = new Uint8Array(Math.min(capacity, Math.max(this.bytesMax, this.total)));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(bytes.subarray(start, end), this.length);
    this.length = this.total;
  }
}
