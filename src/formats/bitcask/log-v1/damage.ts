/** What damage to a segment is called, and what is said of it. One finding per cause. */
import { hex32, toHex } from '../../../shared/hex.ts';
import type { BitcaskDamage } from '../model.ts';
import type { RecordCheckResult } from '../record-check.ts';
import { HEADER_BYTES, KEY_SIZE_AT, SIZE_BYTES, VALUE_SIZE_AT } from './layout.ts';
import type { RightSizes } from './sizes.ts';

/** What could be read of a record that is not intact. */
export interface DamagedHead {
  file: string;
  offset: number;
  result: RecordCheckResult;
  /** A header's bytes are there. */
  whole: boolean;
  keySize: number;
  valueSize: number;
  /** Bytes of the record by its sizes. */
  total: number;
  stored: number;
  computed: number;
  /** Bytes from the record's start to the end of what was read. */
  available: number;
  recordBytesMax: number;
  /** Where the file ends, if that is known. */
  fileEnd: number | undefined;
}

const DROP = 'drop the record, keep its bytes in quarantine';

function damage(
  head: DamagedHead,
  code: string,
  length: number,
  message: string,
  more: Partial<BitcaskDamage>,
): BitcaskDamage {
  const { file, offset } = head;
  const base = { severity: 'error' as const, records: 1, tail: false, lost: true, repair: DROP };
  return { code, file, offset, length, message, ...base, ...more };
}

/** The record ends where its sizes say, and does not check. */
export function framedDamage(head: DamagedHead, atEnd: boolean): BitcaskDamage {
  const evidence = atEnd
    ? 'the file ends with it'
    : `an intact record follows at ${head.offset + head.total}`;
  return damage(head, 'crc-mismatch', head.total, mismatch(head), { evidence, tail: atEnd });
}

/** The checksum holds over other sizes than those that are there: the record is whole. */
export function sizeHit(head: DamagedHead, length: number, right: RightSizes): BitcaskDamage {
  const { field, oneBit } = right;
  const isKey = field === 'key_size';
  const found = isKey ? head.keySize : head.valueSize;
  const value = isKey ? right.keySize : right.valueSize;
  const at = head.offset + (isKey ? KEY_SIZE_AT : VALUE_SIZE_AT);
  const bytes = new Uint8Array(SIZE_BYTES);
  new DataView(bytes.buffer).setUint32(0, value);
  const bit = 31 - Math.clz32(found ^ value);
  return damage(
    head,
    'bad-length',
    length,
    `${field} is ${found}, and the checksum holds with ${value}: nothing is lost`,
    {
      records: 0,
      lost: false,
      repair: `write the right ${field}`,
      mend: { offset: at, hex: toHex(bytes) },
      ...(oneBit && {
        diagnosis:
          `bit ${bit & 7} of the byte at ${at + SIZE_BYTES - 1 - (bit >>> 3)} (in ${field}) is ` +
          'flipped',
      }),
    },
  );
}

/**
 * The checksum tells where the record ends, but not where its key does. At the end of the file too
 * this is no torn tail: what checks was written whole.
 */
export function eitherSizeHit(head: DamagedHead, length: number): BitcaskDamage {
  const { keySize, valueSize, offset } = head;
  const end = offset + length;
  return damage(
    head,
    'bad-length',
    length,
    `key_size ${keySize} and value_size ${valueSize} make a record of ${head.total} bytes, and the ` +
      `checksum holds over one of ${length}: which of them is hit cannot be told`,
    { evidence: `the checksum holds up to ${end}` },
  );
}

/** A stretch up to the next intact record. */
export function lostSpan(head: DamagedHead, found: number): BitcaskDamage {
  const length = found - head.offset;
  const fits = head.result === 'crc-mismatch' && head.total <= length && head.total > HEADER_BYTES;
  const what = fits ? `${mismatch(head)}, and nothing intact at its end` : impossible(head);
  const code = fits ? 'crc-mismatch' : 'bad-length';
  return damage(head, code, length, `${what}; ${length} bytes skipped`, {
    evidence: `the next record whose checksum holds is at ${found}`,
    records: recordsAtMost(length),
    repair: 'drop these bytes, keep them in quarantine',
  });
}

/** Nothing intact up to the end of the file. */
export function tornTail(head: DamagedHead, end: number, zerosOnly: boolean): BitcaskDamage {
  const length = end - head.offset;
  const { whole, result, total } = head;
  const zeros = zerosOnly && (!whole || head.stored === 0);
  const cut = whole && result === 'cut' && total > length && total <= head.recordBytesMax;
  const message = zeros
    ? `${length} zero bytes, as preallocation leaves them`
    : cut
      ? `the record has ${total} bytes by its sizes, ${length} are there`
      : whole
        ? `${result === 'crc-mismatch' ? mismatch(head) : impossible(head)}; no intact record in ` +
          `the ${length} bytes left`
        : `${length} bytes at the end, a record has at least ${HEADER_BYTES}`;
  return damage(head, 'torn-tail', length, message, {
    evidence: zeros ? 'nothing but zeros up to the end of the file' : 'the file ends here',
    tail: true,
    begun: zeros || cut || !whole,
    records: recordsAtMost(length),
    repair: 'cut the file here, keep the bytes in quarantine',
  });
}

function recordsAtMost(bytes: number): number {
  return Math.max(1, Math.floor(bytes / HEADER_BYTES));
}

function mismatch({ stored, computed }: DamagedHead): string {
  return `stored ${hex32(stored)}, computed ${hex32(computed)} over key and value`;
}

/** Why there can be no record here. */
function impossible(head: DamagedHead): string {
  const { keySize, valueSize, total, available, recordBytesMax, offset, stored } = head;
  if (!head.whole) return `${available} bytes, a record has at least ${HEADER_BYTES}`;
  if (total === HEADER_BYTES && stored === 0) return 'the header is zero';
  const sizes = `key_size ${keySize} and value_size ${valueSize} make a record of ${total} bytes`;
  if (total > recordBytesMax) return `${sizes}, the limit is ${recordBytesMax}`;
  const left = (head.fileEnd ?? offset + available) - offset;
  if (total > left) return `${sizes}, ${left} are left in the file`;
  return `${sizes}, which does not check`;
}
