/**
 * The hash that filters are made of: MurmurHash3's 32-bit function (Appleby, public domain), once
 * over the key; the second word is its finish over the first one with another constant, so that one
 * pass gives 64 bits that spread well.
 */
const C1 = 0xcc9e2d51 | 0;
const C2 = 0x1b873593;
const SEED = 0x5ddb1a55;
const SECOND = 0x9e3779b9 | 0;

export function hashKey(bytes: Uint8Array, start: number, end: number): number {
  let h = SEED;
  let i = start;
  for (const last = end - 3; i < last; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    k = Math.imul(k, C1);
    k = Math.imul((k << 15) | (k >>> 17), C2);
    h ^= k;
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  let k = 0;
  const rest = end - i;
  if (rest >= 3) k ^= bytes[i + 2]! << 16;
  if (rest >= 2) k ^= bytes[i + 1]! << 8;
  if (rest >= 1) {
    k = Math.imul(k ^ bytes[i]!, C1);
    h ^= Math.imul((k << 15) | (k >>> 17), C2);
  }
  return finish(h ^ (end - start));
}

/** Bits that pick places within a line, from those that pick the line. */
export function secondHash(first: number): number {
  return finish((first ^ SECOND) | 0);
}

function finish(mixed: number): number {
  let h = mixed;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
