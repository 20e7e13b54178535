/** Writes entries of the redo log, byte for byte as layout.ts draws them. */
import { crc32 } from '../../../shared/crc32.ts';
import { DdiaError } from '../../../shared/errors.ts';
import {
  DATA_LENGTH_AT,
  IMAGE_AT,
  isPageSize,
  OVERHEAD_BYTES,
  PAGE_AT,
  PAGE_BYTES_MAX,
  PAGE_BYTES_MIN,
  SEQ_AT,
} from './layout.ts';

const U32_MAX = 0xffff_ffff;

/** One entry: the new image of a page. */
export function encodeEntry(seq: number, page: number, image: Uint8Array): Uint8Array {
  for (const [name, value] of Object.entries({ seq, page })) {
    if (!Number.isInteger(value) || value < 0 || value > U32_MAX) {
      throw new DdiaError('bad-number', `${name} is ${value}, expected an integer below 2^32`);
    }
  }
  if (!isPageSize(image.length)) {
    throw new DdiaError(
      'bad-page-size',
      `an image of ${image.length} bytes; a page has a power of two from ${PAGE_BYTES_MIN} ` +
        `to ${PAGE_BYTES_MAX}`,
    );
  }
  const bytes = new Uint8Array(OVERHEAD_BYTES + image.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(SEQ_AT, seq);
  view.setUint32(PAGE_AT, page);
  view.setUint32(DATA_LENGTH_AT, image.length);
  bytes.set(image, IMAGE_AT);
  view.setUint32(IMAGE_AT + image.length, crc32.of(image));
  return bytes;
}
