/** Varints: seven bits a byte, the lowest first. */

/** What readVarint has read. Numbers beyond 2^53 lose their low bits: no length is that long. */
export const varint = { value: 0 };

/**
 * Reads into `varint.value`, returns where it ends; -1: it does not before `end`, or in ten
 * bytes.
 */
export function readVarint(bytes: Uint8Array, p: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 10 && p < end; i++) {
    const byte = bytes[p++]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      varint.value = value;
      return p;
    }
    scale *= 128;
  }
  return -1;
}

/** Zigzag: signed numbers as varints. */
export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

export function putVarint(into: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    into.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  into.push(rest);
}
