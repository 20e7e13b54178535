/** The LSM tree's textbook log: one file, wal.log, of keys and values. See FORMAT.md. */
import { bytesValue } from '../../bytes/value.ts';
import type { Span } from '../../format.ts';
import { layoutFromScan } from '../layout-from-scan.ts';
import type { WalDialect, WalRecord } from '../model.ts';
import { detectLsmV1 } from './detect.ts';
import { lsmV1Encoder } from './encode.ts';
import { FILE_NAME, KEY_AT, LENGTH_BYTES, OVERHEAD_BYTES } from './layout.ts';
import { scanLsmV1 } from './scan.ts';

export const lsmV1: WalDialect = {
  id: 'lsm-v1',
  family: 'wal',
  title: 'LSM tree log, one file: key_length, key, value_length, value; no checksum',
  source: 'FORMAT.md',
  hasSeq: false,
  gapSeverity: 'info',
  batches: 'none',
  recordBytesMin: OVERHEAD_BYTES,
  segmentsContinuous: false,
  unchecked: [
    'no checksum: a flipped bit in a key or a value leaves no trace',
    'a hit length that happens to lead to where records go on leaves no trace',
    'no seq: missing, repeated or reordered records leave no trace',
    'records cut off at the end of the log leave no trace',
    'no op: a deletion is a put of an empty value, and so is a put whose value_length is hit to 0',
    'no batch marks: a lone write cannot be told from a write of a torn batch',
    'no file header: nothing names the format, its version or the tree the log belongs to',
  ],
  segmentNumber: (name) => (name === FILE_NAME ? 1 : undefined),
  detect: detectLsmV1,
  scan: scanLsmV1,
  layout: (source, context, visit) => layoutFromScan(lsmV1, fields, source, context, visit),
  encoder: lsmV1Encoder,
};

function fields(record: WalRecord): Span[] {
  const { offset, bytes, keyStart, keyEnd, valueStart, valueEnd } = record;
  const keyLength = keyEnd - keyStart;
  const valueLength = valueEnd - valueStart;
  const valueLengthAt = offset + KEY_AT + keyLength;
  return [
    { name: 'key_length', offset, length: LENGTH_BYTES, value: keyLength },
    {
      name: 'key',
      offset: offset + KEY_AT,
      length: keyLength,
      value: bytesValue(bytes, keyStart, keyEnd),
    },
    { name: 'value_length', offset: valueLengthAt, length: LENGTH_BYTES, value: valueLength },
    {
      name: 'value',
      offset: valueLengthAt + LENGTH_BYTES,
      length: valueLength,
      value: bytesValue(bytes, valueStart, valueEnd),
    },
  ];
}
