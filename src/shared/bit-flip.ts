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

  const effects = bitEffects(crc, length);
  const one = onlyIndex(effects, syndrome);
  if (one !== undefined) return { kind: 'one', at: place(one) };
  if (length > PAIR_SEARCH_BYTES_MAX) return undefined;

  const byEffect = new Map<number, number>();
  for (let i = 0; i < effects.length; i++) byEffect.set(effects[i]!, i);
  let pair: readonly [number, number] | undefined;
  for (let i = 0; i < effects.length; i++) {
    const j = byEffect.get(syndrome ^ effects[i]!);
    if (j === undefined || j <= i) continue;
    if (pair) return undefined;
    pair = [i, j];
  }
  return pair && { kind: 'two', at: [place(pair[0]), place(pair[1])] };
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
