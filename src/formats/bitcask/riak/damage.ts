/** What damage of a data file is called, and what is said of it. One finding per cause. */
import { hex32 } from '../../../shared/hex.ts';
import type { BitcaskDamage } from '../model.ts';
import type { RecordCheckResult } from '../record-check.ts';
import { HEADER_BYTES } from './layout.ts';

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

/** How it is known where the damaged record ends. */
export type Frame = 'record-follows' | 'file-ends' | 'hint' | 'checksum';

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

/** The record ends after `length` bytes, which its own sizes need not say; it does not check. */
export function framedDamage(head: DamagedHead, length: number, frame: Frame): BitcaskDamage {
  const end = head.offset + length;
  const evidence = {
    'record-follows': `an intact record follows at ${end}`,
    'file-ends': 'the file ends with it',
    hint: `the hint has the next record at ${end}, where an intact one stands`,
    checksum: `with one bit turned back the checksum holds up to ${end}`,
  }[frame];
  const tail = frame === 'file-ends' || end === head.fileEnd;
  return head.result === 'crc-mismatch'
    ? damage(head, 'crc-mismatch', length, mismatch(head), { evidence, tail })
    : damage(head, 'bad-length', length, impossible(head), { evidence, tail });
}

/** A stretch up to the next intact record. */
export function lostSpan(head: DamagedHead, found: number): BitcaskDamage {
  const length = found - head.offset;
  const fits = head.result === 'crc-mismatch' && head.total <= length;
  const what = fits
    ? `${mismatch(head)}, and nothing intact at the end of the record`
    : head.result === 'crc-mismatch'
      ? `${mismatch(head)}; by its sizes the record would reach to ${head.offset + head.total}`
      : impossible(head);
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
  const zeros = zerosOnly && whole && head.stored === 0;
  // Lengths that the file cannot hold and the limit allows: what an unfinished write looks like.
  const cut = whole && result === 'cut' && total > length && total <= head.recordBytesMax;
  const message = zeros
    ? `${length} zero bytes, as a file system leaves them that lost its power`
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

function mismatch({ stored, computed, total }: DamagedHead): string {
  return `stored ${hex32(stored)}, computed ${hex32(computed)} over the ${total - 4} bytes behind it`;
}

/** Why there can be no record here. */
function impossible(head: DamagedHead): string {
  const { keySize, valueSize, total, available, recordBytesMax } = head;
  if (!head.whole) return `${available} bytes, a record has at least ${HEADER_BYTES}`;
  const sizes = `key_size ${keySize} and value_size ${valueSize} make a record of ${total} bytes`;
  if (total > recordBytesMax) return `${sizes}, the limit is ${recordBytesMax}`;
  const left = (head.fileEnd ?? head.offset + available) - head.offset;
  return `${sizes}, ${left} are left in the file`;
}
