/**
 * A fragment that does not check, on the evidence of its block: what follows it was written behind
 * it, so it bears out its frame and tells which checksum is right.
 */
import { crc32c } from '../../../shared/crc32.ts';
import { hex32, toHex } from '../../../shared/hex.ts';
import { FRAGMENT_BYTES_MIN, FRAGMENT_HEADER_BYTES, FULL, MARK } from './layout.ts';

/** Where reading goes on (`next`, -1: not in this block) and with what chain (-1: not known). */
interface Found {
  next: number;
  chain: number;
  message: string;
}

/** A field of the header alone is hit: what belongs at `at`, so that all else holds. */
interface HeaderHit extends Found {
  kind: 'header-hit';
  type: number;
  at: number;
  /** Bytes in hex. */
  right: string;
  diagnosis(offset: number): string;
}

export type Examined =
  | { kind: 'zeros' }
  /** Its frame stands: only this fragment is lost. */
  | ({ kind: 'framed'; computed: number } & Found)
  | HeaderHit
  /** Nothing is known of it; the next fragments that continue each other are at `next`. */
  | ({ kind: 'lost' } & Found);

/** Index where a fragment at `p` would end; -1 if none can stand there. */
function frameEnd(bytes: Uint8Array, view: DataView, p: number, end: number): number {
  if (p + FRAGMENT_BYTES_MIN > end) return -1;
  const length = view.getUint16(p + 4, true);
  const type = bytes[p + 6]!;
  const next = p + FRAGMENT_HEADER_BYTES + length;
  return length > 0 && type >= FULL && type <= MARK && next <= end ? next : -1;
}

/** What the crc of the fragment in [p, next) must be, behind `chain`. */
function crcBehind(
  bytes: Uint8Array,
  view: DataView,
  p: number,
  next: number,
  chain: number,
): number {
  return ~crc32c.update(~chain, bytes, view, p + 4, next) >>> 0;
}

export function fragmentHolds(
  bytes: Uint8Array,
  view: DataView,
  p: number,
  end: number,
  chain: number,
): boolean {
  const next = frameEnd(bytes, view, p, end);
  return next >= 0 && crcBehind(bytes, view, p, next, chain) === view.getUint32(p, true);
}

/** Examines the fragment at `p` of a block that ends at `end`, written behind `chain`. */
export function examineFragment(
  bytes: Uint8Array,
  view: DataView,
  p: number,
  end: number,
  chain: number,
): Examined {
  if (nonZero(bytes, p, end) < 0) return { kind: 'zeros' };
  const next = frameEnd(bytes, view, p, end);
  let message = describeFrame(bytes, view, p, end);
  if (next >= 0) {
    const stored = view.getUint32(p, true);
    const computed = crcBehind(bytes, view, p, next, chain);
    const words = `stored ${hex32(stored)}, computed ${hex32(computed)}`;
    message = `${words} over the fragment and all before it`;
    if (fragmentHolds(bytes, view, next, end, stored)) {
      return { kind: 'framed', next, chain: stored, computed, message };
    }
    if (fragmentHolds(bytes, view, next, end, computed)) {
      return storedHit(p, next, bytes[p + 6]!, computed, message);
    }
  }
  const hit = flippedHeader(bytes, view, p, end, chain);
  if (hit) return hit;
  const pair = findPair(bytes, view, p + 1, end);
  return { kind: 'lost', next: pair?.at ?? -1, chain: pair?.chain ?? -1, message };
}

/** What follows continues the computed checksum: the stored one is what is hit. */
function storedHit(
  p: number,
  next: number,
  type: number,
  computed: number,
  message: string,
): HeaderHit {
  const right = new Uint8Array(4);
  new DataView(right.buffer).setUint32(0, computed, true);
  return {
    kind: 'header-hit',
    next,
    chain: computed,
    type,
    at: p,
    right: toHex(right),
    message,
    diagnosis: (offset) =>
      `the stored checksum at ${offset} is hit: the fragment behind continues ${hex32(computed)}`,
  };
}

/** One flipped bit in length or type: with it put right, the stored checksum holds. */
function flippedHeader(
  bytes: Uint8Array,
  view: DataView,
  p: number,
  end: number,
  chain: number,
): HeaderHit | undefined {
  for (let index = 0; index < 24 && p + FRAGMENT_HEADER_BYTES <= end; index++) {
    const at = p + 4 + (index >>> 3);
    const bit = index & 7;
    const was = bytes[at]!;
    bytes[at] = was ^ (1 << bit);
    const right = toHex(bytes, at, at + 1);
    const holds = fragmentHolds(bytes, view, p, end, chain);
    const type = bytes[p + 6]!;
    const next = p + FRAGMENT_HEADER_BYTES + view.getUint16(p + 4, true);
    bytes[at] = was;
    if (!holds) continue;
    return {
      kind: 'header-hit',
      next,
      chain: view.getUint32(p, true),
      type,
      at,
      right,
      message: `${index < 16 ? 'length' : 'type'} of the fragment is hit`,
      diagnosis: (offset) =>
        `bit ${bit} of the byte at ${offset} is flipped: with it right the checksum holds`,
    };
  }
  return undefined;
}

/** Bytes of checksums that a search through one block may cost. */
const PAIR_SEARCH_BYTES_MAX = 1024 * 1024;

/**
 * The next two fragments of which the second continues the first: the first cannot be checked, its
 * stored crc is what the second continues, which is at `at`. The chance of a false one is that of a
 * checksum.
 */
function findPair(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
): { at: number; chain: number } | undefined {
  let budget = PAIR_SEARCH_BYTES_MAX;
  for (let p = start; p < end && budget > 0; p++) {
    const second = frameEnd(bytes, view, p, end);
    const third = second < 0 ? -1 : frameEnd(bytes, view, second, end);
    if (third < 0) continue;
    budget -= third - second;
    const chain = view.getUint32(p, true);
    if (crcBehind(bytes, view, second, third, chain) === view.getUint32(second, true)) {
      return { at: second, chain };
    }
  }
  return undefined;
}

/** Index of the first byte that is not zero in [start, end); -1: none. */
export function nonZero(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return i;
  return -1;
}

/** What is wrong with a fragment header that frames nothing. */
function describeFrame(bytes: Uint8Array, view: DataView, p: number, end: number): string {
  const most = end - p - FRAGMENT_HEADER_BYTES;
  return (
    `fragment of ${view.getUint16(p + 4, true)} bytes and type ${bytes[p + 6]}: ` +
    `expected 1 to ${most} bytes and type 1 to ${MARK}`
  );
}
