// Writes a v1 log for benchmarks: node bench/make-v1.js FILE BYTES VALUE_BYTES
// Records have a key of 16 bytes and a value of VALUE_BYTES less 16, so 25 + VALUE_BYTES in all: written
// here from the format page, without the project's own code.
import { closeSync, openSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

const [file, bytesText, payloadText] = process.argv.slice(2);
const total = Number(bytesText);
const payload = Number(payloadText);
const size = 25 + payload;
const perChunk = Math.max(1, Math.floor((4 << 20) / size));
const chunk = Buffer.alloc(perChunk * size);
const fd = openSync(file, 'w');
let seq = 0;
for (let written = 0; written + size <= total; ) {
  let at = 0;
  for (let i = 0; i < perChunk && written + at + size <= total; i++, at += size) {
    seq++;
    const key = `key${String(seq).padStart(13, '0')}`;
    chunk.writeUInt32LE(size - 4, at);
    chunk.writeUInt32LE(seq % 2 ** 32, at + 8);
    chunk.writeUInt32LE(Math.floor(seq / 2 ** 32), at + 12);
    chunk[at + 16] = 1;
    chunk.writeInt32LE(16, at + 17);
    chunk.write(key, at + 21, 'latin1');
    chunk.writeInt32LE(payload - 16, at + 37);
    const filler = 97 + (seq % 26);
    chunk.fill(filler, at + 41, at + size);
    let crc = crc32(chunk.subarray(at + 16, at + 17));
    crc = crc32(chunk.subarray(at + 21, at + 37), crc);
    crc = crc32(chunk.subarray(at + 41, at + size), crc);
    chunk.writeUInt32LE(crc, at + 4);
  }
  if (at === 0) break;
  writeSync(fd, chunk, 0, at);
  written += at;
}
closeSync(fd);
