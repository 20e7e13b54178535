/** The two hashes of an item: the halves of its MD5, little-endian, as v1 filters have them. */
import { createHash } from 'node:crypto';

export interface Hashes {
  first: bigint;
  second: bigint;
}

export function hashesOf(item: Uint8Array): Hashes {
  const digest = createHash('md5').update(item).digest();
  return { first: digest.readBigUInt64LE(0), second: digest.readBigUInt64LE(8) };
}

/** Calls `visit` with the k positions of an item among m; stops when it returns false. */
export function positions(
  item: Uint8Array,
  m: number,
  k: number,
  visit: (position: number) => boolean,
): boolean {
  const { first, second } = hashesOf(item);
  const bits = BigInt(m);
  // (first + i * second) mod m, without growing numbers.
  let at = Number(first % bits);
  const step = Number(second % bits);
  for (let i = 0; i < k; i++) {
    if (!visit(at)) return false;
    at = (at + step) % m;
  }
  return true;
}
