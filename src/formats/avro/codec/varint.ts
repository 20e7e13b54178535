/**
 * Varints, read exactly: seven bits a byte, the lowest first, the high bit set on all but the last;
 * zig-zag makes small numbers of either sign short. A value has one shortest form; others are legal
 * to no writer, and read alike by most readers.
 */

export const VARINT_BYTES_MAX = 10;

export interface Varint {
  value: number | bigint;
  length: number;
  /** `overlong`: it could be shorter; `cut`: the bytes end; `long`: more than 64 bits. */
  state: 'ok' | 'overlong' | 'cut' | 'long';
}

export function readVarint(bytes: Uint8Array, start: number, end: number): Varint {
  let unsigned = 0n;
  for (let i = 0; i < VARINT_BYTES_MAX; i++) {
    const at = start + i;
    if (at >= end) return { value: 0, length: i, state: 'cut' };
    const byte = bytes[at]!;
    if (i === VARINT_BYTES_MAX - 1 && byte > 1) break;
    unsigned |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte > 0x7f) continue;
    const value = (unsigned >> 1n) ^ -(unsigned & 1n);
    const number = Number(value);
    return {
      value: Number.isSafeInteger(number) ? number : value,
      length: i + 1,
      state: byte === 0 && i > 0 ? 'overlong' : 'ok',
    };
  }
  return { value: 0, length: VARINT_BYTES_MAX, state: 'long' };
}
