/** What the textbook log's damage is called, and what is said of it. One finding per cause. */
import { explainFlips } from '../../../shared/bit-flip.ts';
import { crc32 } from '../../../shared/crc32.ts';
import { hex32, toHex } from '../../../shared/hex.ts';
import type { Mend } from '../../damage.ts';
import type { WalDamage } from '../model.ts';
import { CRC_AT, KEY_AT, LENGTH_FIELD_BYTES, OP_AT, OPS, OVERHEAD_BYTES } from './layout.ts';
import type { RecordChecker } from './search.ts';

/** What could be read of a record that is not intact. */
export interface DamagedHead {
  file: string;
  offset: number;
  /** RecordChecker's verdict. */
  result: string;
  /** At least 25 bytes are there. */
  whole: boolean;
  length: number;
  keyLength: number;
  valueLength: number;
  /** 25 + key_length + value_length, as far as they could be read. */
  total: number;
  op: number;
  seq: number;
  stored: number;
  computed: number;
  /** Bytes from the record's start to the end of what was read. */
  available: number;
}

const DROP = 'drop record, keep its bytes in quarantine';

function damage(
  head: DamagedHead,
  code: string,
  length: number,
  message: string,
  more: Partial<WalDamage> = {},
): WalDamage {
  const { file, offset } = head;
  const base = { severity: 'error' as const, records: 1, tail: false, lost: true, repair: DROP };
  return { code, file, offset, length, message, ...base, ...more };
}

/** The frame of `total` bytes stands, what it holds does not. `atEnd`: the file ends with it. */
export function framedDamage(head: DamagedHead, total: number, atEnd: boolean): WalDamage {
  const evidence = atEnd
    ? 'the file ends with it'
    : `an intact record follows at ${head.offset + total}`;
  const framed = head.total === total;
  if (framed && head.result === 'bad-op') {
    const message = `op ${head.op} is none of ${OPS.slice(1)
      .map((op, i) => `${i + 1} ${op}`)
      .join(', ')}; the checksum holds`;
    return damage(head, 'bad-op', total, message, { evidence });
  }
  const { stored, computed } = head;
  if (framed && head.result === 'crc-mismatch') {
    const message =
      `stored ${hex32(stored)}, computed ${hex32(computed)} over op, key and value` +
      (head.op >= OPS.length || head.op === 0 ? `; op ${head.op} is unknown` : '');
    return damage(head, 'crc-mismatch', total, message, { evidence, tail: atEnd });
  }
  const message = `${lengthsMessage(head)}; the checksum cannot hold`;
  return damage(head, 'crc-mismatch', total, message, { evidence, tail: atEnd });
}

/** A stretch up to the next intact record. */
export function lostSpan(head: DamagedHead, found: number, recordBytesMax: number): WalDamage {
  const length = found - head.offset;
  const mismatch = head.result === 'crc-mismatch' && head.total <= length;
  const message = mismatch
    ? `stored ${hex32(head.stored)}, computed ${hex32(head.computed)} over op, key and value, and ` +
      `nothing intact at the end of the record; ${length} bytes skipped`
    : `${impossible(head, recordBytesMax)}; ${length} bytes skipped`;
  return damage(head, mismatch ? 'crc-mismatch' : 'bad-length', length, message, {
    evidence: `the next record whose checksum holds is at ${found}`,
    records: Math.max(1, Math.floor(length / OVERHEAD_BYTES)),
    repair: 'drop these bytes, keep them in quarantine',
  });
}

/** Nothing intact up to the end of the file. */
export function cutRecord(
  head: DamagedHead,
  end: number,
  zerosOnly: boolean,
  recordBytesMax: number,
): WalDamage {
  const length = end - head.offset;
  const zeros = zerosOnly && head.whole && head.length === 0;
  const needed = LENGTH_FIELD_BYTES + head.length;
  const cut = head.whole && head.result === 'cut' && needed > length && needed <= recordBytesMax;
  const reason = head.whole
    ? `${impossible(head, recordBytesMax)}; no intact record in the ${length} bytes left`
    : `${length} bytes at the end, a record has at least ${OVERHEAD_BYTES}`;
  const message = zeros
    ? `${length} zero bytes, as preallocation leaves them`
    : cut
      ? `the record has ${needed} bytes by its length field, ${length} are there`
      : reason;
  return damage(head, 'torn-tail', length, message, {
    evidence: zeros ? 'nothing but zeros up to the end of the file' : 'the file ends here',
    tail: true,
    begun: zeros || cut || !head.whole,
    records: Math.max(1, Math.floor(length / OVERHEAD_BYTES)),
    repair: 'cut the file here, keep the bytes in quarantine',
  });
}

/** The length field alone is hit: the inner lengths and the checksum give the whole record. */
export function lengthFieldHit(file: string, offset: number, checker: RecordChecker): WalDamage {
  const { length, total, keyLength, valueLength } = checker;
  const right = total - LENGTH_FIELD_BYTES;
  const flipped = oneBit(length, right);
  return {
    code: 'bad-length',
    severity: 'error',
    file,
    offset,
    length: total,
    message:
      `length is ${length}, expected 21 + key ${keyLength} + value ${valueLength} = ${right}; the ` +
      'checksum holds by the inner lengths: nothing is lost',
    repair: 'write the right length',
    mend: { offset, hex: le32(right) },
    records: 0,
    tail: false,
    lost: false,
    ...(flipped >= 0 && {
      diagnosis: `bit ${flipped & 7} of the byte at ${offset + (flipped >>> 3)} is flipped`,
    }),
  };
}

function le32(value: number): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return toHex(bytes);
}

/** Index of the only differing bit of two u32; -1 if there is not exactly one. */
function oneBit(a: number, b: number): number {
  const difference = (a ^ b) | 0;
  return difference !== 0 && (difference & (difference - 1)) === 0
    ? 31 - Math.clz32(difference)
    : -1;
}

function lengthsMessage(head: DamagedHead): string {
  const { length, keyLength, valueLength } = head;
  return (
    `length ${length}, key_length ${keyLength} and value_length ${valueLength} contradict each other: ` +
    `expected length = 21 + key + value`
  );
}

/** Why there can be no record here. */
function impossible(head: DamagedHead, recordBytesMax: number): string {
  const { length, keyLength, valueLength, available } = head;
  if (!head.whole) return `${available} bytes, a record has at least ${OVERHEAD_BYTES}`;
  if (keyLength < 0) return `key_length is ${keyLength}`;
  if (valueLength < 0) return `value_length is ${valueLength}`;
  if (head.total > recordBytesMax) {
    return (
      `key_length ${keyLength} and value_length ${valueLength} make a record of ${head.total} bytes, ` +
      `the limit is ${recordBytesMax}`
    );
  }
  if (length + LENGTH_FIELD_BYTES !== head.total && head.result !== 'cut')
    return lengthsMessage(head);
  return `length ${length} and key_length ${keyLength} lead past the end of the file`;
}

/**
 * Protected are op, key and value: which bits explain the mismatch, where in the file are they, and
 * with what bytes would the checksum hold? `byteAt` reads the file.
 */
export function explainMismatch(
  head: DamagedHead,
  byteAt: (offset: number) => number,
): { diagnosis: string; mend?: Mend } | undefined {
  const { stored, computed, keyLength, valueLength, offset } = head;
  const flips = explainFlips(crc32, stored, computed, 1 + keyLength + valueLength);
  if (!flips) return undefined;
  const place = (byteFromEnd: number): number => {
    if (byteFromEnd < valueLength) return offset + head.total - 1 - byteFromEnd;
    const inKey = byteFromEnd - valueLength;
    return inKey < keyLength ? offset + KEY_AT + keyLength - 1 - inKey : offset + OP_AT;
  };
  const flip = (at: number, bit: number): Mend => ({
    offset: at,
    hex: (byteAt(at) ^ (1 << bit)).toString(16).padStart(2, '0'),
  });
  if (flips.kind === 'stored') {
    const at = offset + CRC_AT + (flips.bit >>> 3);
    const bit = flips.bit & 7;
    const diagnosis = `bit ${bit} of the byte at ${at} (the stored checksum) is flipped`;
    return { diagnosis, mend: flip(at, bit) };
  }
  if (flips.kind === 'one') {
    const at = place(flips.at.byteFromEnd);
    const diagnosis = `bit ${flips.at.bit} of the byte at ${at} is flipped`;
    return { diagnosis, mend: flip(at, flips.at.bit) };
  }
  const [a, b] = flips.at;
  const diagnosis =
    `two bits are flipped: bit ${b.bit} of the byte at ${place(b.byteFromEnd)} and ` +
    `bit ${a.bit} of the byte at ${place(a.byteFromEnd)}`;
  return { diagnosis };
}
