// Writes a file in which a reader must search: node bench/make-search.js FILE BYTES KIND [CLAIM]
// One intact v1 record, and behind it no other one, but BYTES of
//   zeros        as preallocation leaves them
//   ones         0x01: every offset shows a known op and the same two lengths, 16 MB each
//   near-misses  every 25 bytes a header whose lengths agree with each other and claim a record of
//                CLAIM bytes (1 MiB unless told), with the number that is due; no checksum holds
// Whoever computes what each header claims reads CLAIM / 25 times the file.
import { closeSync, openSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

const HEADER = 25;
const CHUNK = HEADER << 16;

const [file, bytesText, kind, claimText = String(1 << 20)] = process.argv.slice(2);
const total = Number(bytesText);
const claim = Number(claimText);

function header(buffer, at, seq, valueLength, crc) {
  buffer.writeUInt32LE(21 + valueLength, at);
  buffer.writeUInt32LE(crc, at + 4);
  buffer.writeUInt32LE(seq, at + 8);
  buffer.writeUInt32LE(0, at + 12);
  buffer[at + 16] = 1;
  buffer.writeInt32LE(0, at + 17);
  buffer.writeInt32LE(valueLength, at + 21);
}

const first = Buffer.alloc(HEADER + 5, 'value');
header(first, 0, 1, 5, crc32(first.subarray(HEADER), crc32(Buffer.of(1))));

const chunk = Buffer.alloc(CHUNK, kind === 'ones' ? 1 : 0);
const fd = openSync(file, 'w');
writeSync(fd, first);
for (let written = 0; written < total; written += CHUNK) {
  if (kind === 'near-misses') {
    for (let at = 0; at < CHUNK; at += HEADER) {
      header(chunk, at, 2 + (written + at) / HEADER, claim - HEADER, 0xdeadbeef);
    }
  }
  writeSync(fd, chunk, 0, Math.min(CHUNK, total - written));
}
closeSync(fd);
