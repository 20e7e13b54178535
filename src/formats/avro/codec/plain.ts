/** What JSON has for values that it does not know. */
import { toHex } from '../../../shared/hex.ts';

export function hexObject(bytes: Uint8Array): { hex: string } {
  return { hex: toHex(bytes) };
}

/** Digits in a string for what would not be exact, words for what is no number. */
export function jsonNumber(value: number | bigint): number | string {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return String(value);
}
