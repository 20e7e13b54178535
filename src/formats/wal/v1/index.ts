/** The textbook write-ahead log: segments 000001.wal, 000002.wal, … See FORMAT.md. */
import { crc32 } from '../../../shared/crc32.ts';
import { hex32 } from '../../../shared/hex.ts';
import { bytesValue } from '../../bytes/value.ts';
import { Window } from '../../bytes/window.ts';
import { type Detection, NOT_THIS, type Probe, type Span } from '../../format.ts';
import { layoutFromScan } from '../layout-from-scan.ts';
import type { WalDialect, WalRecord } from '../model.ts';
import { v1Encoder } from './encode.ts';
import {
  CRC_AT,
  KEY_AT,
  KEY_LENGTH_AT,
  LENGTH_FIELD_BYTES,
  LENGTH_MIN,
  OP_AT,
  OP_MAX,
  OVERHEAD_BYTES,
  SEGMENT_NAME,
  SEQ_AT,
} from './layout.ts';
import { scanV1 } from './scan.ts';
import { RecordChecker } from './search.ts';

export const v1: WalDialect = {
  id: 'v1',
  family: 'wal',
  title: 'textbook write-ahead log: length, CRC-32, seq, op, key, value; no file header',
  source: 'FORMAT.md',
  hasSeq: true,
  gapSeverity: 'error',
  firstSeq: 1,
  batches: 'commit-record',
  recordBytesMin: OVERHEAD_BYTES,
  segmentsContinuous: true,
  unchecked: [
    'seq is outside the checksum: gaps and regressions are the only evidence',
    'length, key_length and value_length are outside the checksum: checked against each other only',
    'no file header: nothing names the format, its version or the log a segment belongs to',
    'no begin marker: a lone write cannot be told from a write of a torn batch',
    'records cut off at the end of the log leave no trace',
  ],
  segmentNumber(name) {
    const match = SEGMENT_NAME.exec(name);
    return match ? Number(match[1]) : undefined;
  },
  detect,
  scan: scanV1,
  seek: (source, from, context) =>
    new RecordChecker(new Window(source, context), context.limits.recordBytes).find(from, {
      last: -1,
    }),
  layout: (source, context, visit) => layoutFromScan(v1, fields, source, context, visit),
  encoder: v1Encoder,
};

function detect(probe: Probe): Detection {
  const found = firstIntact(probe.head);
  if (found === 0) return { confidence: 'certain', reason: 'the CRC-32 of the first record holds' };
  if (found > 0) {
    return { confidence: 'certain', reason: `the CRC-32 of the record at ${found} holds` };
  }
  if (SEGMENT_NAME.test(probe.name)) {
    return { confidence: 'likely', reason: `named like a segment (${probe.name})` };
  }
  return NOT_THIS;
}

/** Offset of the first record in `head` whose lengths agree and whose checksum holds; -1: none. */
function firstIntact(head: Uint8Array): number {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  // Checksums over long spans are rationed: a hostile head must not cost more than a few passes
  // over it.
  let budget = 8 * head.length;
  for (let p = 0; p + OVERHEAD_BYTES <= head.length && budget > 0; p++) {
    const op = head[p + OP_AT]!;
    if (op === 0 || op > OP_MAX) continue;
    const length = view.getUint32(p, true);
    const end = p + LENGTH_FIELD_BYTES + length;
    const keyLength = view.getInt32(p + KEY_LENGTH_AT, true);
    const valueLength = length - LENGTH_MIN - keyLength;
    if (length < LENGTH_MIN || end > head.length || keyLength < 0 || valueLength < 0) continue;
    const valueAt = p + KEY_AT + keyLength + 4;
    if (view.getInt32(valueAt - 4, true) !== valueLength) continue;
    let register = crc32.updateByte(-1, op);
    register = crc32.update(register, head, view, p + KEY_AT, valueAt - 4);
    register = crc32.update(register, head, view, valueAt, end);
    if (~register === view.getInt32(p + CRC_AT, true)) return p;
    budget -= length;
  }
  return -1;
}

function fields(record: WalRecord): Span[] {
  const { offset, bytes, keyStart, keyEnd, valueStart, valueEnd } = record;
  const start = keyStart - KEY_AT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const keyLength = keyEnd - keyStart;
  const valueLength = valueEnd - valueStart;
  const valueAt = offset + KEY_AT + keyLength + 4;
  const length = view.getUint32(start, true);
  return [
    {
      name: 'length',
      offset,
      length: 4,
      value: length,
      ...(record.salvaged && { damage: 'bad-length' }),
    },
    {
      name: 'crc',
      offset: offset + CRC_AT,
      length: 4,
      value: hex32(view.getUint32(start + CRC_AT, true)),
    },
    { name: 'seq', offset: offset + SEQ_AT, length: 8, value: record.seqText },
    { name: 'op', offset: offset + OP_AT, length: 1, value: record.op },
    { name: 'key_length', offset: offset + KEY_LENGTH_AT, length: 4, value: keyLength },
    {
      name: 'key',
      offset: offset + KEY_AT,
      length: keyLength,
      value: bytesValue(bytes, keyStart, keyEnd),
    },
    { name: 'value_length', offset: valueAt - 4, length: 4, value: valueLength },
    {
      name: 'value',
      offset: valueAt,
      length: valueLength,
      value: bytesValue(bytes, valueStart, valueEnd),
    },
  ];
}
