/** One write, and what can be written at all. */
import { HEAD_BYTES } from '../../formats/bitcask/v2/layout.ts';
import { DEFAULT_LIMITS } from '../../formats/format.ts';
import { DdiaError } from '../../shared/errors.ts';

export interface Operation {
  key: Uint8Array;
  /** Undefined: delete. */
  value: Uint8Array | undefined;
  /** Milliseconds after which the key counts as deleted. */
  ttl?: number | undefined;
  /** The same as a moment, in milliseconds since the epoch; 0: never. */
  expires?: number | undefined;
  /** Seconds since the epoch; now unless told. */
  timestamp?: number | undefined;
}

/** Keys are in memory: longer ones are refused. */
export const KEY_BYTES_MAX = 1024 * 1024;
/** What every reader reads whole, of a record and of a batch. */
export const RECORD_BYTES_MAX = DEFAULT_LIMITS.recordBytes;
/** Milliseconds; expiry has 48 bits. */
const TTL_MAX = 2 ** 47;

/**
 * Bytes of the records of what is written at once. Throws a DdiaError that says what cannot be
 * stored and why.
 */
export function recordBytes(operations: readonly Operation[]): number {
  let bytes = 0;
  for (const operation of operations) bytes += checked(operation);
  if (operations.length > 1 && bytes > RECORD_BYTES_MAX) {
    throw tooLarge('batch-too-large', `a batch of ${bytes} bytes`, RECORD_BYTES_MAX);
  }
  return bytes;
}

function checked({ key, value, ttl, expires }: Operation): number {
  if (key.length > KEY_BYTES_MAX) {
    throw tooLarge('key-too-large', `a key of ${key.length} bytes`, KEY_BYTES_MAX);
  }
  const bytes = HEAD_BYTES + key.length + (value?.length ?? 0);
  if (bytes > RECORD_BYTES_MAX) {
    throw tooLarge('value-too-large', `a record of ${bytes} bytes`, RECORD_BYTES_MAX);
  }
  if (
    expires !== undefined &&
    !(Number.isSafeInteger(expires) && 0 <= expires && expires < 2 * TTL_MAX)
  ) {
    throw new DdiaError(
      'bad-ttl',
      `expires at ${expires}: milliseconds, from 0 to 2^48 - 1`,
      undefined,
      2,
    );
  }
  if (ttl !== undefined && !(ttl > 0 && ttl < TTL_MAX)) {
    throw new DdiaError(
      'bad-ttl',
      `a time to live of ${ttl} ms: above 0, below 2^47`,
      undefined,
      2,
    );
  }
  return bytes;
}

function tooLarge(code: string, what: string, most: number): DdiaError {
  return new DdiaError(code, `${what}, at most ${most}`);
}
