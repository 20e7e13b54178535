/** What damage to the LSM tree's log is called, and what is said of it. */
import { bytesValue } from '../../bytes/value.ts';
import type { Mend } from '../../damage.ts';
import type { WalDamage } from '../model.ts';
import type { Chain } from './chain.ts';
import type { Explained } from './explain.ts';
import { KEY_AT, LENGTH_BYTES, OVERHEAD_BYTES } from './layout.ts';

/** How much of a lost record's key is told. */
const SUBJECT_BYTES_MAX = 64;

/** What was found, and where reading goes on. */
export interface Decided {
  damage: WalDamage;
  next: number;
}

/** What could be read of a record that is not whole. Taken before the window moves on. */
export interface Head {
  file: string;
  offset: number;
  /** -1: not all of its bytes are there. */
  keyLength: number;
  /** -1: not there, or its place is not known. */
  valueLength: number;
  subject?: string;
}

export function describe(chain: Chain, file: string, offset: number): Head {
  const { view, bytes, base, end } = chain;
  const head: Head = { file, offset, keyLength: -1, valueLength: -1 };
  if (offset + LENGTH_BYTES > end) return head;
  head.keyLength = view.getUint32(offset - base);
  const keyEnd = offset + KEY_AT + head.keyLength;
  if (head.keyLength > chain.keyBytesMax || keyEnd > end) return head;
  if (keyEnd + LENGTH_BYTES <= end) head.valueLength = view.getUint32(keyEnd - base);
  if (head.keyLength > 0) head.subject = subjectOf(bytes, offset + KEY_AT - base, keyEnd - base);
  return head;
}

function subjectOf(bytes: Uint8Array, start: number, end: number): string {
  const shown = Math.min(end, start + SUBJECT_BYTES_MAX);
  const key = JSON.stringify(bytesValue(bytes, start, shown));
  return `put or delete of ${key}${shown < end ? ` and ${end - shown} bytes more` : ''}`;
}

/**
 * A record, or a stretch that begins with one, up to the place where a chain of records goes on.
 */
export function hole(
  chain: Chain,
  head: Head,
  next: number,
  evidence: string,
  explained?: Explained,
): WalDamage {
  const { file, offset, subject } = head;
  const length = next - offset;
  const atEnd = next === chain.fileEnd;
  return {
    code: 'bad-length',
    severity: 'error',
    file,
    offset,
    length,
    message: `${why(chain, head)}; ${length} bytes skipped`,
    evidence,
    repair: 'drop these bytes, keep them in quarantine',
    records: explained ? 1 : Math.max(1, Math.floor(length / OVERHEAD_BYTES)),
    tail: atEnd,
    lost: true,
    ...(subject && { subject }),
    ...(explained && explanation(explained)),
  };
}

/** One bit of a length explains it: one record is lost, and could be mended. */
export function mended(chain: Chain, file: string, explained: Explained): Decided {
  const { start, next } = explained;
  const head = describe(chain, file, start);
  if (explained.field === 'key_length') {
    const keyStart = start + KEY_AT - chain.base;
    head.subject = subjectOf(chain.bytes, keyStart, keyStart + explained.keyLength);
  }
  const evidence = `with one bit turned back, a chain of records goes on at ${next}`;
  return { damage: hole(chain, head, next, evidence, explained), next };
}

/** All up to the next chain of records is lost. */
export function skipped(chain: Chain, head: Head, next: number): Decided {
  return { damage: hole(chain, head, next, `a chain of records begins at ${next}`), next };
}

/** A record that is yielded, and yet may have swallowed those behind it. */
export function swallowing(head: Head, end: number, explained: Explained): WalDamage {
  const { file, offset, keyLength, valueLength } = head;
  const { mend: _mend, ...told } = explanation(explained);
  return {
    code: 'bad-length',
    severity: 'warning',
    file,
    offset,
    length: end - offset,
    message:
      `key_length ${keyLength} and value_length ${valueLength} lead to a record, but from ` +
      `${explained.next} to there whole records can be read, like those before`,
    repair: 'nothing to drop: compare the value with what should be in it',
    records: 0,
    tail: false,
    lost: false,
    ...told,
  };
}

/** Nothing plausible up to the end of the file. */
export function tornTail(
  chain: Chain,
  head: Head,
  end: number,
  zerosOnly: boolean,
  explained?: Explained,
  lastRecord?: Explained,
): WalDamage {
  const { file, offset, keyLength, valueLength, subject } = head;
  const length = end - offset;
  let message: string;
  if (zerosOnly) message = `${length} zero bytes, as preallocation leaves them`;
  else if (length < OVERHEAD_BYTES) {
    message = `${length} bytes at the end, a record has at least ${OVERHEAD_BYTES}`;
  } else if (keyLength > 0 && keyLength <= chain.keyBytesMax && valueLength < 0) {
    const there = length - KEY_AT;
    message =
      there < keyLength
        ? `the record has a key of ${keyLength} bytes, ${there} are there`
        : `the record ends in its value_length, of which ${there - keyLength} bytes are there`;
  } else if (fits(chain, head)) {
    const needed = OVERHEAD_BYTES + keyLength + valueLength;
    message = `the record has ${needed} bytes by its lengths, ${length} are there`;
  } else message = `${why(chain, head)}; no plausible record in the ${length} bytes left`;
  return {
    code: 'torn-tail',
    severity: 'error',
    file,
    offset,
    length,
    message,
    evidence: zerosOnly
      ? 'nothing but zeros up to the end of the file'
      : `the file ends here${lastRecord ? `, ${ofLastRecord(lastRecord)}` : ''}`,
    repair: 'cut the file here, keep the bytes in quarantine',
    records: Math.max(1, Math.floor(length / OVERHEAD_BYTES)),
    tail: true,
    lost: true,
    ...(subject && { subject }),
    ...(explained && explanation(explained)),
  };
}

/** What there is to say against the record before the tail, which is kept as it is. */
function ofLastRecord({ field, fieldAt, found, right }: Explained): string {
  return (
    `and so would the record before it if ${field} at ${fieldAt} were ${right}, which one ` +
    `flipped bit makes ${found}`
  );
}

/** Both lengths are plausible. */
function fits(chain: Chain, { keyLength, valueLength }: Head): boolean {
  return (
    keyLength > 0 &&
    keyLength <= chain.keyBytesMax &&
    valueLength >= 0 &&
    OVERHEAD_BYTES + keyLength + valueLength <= chain.recordBytesMax
  );
}

/** Why no record can be read here. */
function why(chain: Chain, head: Head): string {
  const { offset, keyLength, valueLength } = head;
  if (keyLength < 0) return 'less than a length is there';
  if (keyLength === 0) return 'key_length is 0, and no chain of records goes on behind it';
  if (keyLength > chain.keyBytesMax) {
    return offset + KEY_AT + keyLength > chain.fileEnd
      ? `key_length ${keyLength} leads past the end of the file`
      : `key_length is ${keyLength}, no key is believed beyond ${chain.keyBytesMax}`;
  }
  const total = OVERHEAD_BYTES + keyLength + Math.max(0, valueLength);
  if (total > chain.recordBytesMax) {
    return (
      `key_length ${keyLength} and value_length ${valueLength} make a record of ${total} bytes, ` +
      `the limit is ${chain.recordBytesMax}`
    );
  }
  const lengths =
    valueLength < 0
      ? `key_length ${keyLength}`
      : `key_length ${keyLength} and value_length ${valueLength}`;
  return offset + total > chain.fileEnd || valueLength < 0
    ? `${lengths} lead past the end of the file`
    : `${lengths} lead to ${offset + total}, where no chain of records goes on`;
}

/** The one bit, where it is one bit only, and the field without it. */
function explanation(explained: Explained): { diagnosis?: string; mend?: Mend } {
  const { field, fieldAt, found, right, only } = explained;
  if (!only) return {};
  const bit = 31 - Math.clz32(found ^ right);
  const at = fieldAt + LENGTH_BYTES - 1 - (bit >>> 3);
  return {
    diagnosis:
      `bit ${bit & 7} of the byte at ${at} (in ${field}) is flipped: with ${right} in place ` +
      `of ${found} the record ends at ${explained.next}`,
    mend: { offset: fieldAt, hex: right.toString(16).padStart(8, '0') },
  };
}
