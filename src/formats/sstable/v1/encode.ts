/** Writes the textbook table, byte for byte as layout.ts draws it. */
import { DdiaError } from '../../../shared/errors.ts';
import { type EntryBlock, TYPE } from '../entry-block.ts';
import { type FlatEncoding, FlatWriter } from '../flat/encode.ts';
import type { TableEncoder } from '../model.ts';
import {
  DELETED,
  ENTRY_COUNT_AT,
  HEADER_BYTES,
  KEY_BYTES_MAX,
  MAGIC,
  VALUE_BYTES_MAX,
  VERSION,
  VERSION_AT,
  v1Spec,
} from './layout.ts';

const encoding: FlatEncoding = {
  keyBytesMax: KEY_BYTES_MAX,
  countAt: ENTRY_COUNT_AT,
  header(entries: number): Uint8Array {
    const bytes = new Uint8Array(HEADER_BYTES);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, MAGIC);
    view.setUint16(VERSION_AT, VERSION);
    view.setUint32(ENTRY_COUNT_AT, entries);
    return bytes;
  },
  rest(block: EntryBlock, index: number): { fixed: Uint8Array; value: boolean } {
    const deleted = block.types[index] === TYPE.delete;
    const fixed = new Uint8Array(deleted ? 9 : 12);
    const view = new DataView(fixed.buffer);
    view.setFloat64(0, block.timestamps?.[index] ?? 0);
    if (deleted) {
      fixed[8] = DELETED;
      return { fixed, value: false };
    }
    const start = block.valueStart[index]!;
    const length = start < 0 ? 0 : block.valueEnd[index]! - start;
    if (length > VALUE_BYTES_MAX) {
      throw new DdiaError(
        'too-large',
        `a value of ${length} bytes; the layout ends below 0xFF000000`,
      );
    }
    view.setUint32(8, length);
    return { fixed, value: length > 0 };
  },
};

export const v1Encoder: TableEncoder = {
  hasSeq: false,
  hasTimestamp: true,
  fileName: (number) => `${String(number).padStart(6, '0')}.sst`,
  open: (target, options) => new FlatWriter(v1Spec, encoding, target, options),
};
