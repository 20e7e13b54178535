/** What damage to the redo log is called, and what is said of it. One finding per cause. */
import { explainFlips } from '../../../shared/bit-flip.ts';
import { crc32 } from '../../../shared/crc32.ts';
import { hex32 } from '../../../shared/hex.ts';
import type { Mend } from '../../damage.ts';
import type { WalDamage } from '../model.ts';
import {
  DATA_LENGTH_AT,
  IMAGE_AT,
  isPageSize,
  OVERHEAD_BYTES,
  PAGE_AT,
  PAGE_BYTES_MAX,
  PAGE_BYTES_MIN,
} from './layout.ts';
import type { Doubt, Guess } from './page-check.ts';
import type { Check, EntryChecker } from './search.ts';

/** An entry that could be read. */
export interface Entry {
  file: string;
  offset: number;
  page: number;
  dataLength: number;
}

/** What could be read of an entry that is not intact. */
export interface Head extends Entry {
  result: Check;
  /** Its header is all there. */
  whole: boolean;
  seq: number;
  stored: number;
  computed: number;
  /** Bytes from the entry's start to the end of what was read. */
  available: number;
}

/** Of the entry at `offset`, which the checker has just looked at. */
export function describe(checker: EntryChecker, file: string, offset: number, result: Check): Head {
  const { stored, computed } = checker;
  const available = checker.window.end - offset;
  const whole = available >= OVERHEAD_BYTES;
  return {
    file,
    offset,
    result: whole ? result : 'cut',
    whole,
    seq: whole ? checker.seq : 0,
    page: whole ? checker.page : 0,
    dataLength: whole ? checker.dataLength : 0,
    stored,
    computed,
    available,
  };
}

const ENTRY_BYTES_MIN = OVERHEAD_BYTES + PAGE_BYTES_MIN;
const DROP = 'drop entry, keep its bytes in quarantine';

function damage(
  { file, offset, page, whole = true }: Entry & { whole?: boolean },
  code: string,
  length: number,
  message: string,
  more: Partial<WalDamage> = {},
): WalDamage {
  const base = { severity: 'error' as const, records: 1, tail: false, lost: true, repair: DROP };
  const subject = whole ? { subject: `an image of page ${page}` } : {};
  return { code, file, offset, length, message, ...base, ...subject, ...more };
}

/**
 * The checksum does not hold; the frame is borne out by what follows it. `atEnd`: the file ends
 * with it.
 */
export function mismatch(head: Head, atEnd: boolean): WalDamage {
  const total = OVERHEAD_BYTES + head.dataLength;
  const message = sums(head);
  const evidence = atEnd ? 'the file ends with it' : `an entry follows at ${head.offset + total}`;
  return damage(head, 'crc-mismatch', total, message, { evidence, tail: atEnd });
}

/**
 * A stretch up to the next intact entry. `pageSize` is that of the entries before, or the smallest.
 */
export function lostSpan(head: Head, found: number, pageSize: number): WalDamage {
  const length = found - head.offset;
  const framed =
    head.result === 'crc-mismatch' &&
    isPageSize(head.dataLength) &&
    OVERHEAD_BYTES + head.dataLength <= length;
  const message = `${impossible(head)}; ${length} bytes skipped`;
  return damage(head, framed ? 'crc-mismatch' : 'bad-length', length, message, {
    evidence: `the next entry whose checksum holds is at ${found}`,
    records: Math.max(1, Math.floor(length / (OVERHEAD_BYTES + pageSize))),
    repair: 'drop these bytes, keep them in quarantine',
  });
}

/** Nothing intact up to the end of the file. */
export function cutEntry(head: Head, end: number, zerosOnly: boolean, pageSize: number): WalDamage {
  const length = end - head.offset;
  const zeros = zerosOnly && head.dataLength === 0;
  const needed = OVERHEAD_BYTES + head.dataLength;
  let message: string;
  if (zeros) message = `${length} zero bytes, as preallocation leaves them`;
  else if (!head.whole) {
    message = `${length} bytes at the end, an entry has at least ${ENTRY_BYTES_MIN}`;
  } else if (head.result === 'cut' && isPageSize(head.dataLength)) {
    message = `the entry has ${needed} bytes by its data_length, ${length} are there`;
  } else message = `${impossible(head)}; no intact entry in the ${length} bytes left`;
  return damage(head, 'torn-tail', length, message, {
    evidence: zeros ? 'nothing but zeros up to the end of the file' : 'the file ends here',
    tail: true,
    records: Math.max(1, Math.floor(length / (OVERHEAD_BYTES + pageSize))),
    repair: 'cut the file here, keep the bytes in quarantine',
  });
}

/**
 * data_length alone is hit: with the right one the checksum holds, and the image is read in full.
 */
export function lengthHit(head: Head, right: number): WalDamage {
  const at = head.offset + DATA_LENGTH_AT;
  const bit = oneBit(head.dataLength, right);
  const message =
    `data_length is ${head.dataLength}; with ${right} the checksum of the image holds: ` +
    'nothing is lost';
  return damage(head, 'bad-length', OVERHEAD_BYTES + right, message, {
    repair: 'write the right data_length',
    mend: { offset: at, hex: hex32(right) },
    records: 0,
    lost: false,
    ...(bit >= 0 && { diagnosis: `${bitAt(at, bit)} (in data_length) is flipped` }),
  });
}

/** The checksum holds, but no tree has pages of this size, or not this one. */
export function oddLength(entry: Entry, pageSize: number): WalDamage {
  const { dataLength } = entry;
  const message = isPageSize(dataLength)
    ? `data_length is ${dataLength}, the entries before have ${pageSize}: a tree has one page size`
    : `data_length is ${dataLength}, a page has a power of two from ${PAGE_BYTES_MIN} to ` +
      `${PAGE_BYTES_MAX}; the checksum holds all the same`;
  return damage(entry, 'bad-length', OVERHEAD_BYTES + dataLength, message, {
    severity: 'warning',
    repair: 'nothing to drop: the entry is kept as it is',
    records: 0,
    lost: false,
  });
}

/** The page number of an intact entry is wrong: it is yielded, and must not be applied. */
export function badPage(entry: Entry, doubt: Doubt, guess: Guess | undefined): WalDamage {
  const { page, dataLength, offset } = entry;
  const at = offset + PAGE_AT;
  const evidence = guess
    ? `${guess.why}, and ${guess.page} differs by one bit`
    : 'the page number lies outside the checksum, which holds';
  return damage(
    entry,
    'bad-page',
    OVERHEAD_BYTES + dataLength,
    `the image is not one of page ${page}: ${doubt.reason}`,
    {
      evidence,
      ...(guess && {
        diagnosis:
          `${bitAt(at, guess.bit)} (in page) is flipped: ` +
          `the image belongs to page ${guess.page}`,
      }),
      repair: 'drop entry, keep its bytes in quarantine: applied, it would overwrite another page',
      records: 0,
      lost: false,
      distrust: true,
    },
  );
}

/** Bit `bit` of the big-endian u32 at `at`. */
function bitAt(at: number, bit: number): string {
  return `bit ${bit & 7} of the byte at ${at + 3 - (bit >>> 3)}`;
}

/** Index of the only differing bit of two u32; -1 if there is not exactly one. */
function oneBit(a: number, b: number): number {
  const difference = (a ^ b) | 0;
  return difference !== 0 && (difference & (difference - 1)) === 0
    ? 31 - Math.clz32(difference)
    : -1;
}

/** Why there can be no entry here. */
function impossible(head: Head): string {
  const { dataLength, available, whole, result } = head;
  if (!whole) return `${available} bytes, an entry has at least ${ENTRY_BYTES_MIN}`;
  if (result === 'cut') return `data_length ${dataLength} leads past the end of the file`;
  if (isPageSize(dataLength)) return `${sums(head)}, and no entry at its end`;
  return (
    `data_length is ${dataLength}, expected a power of two from ${PAGE_BYTES_MIN} to ` +
    `${PAGE_BYTES_MAX}, and with none of them does the checksum hold`
  );
}

function sums({ stored, computed, page }: Head): string {
  return `stored ${hex32(stored)}, computed ${hex32(computed)} over the image of page ${page}`;
}

/** Which bits explain the mismatch, where are they, and with what byte would the checksum hold? */
export function explainMismatch(
  head: Head,
  byteAt: (offset: number) => number,
): { diagnosis: string; mend?: Mend } | undefined {
  const { stored, computed, offset, dataLength } = head;
  const flips = explainFlips(crc32, stored, computed, dataLength);
  if (!flips) return undefined;
  const imageEnd = offset + IMAGE_AT + dataLength;
  const flip = (at: number, bit: number): Mend => ({
    offset: at,
    hex: (byteAt(at) ^ (1 << bit)).toString(16).padStart(2, '0'),
  });
  if (flips.kind === 'stored') {
    const at = imageEnd + 3 - (flips.bit >>> 3);
    return {
      diagnosis: `${bitAt(imageEnd, flips.bit)} (the stored checksum) is flipped`,
      mend: flip(at, flips.bit & 7),
    };
  }
  const place = (byteFromEnd: number) => imageEnd - 1 - byteFromEnd;
  if (flips.kind === 'one') {
    const at = place(flips.at.byteFromEnd);
    const inPage = `byte ${at - offset - IMAGE_AT} of the page`;
    return {
      diagnosis: `bit ${flips.at.bit} of the byte at ${at} (${inPage}) is flipped`,
      mend: flip(at, flips.at.bit),
    };
  }
  const [a, b] = flips.at;
  return {
    diagnosis:
      `two bits are flipped: bit ${b.bit} of the byte at ${place(b.byteFromEnd)} and ` +
      `bit ${a.bit} of the byte at ${place(a.byteFromEnd)}`,
  };
}
