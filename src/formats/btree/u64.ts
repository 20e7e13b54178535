/** Unsigned 64-bit numbers of pages and transactions, little-endian. */

/** As a number; beyond 2^53 - 1 the nearest one, which is in no file's range. */
export function u64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

/** All bits set. */
export function isAllOnes(view: DataView, at: number): boolean {
  return view.getUint32(at, true) === 0xffff_ffff && view.getUint32(at + 4, true) === 0xffff_ffff;
}
