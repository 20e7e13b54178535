/** Bytes in memory, read like a file. */
import type { ByteSource } from '../format.ts';

export class MemorySource implements ByteSource {
  readonly size: number;

  constructor(
    readonly name: string,
    readonly bytes: Uint8Array,
  ) {
    this.size = bytes.length;
  }

  read(target: Uint8Array, start: number, length: number, position: number): number {
    const part = this.bytes.subarray(position, position + length);
    target.set(part, start);
    return part.length;
  }
}
