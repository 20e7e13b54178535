/**
 * Keys and values given on the command line:
 *
 *     user:42          as it stands, in UTF-8
 *     hex:00ff         pairs of hexadecimal digits, of either case
 *     base64:AP8=      standard or URL-safe alphabet, with or without padding
 *     utf8:hex:00      what follows, as it stands: for text that begins like one of these
 */
import { usageError } from '../shared/errors.ts';
import { isHex } from '../shared/packed-text.ts';

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** The bytes that an argument stands for. Throws a usage error when it is not well-formed. */
export function parseBytes(text: string): Uint8Array {
  if (text.startsWith('hex:')) return parseHex(text.slice(4));
  if (text.startsWith('base64:')) return parseBase64(text.slice(7));
  return Buffer.from(text.startsWith('utf8:') ? text.slice(5) : text, 'utf8');
}

/** Pairs of hexadecimal digits, without a prefix. */
export function parseHex(digits: string): Uint8Array {
  if (isHex(digits)) return Buffer.from(digits, 'hex');
  const odd = /^[0-9a-f]*$/i.test(digits);
  throw usageError(
    'bad-bytes',
    odd
      ? `hex:${digits} has an odd number of digits: ${digits.length}`
      : `not hexadecimal: ${digits}`,
    'two digits a byte, as in hex:00ff; utf8:… takes text as it stands',
  );
}

function parseBase64(text: string): Uint8Array {
  const digits = text.replace(/=+$/, '');
  // A lone digit beyond whole groups of four holds less than a byte; padding, if any, fills a
  // group.
  const padded = digits.length === text.length || text.length % 4 === 0;
  if (!BASE64.test(text) || digits.length % 4 === 1 || !padded) {
    throw usageError(
      'bad-bytes',
      `not base64: ${text}`,
      'as in base64:AP8=; utf8:… takes text as it stands',
    );
  }
  return Buffer.from(digits, 'base64');
}
