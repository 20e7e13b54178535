/** What damage to a data file is called, and what is said of it. One finding per cause. */
import { toHex } from '../../../shared/hex.ts';
import type { Mend } from '../../damage.ts';
import { keyText } from '../../key-text.ts';
import type { BitcaskDamage } from '../model.ts';
import type { Chain } from './chain.ts';
import type { Explained } from './explain.ts';
import { HEADER_BYTES, KEY_AT, TIMESTAMP_AT, TIMESTAMP_BYTES } from './layout.ts';

/** What was found, and where reading goes on. */
export interface Decided {
  damage: BitcaskDamage;
  next: number;
}

/** What could be read of a record that is not whole. Taken before the window moves on. */
export interface Head {
  file: string;
  offset: number;
  /** False where the file ends inside the header. */
  whole: boolean;
  timestamp: number;
  /** The time is like those of the records before. */
  timely: boolean;
  keySize: number;
  valueSize: number;
  /** What it seems to be, where its key_size is to be believed. */
  lost: Lost | undefined;
}

interface Lost {
  key: Uint8Array;
  deleted: boolean;
  subject: string;
}

/** `sizes` are those that are believed, if any are: the ones in the file may be wrong. */
export function describe(
  chain: Chain,
  file: string,
  offset: number,
  timely: boolean,
  sizes: { keySize: number; valueSize: number } | undefined,
): Head {
  const whole = chain.hasHeader(offset);
  if (!whole) {
    const none = { timestamp: 0, timely: false, keySize: 0, valueSize: 0, lost: undefined };
    return { file, offset, whole, ...none };
  }
  const keySize = chain.keySize(offset);
  const valueSize = chain.valueSize(offset);
  return {
    file,
    offset,
    whole,
    timestamp: chain.timestamp(offset),
    timely,
    keySize,
    valueSize,
    lost: sizes && lostRecord(chain, offset, sizes),
  };
}

function lostRecord(
  { bytes, base, end, keyBytesMax }: Chain,
  offset: number,
  { keySize, valueSize }: { keySize: number; valueSize: number },
): Lost | undefined {
  if (keySize === 0 || keySize > keyBytesMax || offset + KEY_AT + keySize > end) return undefined;
  const start = offset - base + KEY_AT;
  const key = bytes.slice(start, start + keySize);
  const deleted = valueSize === 0;
  return { key, deleted, subject: `${deleted ? 'delete' : 'put'} ${keyText(key)}` };
}

/**
 * A record, or a stretch that begins with one, up to the place where records go on, or up to the
 * end of the file if that is where the last one ends.
 */
export function hole(
  chain: Chain,
  head: Head,
  next: number,
  evidence: string,
  explained?: Explained,
): Decided {
  const { file, offset, lost } = head;
  const length = next - offset;
  const damage: BitcaskDamage = {
    code: 'bad-length',
    severity: 'error',
    file,
    offset,
    length,
    message: `${why(chain, head)}; ${length} bytes skipped`,
    evidence,
    repair: 'drop these bytes, keep them in quarantine',
    records: explained ? 1 : Math.max(1, Math.floor(length / HEADER_BYTES)),
    tail: next === chain.fileEnd,
    lost: true,
    ...lost,
    ...(explained && explanation(explained)),
  };
  return { damage, next };
}

/** One bit of a size explains it: one record is lost, and could be mended. */
export function mended(chain: Chain, head: Head, explained: Explained): Decided {
  const { next } = explained;
  if (next === chain.fileEnd) return tornTail(chain, head, next, false, explained);
  const evidence = `with one bit turned back, a record begins at ${next}`;
  return hole(chain, head, next, evidence, explained);
}

/** A record that is yielded, and yet may have swallowed those behind it. */
export function swallowing(head: Head, end: number, explained: Explained): BitcaskDamage {
  const { file, offset, keySize, valueSize, lost } = head;
  const { mend: _mend, ...told } = explanation(explained);
  return {
    code: 'bad-length',
    severity: 'warning',
    file,
    offset,
    length: end - offset,
    message:
      `key_size ${keySize} and value_size ${valueSize} lead to ${end}, but from ` +
      `${explained.next} to there whole records can be read`,
    repair: 'nothing to drop: compare the value with what should be in it',
    records: 0,
    tail: false,
    lost: false,
    ...lost,
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
): Decided {
  const { file, offset, whole, timely, keySize, valueSize, lost } = head;
  const length = end - offset;
  const needed = HEADER_BYTES + keySize + valueSize;
  const cut = timely && keySize <= chain.keyBytesMax && needed <= chain.recordBytesMax;
  let message: string;
  if (zerosOnly) message = `${length} zero bytes, as preallocation leaves them`;
  else if (!whole) message = `${length} bytes at the end, a header has ${HEADER_BYTES}`;
  else if (cut && needed > length) {
    message = `the record has ${needed} bytes by its sizes, ${length} are there`;
  } else message = `${why(chain, head)}; no plausible record in the ${length} bytes left`;
  const damage: BitcaskDamage = {
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
    records: explained ? 1 : Math.max(1, Math.floor(length / HEADER_BYTES)),
    tail: true,
    begun: zerosOnly || cut || !whole,
    lost: true,
    ...lost,
    ...(explained && explanation(explained)),
  };
  return { damage, next: end };
}

/** A record is whole by its sizes, and has a time that no clock tells. */
export function badTimestamp(
  file: string,
  offset: number,
  timestamp: number,
  mended?: { bit: number; right: number },
): BitcaskDamage {
  const damage: BitcaskDamage = {
    code: 'bad-timestamp',
    severity: 'warning',
    file,
    offset,
    length: TIMESTAMP_BYTES,
    message: `timestamp is ${timestamp}, expected seconds since 1970 like those around it`,
    evidence: 'the sizes of the record lead to where the next one begins: key and value are read',
    repair: 'nothing to drop: key and value stay as they are',
    records: 0,
    tail: false,
    lost: false,
  };
  if (!mended) return damage;
  const { bit, right } = mended;
  const at = offset + TIMESTAMP_AT + (bit >>> 3);
  const bytes = new Uint8Array(TIMESTAMP_BYTES);
  new DataView(bytes.buffer).setFloat64(0, right, true);
  return {
    ...damage,
    repair: 'write the timestamp without the flipped bit',
    diagnosis: `bit ${bit & 7} of the byte at ${at} is flipped: without that, it is ${right}`,
    mend: { offset: offset + TIMESTAMP_AT, hex: toHex(bytes) },
  };
}

/** What there is to say against the record before the tail, which is kept as it is. */
function ofLastRecord({ field, fieldAt, found, right, only }: Explained): string {
  const how = only
    ? `if ${field} at ${fieldAt} were ${right}, which one flipped bit makes ${found}`
    : 'with one bit of its sizes turned back';
  return `and so would the record before it ${how}`;
}

/** Why no record can be read here. */
function why(chain: Chain, head: Head): string {
  const { offset, whole, timestamp, timely, keySize, valueSize } = head;
  if (!whole) return `less than the ${HEADER_BYTES} bytes of a header are there`;
  if (!timely && keySize === 0 && valueSize === 0 && timestamp === 0) return 'the header is zero';
  const total = HEADER_BYTES + keySize + valueSize;
  const sizes = `key_size ${keySize} and value_size ${valueSize}`;
  if (offset + total > chain.fileEnd) return `${sizes} lead past the end of the file`;
  if (keySize > chain.keyBytesMax) {
    return `key_size is ${keySize}, no key is believed beyond ${chain.keyBytesMax}`;
  }
  if (total > chain.recordBytesMax) {
    return `${sizes} make a record of ${total} bytes, the limit is ${chain.recordBytesMax}`;
  }
  if (!timely) return `timestamp ${timestamp} is like none before, and ${sizes} lead nowhere`;
  return `${sizes} lead to ${offset + total}, where no record begins`;
}

/** The one bit, where it is one bit only, and the field without it. */
function explanation(explained: Explained): { diagnosis?: string; mend?: Mend } {
  const { field, fieldAt, found, right, only, next } = explained;
  if (!only) return {};
  const bit = 31 - Math.clz32(found ^ right);
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, right, true);
  return {
    diagnosis:
      `bit ${bit & 7} of the byte at ${fieldAt + (bit >>> 3)} (in ${field}) is flipped: with ` +
      `${right} in place of ${found} the record ends at ${next}`,
    mend: { offset: fieldAt, hex: toHex(bytes) },
  };
}
