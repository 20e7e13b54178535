/**
 * Texts that SQLite made of floats. Until 3.53 it gave them 15 digits, and 17 since: an entry that
 * an older version computed is another one now, https://www.sqlite.org/staleexpridx.html.
 */

const FLOAT = /-?\d+\.\d+(?:e[+-]?\d+)?/gi;
const DIGITS = 15;

/**
 * The text in [start, end), in UTF-8, with all floats in it rounded to what older versions had of
 * them: two texts of one float come out the same, whichever version made them.
 */
export function roundedFloats(
  bytes: Uint8Array,
  start: number,
  end: number,
  encoding: number,
): Uint8Array {
  const copy = Buffer.from(bytes.subarray(start, encoding === 1 ? end : end - ((end - start) & 1)));
  if (encoding === 3) copy.swap16();
  const text = copy.toString(encoding === 1 ? 'utf8' : 'utf16le');
  return Buffer.from(text.replace(FLOAT, (float) => Number(float).toPrecision(DIGITS)));
}
