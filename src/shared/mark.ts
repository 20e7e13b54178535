/** Marks: what is kept of keys and values of any length, where many are compared. */
import { crypto } from './node-modules.ts';

/**
 * Bytes as a string to compare: one character a byte when they are short, else their beginning,
 * their length and their SHA-256. Equal marks mean equal bytes.
 */
export type Mark = string;

const SHORT_BYTES_MAX = 128;
const START_BYTES = 48;

export function markOf(source: Uint8Array, start: number, end: number): Mark {
  const bytes = Buffer.from(source.buffer, source.byteOffset + start, end - start);
  if (bytes.length <= SHORT_BYTES_MAX) return `s${bytes.toString('latin1')}`;
  const digest = crypto().createHash('sha256').update(bytes).digest().toString('latin1');
  return `l${bytes.toString('latin1', 0, START_BYTES)}${digest}${bytes.length}`;
}

export interface Marked {
  /** All of the bytes, or their beginning where `sha256` is set. */
  bytes: Uint8Array;
  length: number;
  sha256?: string;
}

export function unmark(mark: Mark): Marked {
  if (mark.startsWith('s')) {
    const bytes = Buffer.from(mark.slice(1), 'latin1');
    return { bytes, length: bytes.length };
  }
  const bytes = Buffer.from(mark.slice(1, 1 + START_BYTES), 'latin1');
  const digest = Buffer.from(mark.slice(1 + START_BYTES, 33 + START_BYTES), 'latin1');
  const length = Number(mark.slice(33 + START_BYTES));
  return { bytes, length, sha256: digest.toString('hex') };
}
