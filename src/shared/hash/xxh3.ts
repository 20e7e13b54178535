/**
 * XXH3, 64 bits, seed 0, and the preview of it (xxHash 0.7.2) that RocksDB keeps under the name
 * XXPH3 for its filters. They differ in how short inputs are mixed, in the last multiplier, and in
 * the lane that a word of a long input is added to.
 *
 * xxHash: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
 */
import { add, mul, mulFold, mulHigh, r } from './mul64.ts';

const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f' +
    'cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c' +
    '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8' +
    'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364' +
    'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e' +
    '2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
);
const secret = new DataView(SECRET.buffer, SECRET.byteOffset, SECRET.length);

const P64_1 = [0x85ebca87 | 0, 0x9e3779b1 | 0] as const;
const P64_2 = [0x27d4eb4f, 0xc2b2ae3d | 0] as const;
const P64_3 = [0x9e3779f9 | 0, 0x165667b1] as const;
const P32_1 = 0x9e3779b1 | 0;
/** What XXH3 multiplies with in the end; the preview took P64_3. */
const MX1 = [0x9e3779f9 | 0, 0x16566791] as const;
const MX2 = [0x1e98df25, 0x9fb21c65 | 0] as const;

const SECRET_BYTES = 192;
const STRIPE_BYTES = 64;
const STRIPES = (SECRET_BYTES - STRIPE_BYTES) / 8;
const BLOCK_BYTES = STRIPE_BYTES * STRIPES;

/** h ^= h >>> 37; h *= multiplier; h ^= h >>> 32 */
function avalanche(preview: boolean): void {
  const low = r.low ^ (r.high >>> 5);
  const m = preview ? P64_3 : MX1;
  mul(low, r.high, m[0], m[1]);
  r.low ^= r.high;
}

/** As XXH64 ends. */
function avalanche64(): void {
  mul(r.low ^ (r.high >>> 1), r.high, P64_2[0], P64_2[1]);
  const low = r.low ^ ((r.low >>> 29) | (r.high << 3));
  mul(low, r.high ^ (r.high >>> 29), P64_3[0], P64_3[1]);
  r.low ^= r.high;
}

function swap(x: number): number {
  return ((x & 0xff) << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);
}

/** acc += fold of 16 bytes with 16 of the secret; acc in r. */
function mix16(view: DataView, at: number, s: number): void {
  const low = r.low;
  const high = r.high;
  mulFold(
    view.getInt32(at, true) ^ secret.getInt32(s, true),
    view.getInt32(at + 4, true) ^ secret.getInt32(s + 4, true),
    view.getInt32(at + 8, true) ^ secret.getInt32(s + 8, true),
    view.getInt32(at + 12, true) ^ secret.getInt32(s + 12, true),
  );
  add(r.low, r.high, low, high);
}

function shortFinal(view: DataView, at: number, length: number): void {
  if (length > 8) {
    const end = at + length;
    const low0 = view.getInt32(at, true) ^ secret.getInt32(24, true) ^ secret.getInt32(32, true);
    const low1 =
      view.getInt32(at + 4, true) ^ secret.getInt32(28, true) ^ secret.getInt32(36, true);
    const high0 =
      view.getInt32(end - 8, true) ^ secret.getInt32(40, true) ^ secret.getInt32(48, true);
    const high1 =
      view.getInt32(end - 4, true) ^ secret.getInt32(44, true) ^ secret.getInt32(52, true);
    mulFold(low0, low1, high0, high1);
    add(r.low, r.high, swap(low1), swap(low0));
    add(r.low, r.high, high0, high1);
    add(r.low, r.high, length, 0);
    avalanche(false);
    return;
  }
  if (length >= 4) {
    const first = view.getInt32(at, true);
    const last = view.getInt32(at + length - 4, true);
    const low = last ^ secret.getInt32(8, true) ^ secret.getInt32(16, true);
    const high = first ^ secret.getInt32(12, true) ^ secret.getInt32(20, true);
    // h ^= rotl(h, 49) ^ rotl(h, 24)
    const low49 = (high << 17) | (low >>> 15);
    const high49 = (low << 17) | (high >>> 15);
    const low24 = (low << 24) | (high >>> 8);
    const high24 = (high << 24) | (low >>> 8);
    mul(low ^ low49 ^ low24, high ^ high49 ^ high24, MX2[0], MX2[1]);
    const [mixedLow, mixedHigh] = [r.low, r.high];
    add(mixedHigh >>> 3, 0, length, 0);
    mul(mixedLow ^ r.low, mixedHigh ^ r.high, MX2[0], MX2[1]);
    const low28 = (r.low >>> 28) | (r.high << 4);
    r.low ^= low28;
    r.high ^= r.high >>> 28;
    return;
  }
  if (length > 0) {
    const c1 = view.getUint8(at);
    const c2 = view.getUint8(at + (length >> 1));
    const c3 = view.getUint8(at + length - 1);
    const combined = (c1 << 16) | (c2 << 24) | c3 | (length << 8);
    r.low = combined ^ secret.getInt32(0, true) ^ secret.getInt32(4, true);
    r.high = 0;
  } else {
    r.low = secret.getInt32(56, true) ^ secret.getInt32(64, true);
    r.high = secret.getInt32(60, true) ^ secret.getInt32(68, true);
  }
  avalanche64();
}

function shortPreview(view: DataView, at: number, length: number): void {
  const s0 = secret.getInt32(0, true);
  const s1 = secret.getInt32(4, true);
  if (length > 8) {
    const end = at + length;
    const low0 = view.getInt32(at, true) ^ s0;
    const low1 = view.getInt32(at + 4, true) ^ s1;
    const high0 = view.getInt32(end - 8, true) ^ secret.getInt32(8, true);
    const high1 = view.getInt32(end - 4, true) ^ secret.getInt32(12, true);
    mulFold(low0, low1, high0, high1);
    add(r.low, r.high, low0, low1);
    add(r.low, r.high, high0, high1);
    add(r.low, r.high, length, 0);
    avalanche(true);
  } else if (length >= 4) {
    const low = view.getInt32(at, true) ^ s0;
    const high = view.getInt32(at + length - 4, true) ^ s1;
    mul(low ^ (high >>> 19), high, P32_1, 0);
    add(r.low, r.high, length, 0);
    mul(r.low ^ (r.high >>> 15), r.high, P64_2[0], P64_2[1]);
    avalanche(true);
  } else if (length > 0) {
    const c1 = view.getUint8(at);
    const c2 = view.getUint8(at + (length >> 1));
    const c3 = view.getUint8(at + length - 1);
    const combined = c1 | (c2 << 8) | (c3 << 16) | (length << 24);
    mul(combined ^ s0, 0, P64_1[0], P64_1[1]);
    avalanche(true);
  } else mulFold(s0, s1, P64_2[0], P64_2[1]);
}

const accLow = new Int32Array(8);
const accHigh = new Int32Array(8);
const INIT_LOW = [
  0xc2b2ae3d, 0x85ebca87, 0x27d4eb4f, 0x9e3779f9, 0xc2b2ae63, 0x85ebca77, 0x165667c5, 0x9e3779b1,
];
const INIT_HIGH = [0, 0x9e3779b1, 0xc2b2ae3d, 0x165667b1, 0x85ebca77, 0, 0x27d4eb2f, 0];

function accumulate(view: DataView, at: number, s: number, preview: boolean): void {
  for (let lane = 0; lane < 8; lane++) {
    const dataLow = view.getInt32(at + lane * 8, true);
    const dataHigh = view.getInt32(at + lane * 8 + 4, true);
    const keyLow = dataLow ^ secret.getInt32(s + lane * 8, true);
    const keyHigh = dataHigh ^ secret.getInt32(s + lane * 8 + 4, true);
    const to = preview ? lane : lane ^ 1;
    const sum = (accLow[to]! >>> 0) + (dataLow >>> 0);
    accLow[to] = sum;
    accHigh[to] = accHigh[to]! + dataHigh + (sum > 0xffff_ffff ? 1 : 0);
    const product = (accLow[lane]! >>> 0) + (Math.imul(keyLow, keyHigh) >>> 0);
    accLow[lane] = product;
    accHigh[lane] = accHigh[lane]! + mulHigh(keyLow, keyHigh) + (product > 0xffff_ffff ? 1 : 0);
  }
}

function scramble(): void {
  const s = SECRET_BYTES - STRIPE_BYTES;
  for (let lane = 0; lane < 8; lane++) {
    const high = accHigh[lane]! ^ secret.getInt32(s + lane * 8 + 4, true);
    const low = accLow[lane]! ^ (accHigh[lane]! >>> 15) ^ secret.getInt32(s + lane * 8, true);
    mul(low, high, P32_1, 0);
    accLow[lane] = r.low;
    accHigh[lane] = r.high;
  }
}

function long(view: DataView, at: number, length: number, preview: boolean): void {
  for (let lane = 0; lane < 8; lane++) {
    accLow[lane] = INIT_LOW[lane]!;
    accHigh[lane] = INIT_HIGH[lane]!;
  }
  // The preview takes a last block that is whole as a block, the final version as the rest.
  const blocks = Math.floor((preview ? length : length - 1) / BLOCK_BYTES);
  for (let block = 0; block < blocks; block++) {
    const base = at + block * BLOCK_BYTES;
    for (let n = 0; n < STRIPES; n++) accumulate(view, base + n * STRIPE_BYTES, n * 8, preview);
    scramble();
  }
  const base = at + blocks * BLOCK_BYTES;
  const rest = length - blocks * BLOCK_BYTES;
  const stripes = Math.floor((preview ? rest : rest - 1) / STRIPE_BYTES);
  for (let n = 0; n < stripes; n++) accumulate(view, base + n * STRIPE_BYTES, n * 8, preview);
  if (!preview || length % STRIPE_BYTES !== 0) {
    accumulate(view, at + length - STRIPE_BYTES, SECRET_BYTES - STRIPE_BYTES - 7, preview);
  }
  mul(length, 0, P64_1[0], P64_1[1]);
  for (let i = 0; i < 8; i += 2) {
    const low = r.low;
    const high = r.high;
    const s = 11 + i * 8;
    mulFold(
      accLow[i]! ^ secret.getInt32(s, true),
      accHigh[i]! ^ secret.getInt32(s + 4, true),
      accLow[i + 1]! ^ secret.getInt32(s + 8, true),
      accHigh[i + 1]! ^ secret.getInt32(s + 12, true),
    );
    add(r.low, r.high, low, high);
  }
  avalanche(preview);
}

function middle(view: DataView, at: number, length: number, preview: boolean): void {
  const end = at + length;
  mul(length, 0, P64_1[0], P64_1[1]);
  if (length <= 128) {
    const pairs = (length - 1) >>> 5;
    for (let i = pairs; i >= 0; i--) {
      mix16(view, at + 16 * i, 32 * i);
      mix16(view, end - 16 * (i + 1), 32 * i + 16);
    }
  } else {
    const rounds = length >>> 4;
    for (let i = 0; i < 8; i++) mix16(view, at + 16 * i, 16 * i);
    avalanche(preview);
    for (let i = 8; i < rounds; i++) mix16(view, at + 16 * i, 16 * (i - 8) + 3);
    mix16(view, end - 16, 136 - 17);
  }
  avalanche(preview);
}

/** Leaves the hash of the bytes [start, end) in `r` of mul64.ts. */
export function xxh3(view: DataView, start: number, end: number): void {
  const length = end - start;
  if (length <= 16) shortFinal(view, start, length);
  else if (length <= 240) middle(view, start, length, false);
  else long(view, start, length, false);
}

/** The preview that RocksDB's filters are built with. */
export function xxph3(view: DataView, start: number, end: number): void {
  const length = end - start;
  if (length <= 16) shortPreview(view, start, length);
  else if (length <= 240) middle(view, start, length, true);
  else long(view, start, length, true);
}
