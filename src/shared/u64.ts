/**
 * Unsigned 64-bit integers in two 32-bit halves, which is how scans keep them: BigInt halves a
 * parser.
 */

/** Decimal digits, exact. */
export function seqText(high: number, low: number): string {
  if (high < 0x20_0000) return String(high * 0x1_0000_0000 + low);
  return ((BigInt(high) << 32n) | BigInt(low)).toString();
}
