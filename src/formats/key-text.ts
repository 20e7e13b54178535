/** A key in a message: quoted if it is UTF-8, else in hexadecimal; a long one by its beginning. */
import { isUtf8 } from 'node:buffer';
import { toHex } from '../shared/hex.ts';

const SHOWN_BYTES_MAX = 64;

export function keyText(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const shown = Math.min(end, start + SHOWN_BYTES_MAX);
  const more = shown < end ? `… (${end - start} bytes)` : '';
  const span = bytes.subarray(start, shown);
  if (!isUtf8(span)) return `hex:${toHex(bytes, start, shown)}${more}`;
  return `${JSON.stringify(Buffer.from(span).toString('utf8'))}${more}`;
}
