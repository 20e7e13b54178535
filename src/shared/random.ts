/**
 * Random numbers that depend on their seed alone, the same on every machine and in every version:
 * a rehearsal that found something can be run again. Not for secrets.
 *
 * The stream is xoshiro128** 1.1 (Blackman and Vigna,
 * https://prng.di.unimi.it/xoshiro128starstar.c), whose 32-bit steps suit JavaScript; its state
 * comes from SplitMix64 (https://prng.di.unimi.it/splitmix64.c), as its authors advise, so that
 * neighbouring seeds have nothing in common.
 */

const MASK64 = (1n << 64n) - 1n;

/** The next number of the SplitMix64 whose state is `state`, and the state after it. */
export function splitMix64(state: bigint): { value: bigint; state: bigint } {
  const next = (state + 0x9e3779b97f4a7c15n) & MASK64;
  let z = next;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK64;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK64;
  return { value: z ^ (z >> 31n), state: next };
}

export class Random {
  readonly #s = new Uint32Array(4);

  /** `seed`: any integer, taken modulo 2^64. */
  constructor(seed: number | bigint) {
    let state = BigInt(seed) & MASK64;
    for (let i = 0; i < 4; i += 2) {
      const step = splitMix64(state);
      state = step.state;
      this.#s[i] = Number(step.value & 0xffff_ffffn);
      this.#s[i + 1] = Number(step.value >> 32n);
    }
  }

  /** For the published test vectors: a generator with exactly this state. */
  static withState(a: number, b: number, c: number, d: number): Random {
    const random = new Random(0);
    random.#s.set([a, b, c, d]);
    return random;
  }

  /** Uniform in [0, 2^32). */
  uint32(): number {
    const s = this.#s;
    const s1 = s[1]!;
    const product = Math.imul(s1, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    s[2] = s[2]! ^ s[0]!;
    s[3] = s[3]! ^ s1;
    s[1] = s1 ^ s[2]!;
    s[0] = s[0]! ^ s[3]!;
    s[2] = s[2]! ^ (s1 << 9);
    const s3 = s[3]!;
    s[3] = (s3 << 11) | (s3 >>> 21);
    return result;
  }

  /** Uniform in [0, bound), for integers up to 2^53. */
  below(bound: number): number {
    if (!Number.isSafeInteger(bound) || bound < 1) throw new RangeError(`bound ${bound}`);
    // What remains of 2^53 after whole multiples of `bound` would favour small numbers: drawn
    // again.
    const whole = 2 ** 53 - (2 ** 53 % bound);
    for (;;) {
      const drawn = (this.uint32() >>> 11) * 0x1_0000_0000 + this.uint32();
      if (drawn < whole) return drawn % bound;
    }
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}

/**
 * Random bytes that can be read from any position: bytes[start, end) becomes what lies at
 * `position` of the endless stream `seed` (32 bits). Word i of it is the finalizer of MurmurHash3
 * over a counter.
 */
export function fillRandom(
  seed: number,
  position: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  let word = 0;
  let known = -1;
  for (let i = start, at = position; i < end; i++, at++) {
    const index = Math.floor(at / 4);
    if (index !== known) {
      known = index;
      // Both halves of the index, so that streams beyond 16 GiB do not repeat themselves.
      word = mix(mix(seed ^ Math.imul(index | 0, 0x9e3779b1)) + Math.floor(index / 2 ** 32));
    }
    bytes[i] = word >>> ((at & 3) * 8);
  }
}

function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
