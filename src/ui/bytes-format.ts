/** How keys and values are shown: --key-format, --value-format, --redact. */
import { isUtf8 } from 'node:buffer';
import { toHex } from '../shared/hex.ts';
import { crypto } from '../shared/node-modules.ts';

export const BYTES_FORMATS = ['auto', 'utf8', 'hex', 'base64', 'size', 'none'] as const;
export type BytesFormat = (typeof BYTES_FORMATS)[number];

export interface BytesFormats {
  key: BytesFormat;
  value: BytesFormat;
  /** Length and hash in place of the bytes, so that a report of private files can be shared. */
  redact: boolean;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const utf8 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/** Enough of a hash to tell equal from different. */
function redacted(bytes: Uint8Array): { length: number; sha256: string } {
  const digest = crypto().createHash('sha256').update(bytes).digest('hex');
  return { length: bytes.length, sha256: digest.slice(0, 16) };
}

/** As a JSON value. */
export function jsonBytes(bytes: Uint8Array, format: BytesFormat, redact: boolean): unknown {
  if (redact) return { redacted: redacted(bytes) };
  switch (format) {
    case 'utf8':
      return utf8(bytes);
    case 'hex':
      return { hex: toHex(bytes) };
    case 'base64':
      return { base64: base64(bytes) };
    case 'size':
      return { size: bytes.length };
    default:
      return isUtf8(bytes) ? utf8(bytes) : { hex: toHex(bytes) };
  }
}

/** A text or bytes within a JSON value: bytes are never shown as text, so that both can be told. */
export function jsonCell(cell: string | Uint8Array, { value, redact }: BytesFormats): unknown {
  const isText = typeof cell === 'string';
  if (value === 'auto' && !redact) return isText ? cell : { hex: toHex(cell) };
  return jsonBytes(isText ? Buffer.from(cell) : cell, value, redact);
}

/**
 * As text for people: quoted when it is UTF-8, else `hex:…`, the form that the command line takes
 * too.
 */
export function textBytes(bytes: Uint8Array, format: BytesFormat, redact: boolean): string {
  if (redact) {
    const { length, sha256 } = redacted(bytes);
    return `<${length} bytes, sha256 ${sha256}>`;
  }
  switch (format) {
    case 'utf8':
      return JSON.stringify(utf8(bytes));
    case 'hex':
      return `hex:${toHex(bytes)}`;
    case 'base64':
      return `base64:${base64(bytes)}`;
    case 'size':
      return `<${bytes.length} bytes>`;
    default:
      return isUtf8(bytes) ? JSON.stringify(utf8(bytes)) : `hex:${toHex(bytes)}`;
  }
}
