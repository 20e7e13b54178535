/**
 * Bytes as text. Not by a pattern of groups, `(?:..)*`: each round of one takes from V8's stack,
 * which ends before a value of a few MiB does.
 */
const HEX = /^[0-9a-fA-F]*$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export function isHex(text: string): boolean {
  return text.length % 2 === 0 && HEX.test(text);
}

export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && BASE64.test(text);
}
