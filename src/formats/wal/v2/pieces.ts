/** A record in fragments: its start in the file, and what there is of its payload. */
export class Pieces {
  bytes = new Uint8Array(1024);
  view = new DataView(this.bytes.buffer);
  count = 0;
  /** File offset of the first fragment; -1: no record is begun. */
  start = -1;

  constructor(readonly bytesMax: number) {}

  get begun(): boolean {
    return this.start >= 0;
  }

  begin(offset: number): void {
    this.start = offset;
    this.count = 0;
  }

  /** Adds source[from, to). Returns false, and gives the record up, if it becomes too long. */
  add(source: Uint8Array, from: number, to: number): boolean {
    const count = this.count + to - from;
    if (count > this.bytesMax) {
      this.start = -1;
      return false;
    }
    if (count > this.bytes.length) {
      const grown = new Uint8Array(count * 2);
      grown.set(this.bytes.subarray(0, this.count));
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    this.bytes.set(source.subarray(from, to), this.count);
    this.count = count;
    return true;
  }

  /** No more comes. Returns where it began. */
  end(): number {
    const { start } = this;
    this.start = -1;
    return start;
  }
}
