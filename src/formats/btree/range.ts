/** Bounds of keys in byte order: a prefix is a range like any other. */
import type { Range } from './model.ts';

export interface Bounds {
  /** Inclusive. */
  readonly from: Uint8Array | undefined;
  /** Exclusive. */
  readonly to: Uint8Array | undefined;
}

export function boundsOf({ from, to, prefix }: Range): Bounds {
  if (!prefix) return { from, to };
  const after = successor(prefix);
  return {
    from: from && Buffer.compare(from, prefix) > 0 ? from : prefix,
    to: to && after ? (Buffer.compare(to, after) < 0 ? to : after) : (to ?? after),
  };
}

/** The first key behind all that begin with `prefix`; undefined: there is none. */
function successor(prefix: Uint8Array): Uint8Array | undefined {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end--;
  if (end === 0) return undefined;
  // A copy also of a Buffer, whose slice is none.
  const after = new Uint8Array(prefix.subarray(0, end));
  after[end - 1]!++;
  return after;
}

export function isBounded({ from, to }: Bounds): boolean {
  return from !== undefined || to !== undefined;
}
