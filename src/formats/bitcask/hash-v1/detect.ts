/** Is it a data or hint file of the hash-indexed store? Times and sizes in a row tell. */
import { type Detection, NOT_THIS, type Probe } from '../../format.ts';
import {
  dataFile,
  HEADER_BYTES,
  HINT_HEADER_BYTES,
  HINT_KEY_SIZE_AT,
  HINT_SIZE_AT,
  HINT_TIMESTAMP_AT,
  hintFile,
  KEY_BYTES_PLAUSIBLE,
  KEY_SIZE_AT,
  VALUE_SIZE_AT,
} from './layout.ts';

/** 1980 and 2100, in seconds since the epoch: no text and hardly any number looks like one. */
const TIME_LOW = 315_532_800;
const TIME_HIGH = 4_102_444_800;
/** Of a file that goes on wrong, or has another name, so many records in front have to be right. */
const RECORDS_MIN = 2;

/** Bytes of a record or entry that begins at `p`, whose header is there; 0: none begins. */
type Measure = (view: DataView, p: number) => number;

const isTime = (time: number): boolean => time >= TIME_LOW && time <= TIME_HIGH;

const recordBytes: Measure = (view, p) => {
  const keySize = view.getUint32(p + KEY_SIZE_AT, true);
  if (!isTime(view.getFloat64(p, true)) || keySize > KEY_BYTES_PLAUSIBLE) return 0;
  return HEADER_BYTES + keySize + view.getUint32(p + VALUE_SIZE_AT, true);
};

const entryBytes: Measure = (view, p) => {
  const keySize = view.getUint32(p + HINT_KEY_SIZE_AT, true);
  const time = view.getFloat64(p + HINT_TIMESTAMP_AT, true);
  if (!isTime(time) || keySize > KEY_BYTES_PLAUSIBLE) return 0;
  if (view.getUint32(p + HINT_SIZE_AT, true) < HEADER_BYTES + keySize) return 0;
  return HINT_HEADER_BYTES + keySize;
};

export function detectHashV1(probe: Probe): Detection {
  const { name } = probe;
  const isHint = hintFile(name) !== undefined;
  const [count, toTheEnd] = isHint
    ? inARow(probe, entryBytes, HINT_HEADER_BYTES)
    : inARow(probe, recordBytes, HEADER_BYTES);
  const what = isHint ? 'entries' : 'records';
  const named = isHint || dataFile(name) !== undefined;
  if (count >= RECORDS_MIN || (count > 0 && toTheEnd)) {
    const reason = `${count} ${what} in a row have times of our time, and sizes that lead on`;
    return { confidence: 'certain', reason };
  }
  if (named) {
    const kind = isHint ? 'hint file' : 'data file';
    return { confidence: 'likely', reason: `named like a ${kind} (${name})` };
  }
  return NOT_THIS;
}

/** How many in a row begin in the head, and whether they lead to its end or the file's. */
function inARow(
  { head, size }: Probe,
  measure: Measure,
  headerBytes: number,
): [count: number, toTheEnd: boolean] {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const fileEnd = size ?? Number.POSITIVE_INFINITY;
  let at = 0;
  let count = 0;
  while (at + headerBytes <= head.length) {
    const bytes = measure(view, at);
    if (bytes === 0 || at + bytes > fileEnd) return [count, false];
    at += bytes;
    count++;
  }
  return [count, at === fileEnd || (at + headerBytes > head.length && head.length < fileEnd)];
}
