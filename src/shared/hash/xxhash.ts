/**
 * xxHash of 32 and of 64 bits, seed 0.
 * https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */
import { add, mul, r, rotate } from './mul64.ts';

const P1 = 0x9e3779b1 | 0;
const P2 = 0x85ebca77 | 0;
const P3 = 0xc2b2ae3d | 0;
const P4 = 0x27d4eb2f;
const P5 = 0x165667b1;

function rotl(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

/** Unsigned. */
export function xxh32(view: DataView, start: number, end: number): number {
  let p = start;
  let hash: number;
  if (end - start >= 16) {
    let a = (P1 + P2) | 0;
    let b = P2;
    let c = 0;
    let d = -P1 | 0;
    for (const last = end - 16; p <= last; p += 16) {
      a = Math.imul(rotl((a + Math.imul(view.getInt32(p, true), P2)) | 0, 13), P1);
      b = Math.imul(rotl((b + Math.imul(view.getInt32(p + 4, true), P2)) | 0, 13), P1);
      c = Math.imul(rotl((c + Math.imul(view.getInt32(p + 8, true), P2)) | 0, 13), P1);
      d = Math.imul(rotl((d + Math.imul(view.getInt32(p + 12, true), P2)) | 0, 13), P1);
    }
    hash = (rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18)) | 0;
  } else hash = P5;
  hash = (hash + (end - start)) | 0;
  for (; p + 4 <= end; p += 4) {
    hash = Math.imul(rotl((hash + Math.imul(view.getInt32(p, true), P3)) | 0, 17), P4);
  }
  for (; p < end; p++) {
    hash = Math.imul(rotl((hash + Math.imul(view.getUint8(p), P5)) | 0, 11), P1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), P2);
  hash = Math.imul(hash ^ (hash >>> 13), P3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const Q1 = [0x85ebca87 | 0, 0x9e3779b1 | 0] as const;
const Q2 = [0x27d4eb4f, 0xc2b2ae3d | 0] as const;
const Q3 = [0x9e3779f9 | 0, 0x165667b1] as const;
const Q4 = [0xc2b2ae63 | 0, 0x85ebca77 | 0] as const;
const Q5 = [0x165667c5, 0x27d4eb2f] as const;

const laneLow = new Int32Array(4);
const laneHigh = new Int32Array(4);

/** acc = rotl(acc + input * Q2, 31) * Q1, in r. */
function round(low: number, high: number, inputLow: number, inputHigh: number): void {
  mul(inputLow, inputHigh, Q2[0], Q2[1]);
  add(r.low, r.high, low, high);
  rotate(r.low, r.high, 31);
  mul(r.low, r.high, Q1[0], Q1[1]);
}

function mergeLane(lane: number, low: number, high: number): void {
  round(0, 0, laneLow[lane]!, laneHigh[lane]!);
  mul(low ^ r.low, high ^ r.high, Q1[0], Q1[1]);
  add(r.low, r.high, Q4[0], Q4[1]);
}

function lanes(view: DataView, start: number, end: number): number {
  add(Q1[0], Q1[1], Q2[0], Q2[1]);
  laneLow[0] = r.low;
  laneHigh[0] = r.high;
  laneLow[1] = Q2[0];
  laneHigh[1] = Q2[1];
  laneLow[2] = 0;
  laneHigh[2] = 0;
  add(~Q1[0], ~Q1[1], 1, 0);
  laneLow[3] = r.low;
  laneHigh[3] = r.high;
  let p = start;
  for (const last = end - 32; p <= last; p += 32) {
    for (let lane = 0; lane < 4; lane++) {
      const at = p + lane * 8;
      const [low, high] = [view.getInt32(at, true), view.getInt32(at + 4, true)];
      round(laneLow[lane]!, laneHigh[lane]!, low, high);
      laneLow[lane] = r.low;
      laneHigh[lane] = r.high;
    }
  }
  let low = 0;
  let high = 0;
  for (const [lane, bits] of [1, 7, 12, 18].entries()) {
    rotate(laneLow[lane]!, laneHigh[lane]!, bits);
    add(low, high, r.low, r.high);
    [low, high] = [r.low, r.high];
  }
  for (let lane = 0; lane < 4; lane++) {
    mergeLane(lane, low, high);
    [low, high] = [r.low, r.high];
  }
  return p;
}

/** Leaves the hash of the bytes [start, end) in `r` of mul64.ts. */
export function xxh64(view: DataView, start: number, end: number): void {
  let p = start;
  if (end - start >= 32) p = lanes(view, start, end);
  else [r.low, r.high] = Q5;
  add(r.low, r.high, end - start, 0);
  for (; p + 8 <= end; p += 8) {
    const [low, high] = [r.low, r.high];
    round(0, 0, view.getInt32(p, true), view.getInt32(p + 4, true));
    rotate(low ^ r.low, high ^ r.high, 27);
    mul(r.low, r.high, Q1[0], Q1[1]);
    add(r.low, r.high, Q4[0], Q4[1]);
  }
  for (; p + 4 <= end; p += 4) {
    const [low, high] = [r.low, r.high];
    mul(view.getInt32(p, true), 0, Q1[0], Q1[1]);
    rotate(low ^ r.low, high ^ r.high, 23);
    mul(r.low, r.high, Q2[0], Q2[1]);
    add(r.low, r.high, Q3[0], Q3[1]);
  }
  for (; p < end; p++) {
    const [low, high] = [r.low, r.high];
    mul(view.getUint8(p), 0, Q5[0], Q5[1]);
    rotate(low ^ r.low, high ^ r.high, 11);
    mul(r.low, r.high, Q1[0], Q1[1]);
  }
  mul(r.low ^ (r.high >>> 1), r.high, Q2[0], Q2[1]);
  mul(r.low ^ ((r.low >>> 29) | (r.high << 3)), r.high ^ (r.high >>> 29), Q3[0], Q3[1]);
  r.low ^= r.high;
}
