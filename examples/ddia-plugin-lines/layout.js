// What a line looks like, shared by reader and writer. See FORMAT.md.

export const TAB = 0x09;
export const LINE_FEED = 0x0a;
const BACKSLASH = 0x5c;

export const OPS = ['put', 'delete', 'commit', 'checkpoint'];
/** Hexadecimal digits of the checksum. */
export const CRC_DIGITS = 8;
/** `1 <TAB> put <TAB><TAB><TAB> checksum <LF>` */
export const LINE_BYTES_MIN = 1 + 1 + 3 + 1 + 1 + 1 + CRC_DIGITS + 1;

/** `000001.lines`: six digits when written, any width when read. */
const SEGMENT_NAME = /^(\d{1,15})\.lines$/;

export function segmentNumber(name) {
  const match = SEGMENT_NAME.exec(name);
  return match ? Number(match[1]) : undefined;
}

export function segmentName(number) {
  return `${String(number).padStart(6, '0')}.lines`;
}

const ESCAPED = new Map([
  [TAB, 0x74], // t
  [LINE_FEED, 0x6e], // n
  [BACKSLASH, BACKSLASH],
]);
const UNESCAPED = new Map([...ESCAPED].map(([byte, letter]) => [letter, byte]));

/** `bytes` with a backslash and a letter for each byte that a field cannot hold. */
export function escapeBytes(bytes) {
  const escaped = [];
  for (const byte of bytes) {
    const letter = ESCAPED.get(byte);
    if (letter === undefined) escaped.push(byte);
    else escaped.push(BACKSLASH, letter);
  }
  return Uint8Array.from(escaped);
}

/**
 * Writes the bytes of the field source[start, end) to `target` at `at`; returns where they end,
 * -1: bad.
 */
export function unescapeInto(target, at, source, start, end) {
  let to = at;
  for (let from = start; from < end; from++) {
    let byte = source[from];
    if (byte === BACKSLASH) {
      byte = from + 1 < end ? UNESCAPED.get(source[++from]) : undefined;
      if (byte === undefined) return -1;
    }
    target[to++] = byte;
  }
  return to;
}
