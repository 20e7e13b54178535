/** Streams of bits that are read from their end to their front (RFC 8878, 4.1). */

let viewed: Uint8Array = new Uint8Array(0);
let view = new DataView(viewed.buffer) as DataView;

/** A view of the bytes; the same one as long as they are the same. */
export function viewFor(bytes: Uint8Array): DataView {
  if (bytes !== viewed) {
    viewed = bytes;
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  return view;
}

export class BackwardBits {
  bytes: Uint8Array = new Uint8Array(0);
  #start = 0;
  /** Bits that are left; below 0 when more were read than there were. */
  left = 0;

  /** False: the last byte holds no mark of where the bits end. */
  open(bytes: Uint8Array, start: number, end: number): boolean {
    this.bytes = bytes;
    this.#start = start;
    const last = end > start ? bytes[end - 1]! : 0;
    if (last === 0) return false;
    this.left = 8 * (end - start - 1) + 31 - Math.clz32(last);
    return true;
  }

  /** The next `count` bits, at most 25, without taking them; zeros beyond the front. */
  peek(count: number): number {
    const { bytes, left } = this;
    let from = left - count;
    let short = 0;
    if (from < 0) {
      short = -from;
      if (short >= count) return 0;
      from = 0;
    }
    const at = this.#start + (from >>> 3);
    const word =
      (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>>
      (from & 7);
    return short > 0 ? (word & ((1 << (count - short)) - 1)) << short : word & ((1 << count) - 1);
  }

  read(count: number): number {
    if (count === 0) return 0;
    if (count > 24) {
      const high = this.read(count - 16);
      return high * 65_536 + this.read(16);
    }
    const value = this.peek(count);
    this.left -= count;
    return value;
  }
}
