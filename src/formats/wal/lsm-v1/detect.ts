/**
 * Is it an LSM tree's log? Nothing but its name and a chain of plausible lengths can tell, so never
 * for certain.
 */
import { type Detection, NOT_THIS, type Probe } from '../../format.ts';
import { FILE_NAME, KEY_AT, KEY_BYTES_PLAUSIBLE, LENGTH_BYTES } from './layout.ts';

/** A file of another name needs so many records in a row. */
const RECORDS_MIN = 4;

export function detectLsmV1(probe: Probe): Detection {
  if (probe.name === FILE_NAME) {
    return { confidence: 'likely', reason: `named like an LSM tree's log (${FILE_NAME})` };
  }
  // The same tree's tables begin with the same records.
  if (probe.name.endsWith('.sst')) return NOT_THIS;
  const records = plausibleRecords(probe);
  if (records < RECORDS_MIN) return NOT_THIS;
  return { confidence: 'likely', reason: `${records} records in a row with plausible lengths` };
}

/**
 * Records from the front of the file up to its end, or the head's; 0 if the lengths lead elsewhere.
 */
function plausibleRecords({ head, size }: Probe): number {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const fileEnd = size ?? Number.POSITIVE_INFINITY;
  let at = 0;
  for (let records = 0; ; records++) {
    if (at === fileEnd) return records;
    if (at + LENGTH_BYTES > head.length) return at < fileEnd && head.length < fileEnd ? records : 0;
    const keyLength = view.getUint32(at);
    if (keyLength === 0 || keyLength > KEY_BYTES_PLAUSIBLE) return 0;
    const valueLengthAt = at + KEY_AT + keyLength;
    if (valueLengthAt + LENGTH_BYTES > head.length) {
      return valueLengthAt + LENGTH_BYTES <= fileEnd && head.length < fileEnd ? records : 0;
    }
    at = valueLengthAt + LENGTH_BYTES + view.getUint32(valueLengthAt);
    if (at > fileEnd) return 0;
  }
}
