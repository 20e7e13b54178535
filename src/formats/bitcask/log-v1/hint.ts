/** Reads a hint entry of the store of segments, drawn in layout.ts. */
import type { HintEntry } from '../model.ts';
import type { PlainHint } from '../plain-hint.ts';
import { HINT_HEADER_BYTES, HINT_OFFSET_AT } from './layout.ts';

/** Entries tell of the segment that the hint file is named like. */
export function logV1Hint(segment: number): PlainHint {
  return {
    headerBytes: HINT_HEADER_BYTES,
    keySize: (view, start) => view.getUint32(start),
    read(entry: HintEntry, view, start) {
      entry.dataFile = segment;
      entry.position = view.getUint32(start + HINT_OFFSET_AT);
      return undefined;
    },
  };
}
