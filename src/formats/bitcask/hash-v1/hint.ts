/** Reads a hint entry of the hash-indexed store, drawn in layout.ts. */
import type { HintEntry } from '../model.ts';
import type { PlainHint } from '../plain-hint.ts';
import {
  HEADER_BYTES,
  HINT_HEADER_BYTES,
  HINT_KEY_SIZE_AT,
  HINT_OFFSET_AT,
  HINT_SIZE_AT,
  HINT_TIMESTAMP_AT,
} from './layout.ts';

export const hashV1Hint: PlainHint = {
  headerBytes: HINT_HEADER_BYTES,
  keySize: (view, start) => view.getUint32(start + HINT_KEY_SIZE_AT, true),
  read,
};

function read(
  entry: HintEntry,
  view: DataView,
  start: number,
  keySize: number,
): string | undefined {
  const low = view.getUint32(start + HINT_OFFSET_AT, true);
  const high = view.getUint32(start + HINT_OFFSET_AT + 4, true);
  entry.dataFile = view.getUint32(start, true);
  entry.position = high * 0x1_0000_0000 + low;
  entry.size = view.getUint32(start + HINT_SIZE_AT, true);
  entry.timestamp = view.getFloat64(start + HINT_TIMESTAMP_AT, true);
  const least = HEADER_BYTES + keySize;
  if (entry.size < least) {
    return `size is ${entry.size}, a record with a key of ${keySize} bytes has at least ${least}`;
  }
  if (!Number.isSafeInteger(entry.position)) {
    return `offset is ${BigInt(high) * 0x1_0000_0000n + BigInt(low)}, no file is so long`;
  }
  return undefined;
}
