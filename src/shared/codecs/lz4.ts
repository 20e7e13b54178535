/**
 * LZ4, the block format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 *
 * Unpacks into target[0, length) and returns how many bytes that makes; -1: the bytes are no LZ4.
 * Matches may reach back into `dictionary`, which stands before the block as it were.
 */
export function lz4Decompress(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  length: number,
  dictionary?: Uint8Array,
): number {
  const before = dictionary?.length ?? 0;
  let p = start;
  let at = 0;
  while (p < end) {
    const token = source[p++]!;
    let literals = token >>> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (p >= end) return -1;
        more = source[p++]!;
        literals += more;
      } while (more === 255);
    }
    if (p + literals > end || at + literals > length) return -1;
    if (literals <= 16) for (let i = 0; i < literals; i++) target[at + i] = source[p + i]!;
    else target.set(source.subarray(p, p + literals), at);
    p += literals;
    at += literals;
    if (p === end) return at; // the last sequence has no match
    if (p + 2 > end) return -1;
    const offset = source[p]! | (source[p + 1]! << 8);
    p += 2;
    let size = (token & 15) + 4;
    if (size === 19) {
      let more: number;
      do {
        if (p >= end) return -1;
        more = source[p++]!;
        size += more;
      } while (more === 255);
    }
    if (offset === 0 || offset > at + before || at + size > length) return -1;
    let from = at - offset;
    const to = at + size;
    for (; from < 0 && at < to; from++) target[at++] = dictionary![before + from]!;
    while (at < to) target[at++] = target[from++]!;
  }
  return -1;
}
