/**
 * Snappy, the raw format: https://github.com/google/snappy/blob/main/format_description.txt
 *
 * Nothing is trusted: a length that leads past either end makes the answer -1.
 */

/** How many bytes the block says it unpacks to; -1: it does not say so in five bytes. */
export function snappyLength(source: Uint8Array, start: number, end: number): number {
  let length = 0;
  for (let i = 0; i < 5 && start + i < end; i++) {
    const byte = source[start + i]!;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length <= 0xffff_ffff ? length : -1;
  }
  return -1;
}

/** Unpacks into `target` and returns how many bytes that makes; -1: the bytes are no Snappy. */
export function snappyDecompress(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): number {
  const length = snappyLength(source, start, end);
  if (length < 0 || length > target.length) return -1;
  let p = start;
  while (source[p++]! >= 0x80);
  let at = 0;
  while (p < end) {
    const tag = source[p++]!;
    if ((tag & 3) === 0) {
      let size = (tag >>> 2) + 1;
      if (size > 60) {
        const bytes = size - 60;
        if (p + bytes > end) return -1;
        size = 1;
        for (let i = 0; i < bytes; i++) size += source[p + i]! * 2 ** (8 * i);
        p += bytes;
      }
      if (p + size > end || at + size > length) return -1;
      if (size <= 16) for (let i = 0; i < size; i++) target[at + i] = source[p + i]!;
      else target.set(source.subarray(p, p + size), at);
      p += size;
      at += size;
      continue;
    }
    let size: number;
    let offset: number;
    if ((tag & 3) === 1) {
      if (p >= end) return -1;
      size = ((tag >>> 2) & 7) + 4;
      offset = ((tag >>> 5) << 8) | source[p++]!;
    } else if ((tag & 3) === 2) {
      if (p + 2 > end) return -1;
      size = (tag >>> 2) + 1;
      offset = source[p]! | (source[p + 1]! << 8);
      p += 2;
    } else {
      if (p + 4 > end) return -1;
      size = (tag >>> 2) + 1;
      offset =
        (source[p]! | (source[p + 1]! << 8) | (source[p + 2]! << 16) | (source[p + 3]! << 24)) >>>
        0;
      p += 4;
    }
    if (offset === 0 || offset > at || at + size > length) return -1;
    let from = at - offset;
    for (const to = at + size; at < to; ) target[at++] = target[from++]!;
  }
  return at === length ? at : -1;
}
