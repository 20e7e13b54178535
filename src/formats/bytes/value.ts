/** Bytes as JSON shows them: a string when they are valid UTF-8, else `{"hex": "…"}`. */
import { isUtf8 } from 'node:buffer';
import { toHex } from '../../shared/hex.ts';

export type BytesValue = string | { hex: string };

/** `isUtf8` takes overlong forms and surrogates for what they are: invalid. */
export function bytesValue(bytes: Uint8Array, start = 0, end = bytes.length): BytesValue {
  const span = bytes.subarray(start, end);
  return isUtf8(span)
    ? Buffer.from(span.buffer, span.byteOffset, span.length).toString('utf8')
    : { hex: toHex(bytes, start, end) };
}
