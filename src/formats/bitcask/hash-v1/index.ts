/** The textbook store with a hash index: 000001.data, 000001.hint, … See FORMAT.md. */
import { bytesValue } from '../../bytes/value.ts';
import type { Span } from '../../format.ts';
import { layoutFromScan } from '../layout-from-scan.ts';
import type { BitcaskDialect, BitcaskRecord, HintEntry } from '../model.ts';
import { scanPlainHint } from '../plain-hint.ts';
import { detectHashV1 } from './detect.ts';
import { hashV1Encoder } from './encode.ts';
import { hashV1Hint } from './hint.ts';
import {
  dataFile,
  dataName,
  HEADER_BYTES,
  HINT_KEY_AT,
  HINT_KEY_SIZE_AT,
  HINT_OFFSET_AT,
  HINT_SIZE_AT,
  HINT_TIMESTAMP_AT,
  hintFile,
  hintName,
  KEY_AT,
  KEY_SIZE_AT,
  TIMESTAMP_AT,
  TIMESTAMP_BYTES,
  VALUE_SIZE_AT,
} from './layout.ts';
import { scanHashV1 } from './scan.ts';

export const hashV1: BitcaskDialect = {
  id: 'hash-v1',
  family: 'bitcask',
  title: 'textbook store with a hash index: timestamp, sizes, key, value; no checksum',
  source: 'FORMAT.md',
  unchecked: [
    'no checksum: a flipped bit in a key, a value or the low bits of a timestamp leaves no trace',
    'a hit size that happens to lead to where records go on leaves no trace',
    'a value_size that is hit to 0 at the end of a file makes a deletion of a put',
    'hints have no checksum: what they say is compared with the data files, where these are there',
    'missing, repeated or reordered records leave no trace, nor do those cut off at the end of a file',
    'no file header: nothing names the format, its version or the store a file belongs to',
  ],
  newest: 'position',
  recordBytesMin: HEADER_BYTES,
  hints: { records: 'newest', deletions: false, trusted: true, checked: false },
  dataFile,
  hintFile,
  dataName,
  hintName,
  detect: detectHashV1,
  scan: scanHashV1,
  scanHint: (source, context, visitor) => scanPlainHint(hashV1Hint, source, context, visitor),
  layout: (source, context, visit) =>
    layoutFromScan(hashV1, { ofRecord, ofEntry }, source, context, visit),
  encoder: hashV1Encoder,
};

function ofRecord(record: BitcaskRecord): Span[] {
  const { offset, bytes, keyStart, keyEnd, valueStart, valueEnd, salvaged } = record;
  const keySize = keyEnd - keyStart;
  const valueSize = valueEnd - valueStart;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [
    {
      name: 'timestamp',
      offset: offset + TIMESTAMP_AT,
      length: TIMESTAMP_BYTES,
      value: timeValue(view.getFloat64(keyStart - KEY_AT + TIMESTAMP_AT, true)),
      ...(salvaged && { damage: 'bad-timestamp' }),
    },
    { name: 'key_size', offset: offset + KEY_SIZE_AT, length: 4, value: keySize },
    { name: 'value_size', offset: offset + VALUE_SIZE_AT, length: 4, value: valueSize },
    {
      name: 'key',
      offset: offset + KEY_AT,
      length: keySize,
      value: bytesValue(bytes, keyStart, keyEnd),
    },
    {
      name: 'value',
      offset: offset + KEY_AT + keySize,
      length: valueSize,
      value: bytesValue(bytes, valueStart, valueEnd),
    },
  ];
}

function ofEntry(entry: HintEntry): Span[] {
  const { offset, bytes, dataFile: file, position, size, timestamp, keyStart, keyEnd } = entry;
  const keySize = keyEnd - keyStart;
  const time = timeValue(timestamp);
  return [
    { name: 'file_id', offset, length: 4, value: file },
    { name: 'offset', offset: offset + HINT_OFFSET_AT, length: 8, value: position },
    { name: 'size', offset: offset + HINT_SIZE_AT, length: 4, value: size },
    { name: 'timestamp', offset: offset + HINT_TIMESTAMP_AT, length: TIMESTAMP_BYTES, value: time },
    { name: 'key_size', offset: offset + HINT_KEY_SIZE_AT, length: 4, value: keySize },
    {
      name: 'key',
      offset: offset + HINT_KEY_AT,
      length: keySize,
      value: bytesValue(bytes, keyStart, keyEnd),
    },
  ];
}

/** JSON has no word for what is no number. */
function timeValue(timestamp: number): number | string {
  return Number.isFinite(timestamp) ? timestamp : String(timestamp);
}
