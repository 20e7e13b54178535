/**
 * 64-bit arithmetic in halves, for hashes that multiply: BigInt would cost twenty times as much.
 * Functions leave their result in `r.low` and `r.high`, as signed 32-bit integers.
 */
export const r = { low: 0, high: 0 };

/** The high half of the product of two unsigned 32-bit integers. */
export function mulHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const p00 = Math.imul(a0, b0) >>> 0;
  const p10 = Math.imul(a1, b0) >>> 0;
  const p01 = Math.imul(a0, b1) >>> 0;
  const middle = (p00 >>> 16) + (p10 & 0xffff) + (p01 & 0xffff);
  return (Math.imul(a1, b1) + (p10 >>> 16) + (p01 >>> 16) + (middle >>> 16)) | 0;
}

/** The low 64 bits of a product. */
export function mul(aLow: number, aHigh: number, bLow: number, bHigh: number): void {
  r.high = (mulHigh(aLow, bLow) + Math.imul(aLow, bHigh) + Math.imul(aHigh, bLow)) | 0;
  r.low = Math.imul(aLow, bLow);
}

/** The low 64 bits of a product of 128, exclusive-or its high ones. */
export function mulFold(aLow: number, aHigh: number, bLow: number, bHigh: number): void {
  const llLow = Math.imul(aLow, bLow);
  const llHigh = mulHigh(aLow, bLow) >>> 0;
  const hlLow = Math.imul(aHigh, bLow) >>> 0;
  const hlHigh = mulHigh(aHigh, bLow) >>> 0;
  const lhLow = Math.imul(aLow, bHigh) >>> 0;
  const lhHigh = mulHigh(aLow, bHigh) >>> 0;
  const hhLow = Math.imul(aHigh, bHigh) >>> 0;
  const hhHigh = mulHigh(aHigh, bHigh);
  const cross = llHigh + hlLow + lhLow;
  const upper = hlHigh + lhHigh + hhLow + Math.floor(cross / 0x1_0000_0000);
  r.low = llLow ^ upper;
  r.high = cross ^ (hhHigh + Math.floor(upper / 0x1_0000_0000));
}

/** h ^= h >>> bits, for bits from 32 to 63. */
export function shiftXorHigh(low: number, high: number, bits: number): void {
  r.low = low ^ (bits === 32 ? high : high >>> (bits - 32));
  r.high = high;
}

export function add(aLow: number, aHigh: number, bLow: number, bHigh: number): void {
  const low = (aLow >>> 0) + (bLow >>> 0);
  r.low = low | 0;
  r.high = (aHigh + bHigh + (low > 0xffff_ffff ? 1 : 0)) | 0;
}

/** Rotation to the left by 1 to 31 bits. */
export function rotate(low: number, high: number, bits: number): void {
  r.low = (low << bits) | (high >>> (32 - bits));
  r.high = (high << bits) | (low >>> (32 - bits));
}
