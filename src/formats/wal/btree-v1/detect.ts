/** Is it a B+tree's redo log? The checksum of an entry in its head decides. */
import { crc32 } from '../../../shared/crc32.ts';
import { type Detection, NOT_THIS, type Probe } from '../../format.ts';
import {
  CRC_BYTES,
  DATA_LENGTH_AT,
  FILE_NAME,
  IMAGE_AT,
  isPageSize,
  OVERHEAD_BYTES,
  PAGE_SIZES,
  SEQ_AT,
} from './layout.ts';

/** Behind a damaged first entry, so many are looked at for each page size. */
const ENTRIES_MAX = 4;

export function detectBtreeV1(probe: Probe): Detection {
  const { head, name, size } = probe;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let entry = 0; entry < ENTRIES_MAX; entry++) {
    for (const pageSize of PAGE_SIZES) {
      const at = entry * (OVERHEAD_BYTES + pageSize);
      if (!holds(head, view, at, pageSize)) continue;
      const which = at === 0 ? 'the first entry' : `the entry at ${at}`;
      return { confidence: 'certain', reason: `the CRC-32 of ${which} holds` };
    }
  }
  if (name === FILE_NAME) {
    return { confidence: 'likely', reason: `named like a B+tree's redo log (${FILE_NAME})` };
  }
  // The first entry of the largest pages does not fit into the head.
  if (head.length >= IMAGE_AT && view.getUint32(SEQ_AT) === 1) {
    const length = view.getUint32(DATA_LENGTH_AT);
    const whole = OVERHEAD_BYTES + length;
    if (isPageSize(length) && whole > head.length && size !== undefined && size % whole === 0) {
      return { confidence: 'likely', reason: `whole entries of ${length} bytes from seq 1 on` };
    }
  }
  return NOT_THIS;
}

function holds(head: Uint8Array, view: DataView, at: number, pageSize: number): boolean {
  const imageAt = at + IMAGE_AT;
  const end = imageAt + pageSize;
  if (end + CRC_BYTES > head.length || view.getUint32(at + DATA_LENGTH_AT) !== pageSize)
    return false;
  return crc32.of(head, imageAt, end) === view.getUint32(end);
}
