/** What damage of the physical layer is called, and what is said of it. One finding per cause. */
import { hex32, toHex } from '../../../shared/hex.ts';
import type { WalDamage } from '../model.ts';
import {
  HEADER_BYTES,
  LENGTH_AT,
  RECYCLABLE_HEADER_BYTES,
  TYPE_NAMES,
  ZERO_TYPE,
} from './constants.ts';
import { operationsThatFit } from './diagnose.ts';
import type { FragmentHead, Gap } from './gap.ts';

export const DROP_BYTES = 'drop these bytes, keep them in quarantine';
const CUT_FILE = 'cut the file here, keep the bytes in quarantine';

/** A finding over [offset, end) with what most have in common. */
export function finding(
  file: string,
  code: string,
  offset: number,
  end: number,
  message: string,
  more: Partial<WalDamage> = {},
): WalDamage {
  const length = end - offset;
  const records = operationsThatFit(length);
  const base = { severity: 'error' as const, records, tail: false, lost: true, repair: DROP_BYTES };
  return { code, file, offset, length, message, ...base, ...more };
}

/** A gap with an intact fragment of this log behind it, at `next`. */
export function hole(file: string, gap: Gap, next: number): WalDamage {
  const evidence = `an intact fragment follows at ${next}`;
  const { offset, end, kind, diagnosis, mend, subject } = gap;
  const size = end - offset;
  if (kind === 'stale') {
    const message =
      `${size} bytes of ${otherLog(gap)} between fragments of this one: ` +
      'what was written over them is not there';
    return finding(file, 'stale-data', offset, end, message, { evidence });
  }
  if (kind === 'zeros') {
    const message = `${size} zero bytes up to the end of the block, where fragments should be`;
    return finding(file, 'zero-fill', offset, end, message, { evidence });
  }
  const cause = causeOf(gap);
  const skipped = gap.framed ? '' : `; ${size} bytes skipped`;
  return finding(file, cause.code, offset, end, cause.message + skipped, {
    evidence,
    ...(gap.framed && { records: gap.records }),
    ...(diagnosis !== undefined && { diagnosis }),
    ...(mend && { mend }),
    ...(subject !== undefined && { subject }),
  });
}

/** One damaged fragment with an intact frame, the last of the file. */
export function lastFragment(file: string, gap: Gap): WalDamage {
  const evidence = 'the file ends with it';
  return { ...hole(file, gap, gap.end), evidence, tail: true, repair: CUT_FILE };
}

/**
 * Nothing intact from `offset` to `end`: what a crash leaves. `begun`: bytes in front of the first
 * gap that begin a record whose rest is missing.
 */
export function tornTail(
  file: string,
  offset: number,
  end: number,
  gaps: readonly Gap[],
  begun: number,
  evidence = 'the file ends here',
): WalDamage {
  const size = end - offset;
  const zeros = gaps.length > 0 && gaps.every((gap) => gap.kind === 'zeros');
  const parts: string[] = [];
  if (begun > 0) parts.push(`a record begins in ${begun} bytes of fragments and has no end`);
  const first = gaps[0];
  if (zeros) parts.push(`${end - first!.offset} zero bytes, as preallocation leaves them`);
  else if (first) {
    parts.push(
      `${causeOf(first).message}; no intact fragment in the ${end - first.offset} bytes left`,
    );
  }
  const onlyZeros = zeros && begun === 0;
  return finding(file, 'torn-tail', offset, end, parts.join('; '), {
    evidence: onlyZeros ? 'nothing but zeros up to the end of the file' : evidence,
    tail: true,
    records: operationsThatFit(size),
    repair: CUT_FILE,
    ...(first?.diagnosis !== undefined && { diagnosis: first.diagnosis }),
  });
}

/** Why there is no intact fragment at a gap's start. */
function causeOf(gap: Gap): { code: string; message: string } {
  const { head, kind } = gap;
  if (kind === 'zeros') return { code: 'zero-fill', message: 'zeros where a header should be' };
  if (kind === 'stale') return { code: 'stale-data', message: `fragments of ${otherLog(gap)}` };
  if (!head) {
    const message = `${gap.end - gap.offset} bytes, a header has at least ${HEADER_BYTES}`;
    return { code: 'bad-length', message };
  }
  if (head.type === ZERO_TYPE && head.length === 0) {
    return { code: 'zero-fill', message: 'zeros where a header should be, and data behind them' };
  }
  const claimed = (head.headerBytes || HEADER_BYTES) + head.length;
  if (head.computed === undefined) return { code: 'bad-length', message: tooLong(head, claimed) };
  const numbered = head.headerBytes === RECYCLABLE_HEADER_BYTES;
  const message =
    `stored ${hex32(head.stored)}, computed ${hex32(head.computed)} over ` +
    `type, ${numbered ? 'log number, ' : ''}data of a fragment of ${claimed} bytes, ` +
    (head.headerBytes === 0
      ? `whose type ${head.type} is unknown`
      : `type ${TYPE_NAMES[head.type]}`);
  return { code: 'crc-mismatch', message };
}

function tooLong(head: FragmentHead, claimed: number): string {
  const { length, blockBytes, available } = head;
  if (claimed > blockBytes) {
    const made = `length ${length} makes a fragment of ${claimed} bytes`;
    return `${made}, its block has ${blockBytes} left`;
  }
  return `the fragment has ${claimed} bytes by its length field, ${available} are there`;
}

function otherLog(gap: Gap): string {
  return gap.logNumber === undefined ? 'another log' : `log ${gap.logNumber}`;
}

/**
 * The length field of the fragment at `offset` alone is hit: the checksum proves where that ends.
 * The finding's place is that of the record, which only the caller knows.
 */
export function wrongLength(
  file: string,
  offset: number,
  stored: number,
  right: number,
): WalDamage {
  const difference = stored ^ right;
  const bit = 31 - Math.clz32(difference);
  const single = difference !== 0 && (difference & (difference - 1)) === 0;
  const at = offset + LENGTH_AT;
  const message =
    `length of the fragment at ${offset} is ${stored}, its checksum holds over ${right} bytes: ` +
    'nothing is lost';
  return finding(file, 'bad-length', offset, offset, message, {
    records: 0,
    lost: false,
    repair: 'write the right length',
    mend: { offset: at, hex: toHex(new Uint8Array([right & 0xff, right >>> 8])) },
    ...(single && { diagnosis: `bit ${bit & 7} of the byte at ${at + (bit >>> 3)} is flipped` }),
  });
}

/** Bytes of a block's trailer are not zero. Nothing is lost. */
export function dirtyTrailer(file: string, offset: number, length: number): WalDamage {
  const message = `the last ${length} bytes of the block hold no header and must be zero`;
  return finding(file, 'zero-fill', offset, offset + length, message, {
    severity: 'warning',
    records: 0,
    lost: false,
    repair: 'write zeros',
    mend: { offset, hex: '00'.repeat(length) },
  });
}
