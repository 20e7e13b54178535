/** The textbook store of segments: segment_000001.dat, segment_000001.hint, … See FORMAT.md. */
import { hex32 } from '../../../shared/hex.ts';
import { bytesValue } from '../../bytes/value.ts';
import type { Span } from '../../format.ts';
import { layoutFromScan } from '../layout-from-scan.ts';
import type { BitcaskDialect, BitcaskRecord, HintEntry } from '../model.ts';
import { scanPlainHint } from '../plain-hint.ts';
import { detectLogV1 } from './detect.ts';
import { logV1Encoder } from './encode.ts';
import { logV1Hint } from './hint.ts';
import {
  CRC_AT,
  dataFile,
  dataName,
  HEADER_BYTES,
  HINT_KEY_AT,
  HINT_OFFSET_AT,
  hintFile,
  hintName,
  KEY_AT,
  KEY_SIZE_AT,
  SIZE_BYTES,
  VALUE_SIZE_AT,
} from './layout.ts';
import { scanLogV1 } from './scan.ts';

export const logV1: BitcaskDialect = {
  id: 'log-v1',
  family: 'bitcask',
  title: 'textbook store of segments: CRC-32, sizes, key, value; deletions are a value',
  source: 'FORMAT.md',
  unchecked: [
    'key_size and value_size are outside the checksum: where the key ends, nothing vouches for',
    'hints have no checksum: what they say is compared with the segments, where these are there',
    'no timestamp and no number: missing, repeated or reordered records leave no trace',
    'records cut off at the end of a segment leave no trace',
    'a deletion is a value that could as well have been put',
    'no file header: nothing names the format, its version or the store a segment belongs to',
  ],
  newest: 'position',
  recordBytesMin: HEADER_BYTES,
  hints: { records: 'newest', deletions: false, trusted: true, checked: false },
  dataFile,
  hintFile,
  dataName,
  hintName,
  detect: detectLogV1,
  scan: scanLogV1,
  scanHint: (source, context, visitor) =>
    scanPlainHint(logV1Hint(hintFile(source.name) ?? 0), source, context, visitor),
  layout: (source, context, visit) =>
    layoutFromScan(logV1, { ofRecord, ofEntry }, source, context, visit),
  encoder: logV1Encoder,
};

function ofRecord(record: BitcaskRecord): Span[] {
  const { offset, length, bytes, keyStart, keyEnd, deleted, salvaged } = record;
  const start = keyStart - KEY_AT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const keySize = keyEnd - keyStart;
  const valueSize = length - HEADER_BYTES - keySize;
  const size = (name: string, at: number, right: number): Span => {
    const value = view.getUint32(start + at);
    const isHit = salvaged && value !== right;
    return {
      name,
      offset: offset + at,
      length: SIZE_BYTES,
      value,
      ...(isHit && { damage: 'bad-length' }),
    };
  };
  return [
    { name: 'crc', offset: offset + CRC_AT, length: 4, value: hex32(view.getUint32(start)) },
    size('key_size', KEY_SIZE_AT, keySize),
    size('value_size', VALUE_SIZE_AT, valueSize),
    {
      name: 'key',
      offset: offset + KEY_AT,
      length: keySize,
      value: bytesValue(bytes, keyStart, keyEnd),
    },
    {
      name: deleted ? 'tombstone' : 'value',
      offset: offset + KEY_AT + keySize,
      length: valueSize,
      value: bytesValue(bytes, keyEnd, keyEnd + valueSize),
    },
  ];
}

function ofEntry({ offset, bytes, position, keyStart, keyEnd }: HintEntry): Span[] {
  const keySize = keyEnd - keyStart;
  return [
    { name: 'key_size', offset, length: SIZE_BYTES, value: keySize },
    { name: 'offset', offset: offset + HINT_OFFSET_AT, length: 4, value: position },
    {
      name: 'key',
      offset: offset + HINT_KEY_AT,
      length: keySize,
      value: bytesValue(bytes, keyStart, keyEnd),
    },
  ];
}
