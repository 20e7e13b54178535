/**
 * Which bit explains a checksum mismatch, and how many operations the damaged fragment can have
 * held.
 */
import { explainFlips } from '../../../shared/bit-flip.ts';
import { crc32c } from '../../../shared/crc32.ts';
import type { Mend } from '../../damage.ts';
import {
  BATCH_COUNT_AT,
  BATCH_HEADER_BYTES,
  FULL_TYPE,
  OPERATION_BYTES_MIN,
  RECYCLABLE_FULL_TYPE,
  TYPE_AT,
} from './constants.ts';
import { unmask } from './header.ts';

export interface Diagnosis {
  readonly text: string;
  /** The bits that are hit: file offset of the byte, and which of it. */
  readonly hit: readonly { offset: number; bit: number }[];
}

/**
 * The one explanation of `stored` and `computed`, both as they are written, over the fragment of
 * `total` bytes at file offset `offset`. A flip in the stored checksum shows before its mask is
 * taken off, one in the data after.
 */
export function diagnose(
  offset: number,
  stored: number,
  computed: number,
  total: number,
): Diagnosis | undefined {
  const difference = (stored ^ computed) | 0;
  if (difference !== 0 && (difference & (difference - 1)) === 0) {
    const bit = 31 - Math.clz32(difference);
    const hit = { offset: offset + (bit >>> 3), bit: bit & 7 };
    return { text: `${place(hit)} (the stored checksum) is flipped`, hit: [hit] };
  }
  const flips = explainFlips(crc32c, unmask(stored) >>> 0, unmask(computed) >>> 0, total - TYPE_AT);
  if (!flips || flips.kind === 'stored') return undefined;
  const last = offset + total - 1;
  const both = flips.kind === 'one' ? [flips.at] : flips.at;
  const hit = both
    .map(({ byteFromEnd, bit }) => ({ offset: last - byteFromEnd, bit }))
    .toReversed();
  const places = hit.map(place).join(' and ');
  return {
    text: hit.length === 1 ? `${places} is flipped` : `two bits are flipped: ${places}`,
    hit,
  };
}

function place({ offset, bit }: { offset: number; bit: number }): string {
  return `bit ${bit} of the byte at ${offset}`;
}

/**
 * The byte that makes a fragment whole, if one bit explains its damage and it is a record of its
 * own.
 */
export function mendOf(
  diagnosis: Diagnosis,
  fragmentOffset: number,
  type: number,
  byteAt: (offset: number) => number,
): Mend | undefined {
  const [hit, other] = diagnosis.hit;
  if (!hit || other) return undefined;
  const { offset, bit } = hit;
  const right = byteAt(offset) ^ (1 << bit);
  const rightType = offset === fragmentOffset + TYPE_AT ? right : type;
  if (rightType !== FULL_TYPE && rightType !== RECYCLABLE_FULL_TYPE) return undefined;
  return { offset, hex: right.toString(16).padStart(2, '0') };
}

/**
 * How many operations the framed fragment with data in [data, end) can have held: the count of its
 * batch, if that is whole, possible and not what is hit; else as many as fit.
 */
export function operationsMax(
  bytes: Uint8Array,
  data: number,
  end: number,
  type: number,
  diagnosis: Diagnosis | undefined,
  base: number,
): number {
  const fit = operationsThatFit(end - data - BATCH_HEADER_BYTES);
  const whole = type === FULL_TYPE || type === RECYCLABLE_FULL_TYPE;
  if (!whole || !diagnosis || end - data < BATCH_HEADER_BYTES) return operationsThatFit(end - data);
  const at = data + BATCH_COUNT_AT;
  if (diagnosis.hit.some(({ offset }) => offset >= base + at && offset < base + at + 4)) return fit;
  const count = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
  return bytes[at + 3] === 0 && count > 0 && count <= fit ? count : fit;
}

/** As many operations as `length` bytes can have held, at least one. */
export function operationsThatFit(length: number): number {
  return Math.max(1, Math.floor(length / OPERATION_BYTES_MIN));
}
