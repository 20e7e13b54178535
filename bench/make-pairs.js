// Lines of keys and values for other programs to load: node bench/make-pairs.js STYLE BYTES [OF PART].
// Keys of 16 bytes ascend, values have 100: words and noise, so that they pack to about the half.
// STYLE: `ldb` (KEY ==> VALUE), `mdb` (as mdb_load reads them) or `ddia` (as sstable write does).
// Of OF parts, PART has every OF-th key, so that the parts' keys lie between each other's.
import { writeSync } from 'node:fs';

const [style, bytes, of = '1', part = '0'] = process.argv.slice(2);
const PAIR_BYTES = 116;
const pairs = Math.floor(Number(bytes) / PAIR_BYTES);
const WORDS = ['alpha', 'bravo', 'delta', 'gamma', 'omega', 'sigma', 'kappa', 'theta'];

/** xorshift32: the same lines every time. */
let state = 0x9e3779b9 + Number(part);
function next() {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}

function value() {
  let text = '';
  while (text.length < 100) {
    text += `${WORDS[next() & 7]} ${next().toString(36)} `;
  }
  return text.slice(0, 100).replace(/ $/, '.');
}

const LINES = {
  ldb: (key, data) => `${key} ==> ${data}\n`,
  mdb: (key, data) => ` ${key}\n ${data}\n`,
  ddia: (key, data) => `{"op":"put","key":"${key}","value":"${data}"}\n`,
};
const line = LINES[style];
const pieces = [];
if (style === 'mdb') {
  pieces.push(`VERSION=3\nformat=print\ntype=btree\nmapsize=${4 * 2 ** 30}\nHEADER=END\n`);
}
for (let i = 0; i < pairs; i++) {
  const key = `key${String(i * Number(of) + Number(part)).padStart(13, '0')}`;
  pieces.push(line(key, value()));
  if (pieces.length === 10_000) put();
}
if (style === 'mdb') pieces.push('DATA=END\n');
put();

function put() {
  let rest = Buffer.from(pieces.join(''));
  pieces.length = 0;
  while (rest.length > 0) rest = rest.subarray(writeAll(rest));
}

/** A pipe whose reader is slower than we are says EAGAIN. */
function writeAll(data) {
  try {
    return writeSync(1, data);
  } catch (error) {
    if (error.code !== 'EAGAIN') throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    return 0;
  }
}
