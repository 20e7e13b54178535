/** Finds one key in the payload of a data block that was checked, without decoding the block. */
import { compareBytes } from '../entry-block.ts';
import { varint, varintAt } from './block.ts';
import { TAG_BYTES, TIMED } from './layout.ts';

/** What `find` says. */
export const ABSENT = 0;
export const FOUND = 1;
/** The block ends with the key, or before it: the next one goes on. */
export const GOES_ON = 2;

export class PointSearch {
  type = 0;
  seq = 0;
  valueStart = 0;
  valueEnd = 0;

  /** The newest entry of key[keyStart, keyEnd) in bytes[0, end) with a number of at most `seq`. */
  find(
    bytes: Uint8Array,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    seq: number,
  ): typeof ABSENT | typeof FOUND | typeof GOES_ON {
    const end = bytes.length;
    const restarts = u32(bytes, end - 4);
    const entriesEnd = end - 4 - 4 * restarts;
    let low = 0;
    let high = restarts - 1;
    // The last restart whose key is before the one that is looked for.
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const at = u32(bytes, entriesEnd + 4 * middle);
      let p = varintAt(bytes, at + 1, entriesEnd);
      const length = varint.value;
      p = varintAt(bytes, p, entriesEnd);
      if (compareBytes(bytes, p, p + length, key, keyStart, keyEnd) < 0) low = middle;
      else high = middle - 1;
    }
    return this.#scan(
      bytes,
      u32(bytes, entriesEnd + 4 * low),
      entriesEnd,
      key,
      keyStart,
      keyEnd,
      seq,
    );
  }

  #scan(
    bytes: Uint8Array,
    from: number,
    entriesEnd: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    most: number,
  ): typeof ABSENT | typeof FOUND | typeof GOES_ON {
    const keyLength = keyEnd - keyStart;
    /** How much of the key the entry before has; it was before the key, or was it, and too new. */
    let match = 0;
    let before = true;
    let p = from;
    while (p < entriesEnd) {
      let byte = bytes[p]!;
      let q = byte < 128 ? p + 1 : varintAt(bytes, p, entriesEnd);
      const shared = byte < 128 ? byte : varint.value;
      byte = bytes[q]!;
      q = byte < 128 ? q + 1 : varintAt(bytes, q, entriesEnd);
      const unshared = byte < 128 ? byte : varint.value;
      byte = bytes[q]!;
      q = byte < 128 ? q + 1 : varintAt(bytes, q, entriesEnd);
      const valueLength = byte < 128 ? byte : varint.value;
      const tag = q + unshared;
      const value = tag + TAG_BYTES + (bytes[tag + 7]! >= TIMED ? 8 : 0);
      // At a restart the key stands whole, whatever it shares.
      if (shared === 0) match = 0;
      else if (shared < match) return ABSENT;
      if (shared === match) {
        const most = keyLength - match < unshared ? keyLength - match : unshared;
        let i = 0;
        while (i < most && bytes[q + i] === key[keyStart + match + i]) i++;
        const same = i === unshared && match + i === keyLength;
        if (
          !same &&
          i < unshared &&
          (i === keyLength - match || bytes[q + i]! > key[keyStart + match + i]!)
        ) {
          return ABSENT;
        }
        match += i;
        before = !same;
      }
      if (!before) {
        const seq =
          (bytes[tag + 6]! * 0x1_0000 + bytes[tag + 5]! * 0x100 + bytes[tag + 4]!) * 0x1_0000_0000 +
          u32(bytes, tag);
        if (seq <= most) {
          this.seq = seq;
          this.type = bytes[tag + 7]! & 0x7f;
          this.valueStart = value;
          this.valueEnd = value + valueLength;
          return FOUND;
        }
      }
      p = value + valueLength;
    }
    return GOES_ON;
  }
}

function u32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}
