/**
 * Which flipped bits explain a checksum mismatch? CRCs are linear: flipping a bit changes the
 * checksum by a value that depends on the bit's distance from the end alone. So the difference
 * between the stored and the computed checksum, the syndrome, is compared with that value for every
 * bit, without recomputing anything.
 */
import type { Crc } from './crc32.ts';

/** Spans longer than this are not searched: a chance match becomes likely, and time adds up. */
export const FLIP_SEARCH_BYTES_MAX = 64 * 1024;
/**
 * Two-bit explanations grow with the square of the length; beyond this, chance ones are too common.
 */
const PAIR_SEARCH_BYTES_MAX = 256;

/** Spans up to this, such as heads of records, have their tables kept: they are asked for again. */
const KEPT_BYTES_MAX = 64;

/** A bit counted from the end of the protected bytes: byte 0 is the last one; bit 0 the lowest. */
export interface FlippedBit {
  byteFromEnd: number;
  bit: number;
}

export type Flips =
  | { kind: 'stored'; bit: number }
  | { kind: 'one'; at: FlippedBit }
  | { kind: 'two'; at: readonly [FlippedBit, FlippedBit] };

/**
 * The one explanation of `stored !== computed` over `length` protected bytes by one or two flipped
 * bits; undefined if there is none, or more than one of the same kind.
 */
export function explainFlips(
  crc: Crc,
  stored: number,
  computed: number,
  length: number,
): Flips | undefined {
  const syndrome = (stored ^ computed) | 0;
  if (length > FLIP_SEARCH_BYTES_MAX || syndrome === 0) return undefined;
  if ((syndrome & (syndrome - 1)) === 0) return { kind: 'stored', bit: 31 - Math.clz32(syndrome) };

  const effects = effectsOf(crc, length);
  const one = onlyIndex(effects, syndrome);
  if (one !== undefined) return { kind: 'one', at: place(one) };
  if (length > PAIR_SEARCH_BYTES_MAX) return undefined;

  const byEffect = indexOf(crc, effects, length);
  let pair: readonly [number, number] | undefined;
  for (let i = 0; i < effects.length; i++) {
    const j = byEffect.get(syndrome ^ effects[i]!);
    if (j === undefined || j <= i) continue;
    if (pair) return undefined;
    pair = [i, j];
  }
  return pair && { kind: 'two', at: [place(pair[0]), place(pair[1])] };
}

interface Kept {
  effects: Map<number, Int32Array>;
  byEffect: Map<number, ReadonlyMap<number, number>>;
}

const kept = new WeakMap<Crc, Kept>();

function keptFor(crc: Crc): Kept {
  let known = kept.get(crc);
  if (!known) {
    known = { effects: new Map(), byEffect: new Map() };
    kept.set(crc, known);
  }
  return known;
}

function effectsOf(crc: Crc, length: number): Int32Array {
  if (length > KEPT_BYTES_MAX) return bitEffects(crc, length);
  const { effects } = keptFor(crc);
  let known = effects.get(length);
  if (!known) {
    known = bitEffects(crc, length);
    effects.set(length, known);
  }
  return known;
}

/** Which bit has which effect. */
function indexOf(crc: Crc, effects: Int32Array, length: number): ReadonlyMap<number, number> {
  const known = length > KEPT_BYTES_MAX ? undefined : keptFor(crc).byEffect.get(length);
  if (known) return known;
  const byEffect = new Map<number, number>();
  for (let i = 0; i < effects.length; i++) byEffect.set(effects[i]!, i);
  if (length <= KEPT_BYTES_MAX) keptFor(crc).byEffect.set(length, byEffect);
  return byEffect;
}

/** The change of the checksum by each bit, eight to a byte, the last byte first. */
function bitEffects(crc: Crc, length: number): Int32Array {
  const { table } = crc;
  const effects = new Int32Array(length * 8);
  for (let bit = 0; bit < 8; bit++) {
    let effect = table[1 << bit]!;
    for (let byte = 0; byte < length; byte++) {
      effects[byte * 8 + bit] = effect;
      effect = (effect >>> 8) ^ table[effect & 255]!;
    }
  }
  return effects;
}

function onlyIndex(effects: Int32Array, syndrome: number): number | undefined {
  const first = effects.indexOf(syndrome);
  if (first < 0 || effects.indexOf(syndrome, first + 1) >= 0) return undefined;
  return first;
}

function place(index: number): FlippedBit {
  return { byteFromEnd: index >>> 3, bit: index & 7 };
}
