// The dialect `wal/lines`, made of what ddia lends: a plugin imports nothing from it.
import {
  CRC_DIGITS,
  escapeBytes,
  LINE_BYTES_MIN,
  LINE_FEED,
  OPS,
  segmentName,
  segmentNumber,
} from './layout.js';
import { makeScan } from './scan.js';

export default function lines(api) {
  const scan = makeScan(api);
  const dialect = {
    id: 'lines',
    family: 'wal',
    title: 'a log of text lines: seq, op, key, value, CRC-32, separated by tabs',
    source: 'FORMAT.md of ddia-plugin-lines',
    fileNames: ['000001.lines'],
    hasSeq: true,
    gapSeverity: 'error',
    firstSeq: 1,
    batches: 'commit-record',
    recordBytesMin: LINE_BYTES_MIN,
    segmentsContinuous: true,
    unchecked: [
      'nothing names the log that a segment belongs to',
      'lines cut off at the end of the log leave no trace',
    ],
    segmentNumber,
    detect: (probe) => detect(probe, api),
    scan,
    layout: (source, context, visit) =>
      api.layoutFromScan({ scan }, (record) => fields(record, api), source, context, visit),
    encoder: {
      ops: OPS,
      segmentBytesDefault: 1024 * 1024,
      segmentName,
      encode: (seqHigh, seqLow, operation) => encode(seqHigh, seqLow, operation, api),
      batchSeal: { op: 'commit', key: new Uint8Array(0), value: new Uint8Array(0) },
    },
  };
  return dialect;
}

/** The first line tells, if its checksum holds. */
function detect({ name, head }, { crc32, hex32, NOT_THIS }) {
  const end = head.indexOf(LINE_FEED);
  const body = end - CRC_DIGITS;
  const stored = Buffer.from(head.subarray(Math.max(0, body), Math.max(0, end))).toString('latin1');
  if (body > 0 && stored === hex32(crc32.of(head, 0, body))) {
    return { confidence: 'certain', reason: 'the CRC-32 of the first line holds' };
  }
  if (segmentNumber(name) !== undefined) {
    return { confidence: 'likely', reason: `named like a segment (${name})` };
  }
  return NOT_THIS;
}

function encode(seqHigh, seqLow, { op, key, value }, { crc32, DdiaError, hex32, seqText }) {
  if (!OPS.includes(op)) {
    throw new DdiaError(
      'unsupported-op',
      `op ${op} cannot be written`,
      `there are ${OPS.join(', ')}`,
    );
  }
  const body = Buffer.concat([
    Buffer.from(`${seqText(seqHigh, seqLow)}\t${op}\t`),
    escapeBytes(key),
    Buffer.from('\t'),
    escapeBytes(value),
    Buffer.from('\t'),
  ]);
  return Buffer.concat([body, Buffer.from(`${hex32(crc32.of(body))}\n`)]);
}

/** Every byte of a line has a field: the tabs and the line feed too. */
function fields(record, { bytesValue }) {
  const { offset, length, bytes, keyStart, keyEnd, valueStart, valueEnd } = record;
  const [afterSeq, afterOp, afterKey, afterValue] = record.fieldEnds;
  const span = (name, from, to, value) => ({
    name,
    offset: offset + from,
    length: to - from,
    value,
  });
  const tab = (at) => span('tab', at, at + 1);
  return [
    span('seq', 0, afterSeq, record.seqText),
    tab(afterSeq),
    span('op', afterSeq + 1, afterOp, record.op),
    tab(afterOp),
    span('key', afterOp + 1, afterKey, bytesValue(bytes, keyStart, keyEnd)),
    tab(afterKey),
    span('value', afterKey + 1, afterValue, bytesValue(bytes, valueStart, valueEnd)),
    tab(afterValue),
    span('crc', afterValue + 1, length - 1, record.crc),
    span('line_feed', length - 1, length),
  ];
}
