/** What fits. The layout has no overflow pages: a key and its value lie in one leaf, or nowhere. */
import { DdiaError } from '../../../shared/errors.ts';
import { HEADER_BYTES, INTERNAL_CELL_BYTES, LEAF_CELL_BYTES } from './layout.ts';

/** Separators that an internal page has room for at least, so that it can always be halved. */
const SEPARATORS_MIN = 4;

/** Of a key and its value together, in one leaf. */
export function cellBytesMax(pageSize: number): number {
  return pageSize - HEADER_BYTES - LEAF_CELL_BYTES;
}

/** Of a key that is written. The layout itself has no such limit, and files of others have none. */
export function keyBytesMax(pageSize: number): number {
  return Math.floor((pageSize - HEADER_BYTES) / SEPARATORS_MIN) - INTERNAL_CELL_BYTES;
}

/** Throws a DdiaError `too-long` for what no leaf has room for, whoever wrote it. */
export function checkCell(pageSize: number, keyBytes: number, valueBytes: number): void {
  const most = cellBytesMax(pageSize);
  if (keyBytes + valueBytes > most) {
    throw tooLong('key and value', keyBytes + valueBytes, most, pageSize);
  }
}

/** A key that fits into a leaf may still be too long to be a separator. */
export function checkSeparator(pageSize: number, keyBytes: number): void {
  const most = pageSize - HEADER_BYTES - INTERNAL_CELL_BYTES;
  if (keyBytes > most) throw tooLong('a separator', keyBytes, most, pageSize);
}

/** Throws a DdiaError `too-long` for what is not written. */
export function checkLengths(pageSize: number, keyBytes: number, valueBytes: number): void {
  const most = keyBytesMax(pageSize);
  if (keyBytes > most) throw tooLong('a key', keyBytes, most, pageSize);
  checkCell(pageSize, keyBytes, valueBytes);
}

function tooLong(what: string, bytes: number, most: number, pageSize: number): DdiaError {
  const verb = what.startsWith('a ') ? 'has' : 'have';
  return new DdiaError(
    'too-long',
    `${what} ${verb} ${bytes} bytes; in pages of ${pageSize} there may be ${most}`,
    'a larger page size has room for more: v1 keeps a key and its value in one page',
  );
}
