/**
 * The .xz format (https://tukaani.org/xz/xz-file-format.txt): read here, with LZMA2 as its only
 * filter, and written with one block and the check CRC-32.
 *
 *     header (12)  block…  index  footer (12)
 */
import { createHash } from 'node:crypto';
import { crc32 } from '../crc32.ts';
import { type BlockCodec, CodecFault, tooMuch } from './block-codec.ts';
import { Lzma2Decoder } from './lzma2.ts';
import { DICTIONARY_CODE, lzma2Encode } from './lzma2-encode.ts';

const MAGIC = Buffer.from('fd377a585a00', 'hex');
const FOOTER_MAGIC = Buffer.from('YZ', 'latin1');
const FILTER_LZMA2 = 0x21;
/** Bytes of a check by its id. */
const CHECK_BYTES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

function xzDecompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  return joined(xzBlocks(bytes, bytesMax, []));
}

/** What was decoded before the fault; of the block with the fault in it what there is. */
function xzPart(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const parts: Uint8Array[] = [];
  try {
    xzBlocks(bytes, bytesMax, parts);
  } catch (error) {
    if (!(error instanceof CodecFault)) throw error;
  }
  return joined(parts);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** Adds the data of each block to `parts`, which is returned. */
function xzBlocks(bytes: Uint8Array, bytesMax: number, parts: Uint8Array[]): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 32 || Buffer.compare(bytes.subarray(0, 6), MAGIC) !== 0) {
    throw new CodecFault('no xz: another magic number');
  }
  if (crc32.of(bytes, 6, 8) !== view.getUint32(8, true)) throw mismatch('header');
  const check = bytes[7]! & 15;
  let count = 0;
  let at = 12;
  while (at < bytes.length && bytes[at] !== 0) {
    const start = blockHeader(bytes, view, at);
    const decoder = new Lzma2Decoder(bytes, start, bytesMax - count);
    let end = 0;
    try {
      end = decoder.run();
    } finally {
      parts.push(decoder.out.subarray(0, decoder.count));
    }
    const part = parts.at(-1)!;
    count += part.length;
    if (count > bytesMax) throw tooMuch(bytesMax);
    // The size of a block is a multiple of four, its header's too.
    const padded = start + Math.ceil((end - start) / 4) * 4;
    at = padded + CHECK_BYTES[check]!;
    if (at > bytes.length) throw new CodecFault('xz ends too soon');
    if (!isChecked(check, part, bytes.subarray(padded, at))) {
      parts.pop();
      throw mismatch('block');
    }
  }
  checkEnd(bytes, view, at);
  return parts;
}

function mismatch(what: string): CodecFault {
  return new CodecFault(`the checksum of the xz ${what} does not hold`);
}

/** Checks the header of a block and returns where its data begin. */
function blockHeader(bytes: Uint8Array, view: DataView, at: number): number {
  const end = at + (bytes[at]! + 1) * 4;
  if (end > bytes.length) throw new CodecFault('xz ends too soon');
  if (crc32.of(bytes, at, end - 4) !== view.getUint32(end - 4, true)) {
    throw mismatch('block header');
  }
  const flags = bytes[at + 1]!;
  let place = at + 2;
  for (const size of [0x40, 0x80]) {
    if (flags & size) while (bytes[place++]! > 0x7f);
  }
  if ((flags & 3) !== 0 || bytes[place] !== FILTER_LZMA2) {
    throw new CodecFault('xz with filters other than LZMA2 is not read');
  }
  return end;
}

function isChecked(check: number, part: Uint8Array, stored: Uint8Array): boolean {
  const computed =
    check === 1
      ? le32(crc32.of(part))
      : check === 4
        ? crc64(part)
        : check === 10
          ? createHash('sha256').update(part).digest()
          : stored;
  return Buffer.compare(computed, stored) === 0;
}

/** Index and footer: they must be there, and their checksums hold. */
function checkEnd(bytes: Uint8Array, view: DataView, index: number): void {
  const footer = bytes.length - 12;
  if (footer < index + 8 || Buffer.compare(bytes.subarray(footer + 10), FOOTER_MAGIC) !== 0) {
    throw new CodecFault('xz ends without its footer');
  }
  if (crc32.of(bytes, footer + 4, footer + 10) !== view.getUint32(footer, true)) {
    throw mismatch('footer');
  }
  if (crc32.of(bytes, index, footer - 4) !== view.getUint32(footer - 4, true)) {
    throw mismatch('index');
  }
}

function le32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** The reflected polynomial of ECMA-182, in two halves: 0xC96C5795D7870F42. */
const TABLE = /* @__PURE__ */ (() => {
  const table = new Int32Array(512);
  for (let i = 0; i < 256; i++) {
    let high = 0;
    let low = i;
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (odd) {
        low ^= 0xd7870f42;
        high ^= 0xc96c5795;
      }
    }
    table[i * 2] = high;
    table[i * 2 + 1] = low;
  }
  return table;
})();

function crc64(bytes: Uint8Array): Buffer {
  let high = -1;
  let low = -1;
  for (const byte of bytes) {
    const index = ((low ^ byte) & 255) * 2;
    low = ((low >>> 8) | (high << 24)) ^ TABLE[index + 1]!;
    high = (high >>> 8) ^ TABLE[index]!;
  }
  return Buffer.concat([le32(~low), le32(~high)]);
}

function xzCompress(bytes: Uint8Array): Uint8Array {
  const flags = Buffer.from([0, 1]);
  const withCrc = (part: Buffer) => Buffer.concat([part, le32(crc32.of(part))]);
  const header = Buffer.concat([MAGIC, withCrc(flags)]);
  const blockHead = withCrc(Buffer.from([2, 0, FILTER_LZMA2, 1, DICTIONARY_CODE, 0, 0, 0]));
  const data = Buffer.concat(lzma2Encode(bytes));
  const unpadded = blockHead.length + data.length + 4;
  const index = [0, 1, ...varint(unpadded), ...varint(bytes.length)];
  while (index.length % 4 !== 0) index.push(0);
  const indexBytes = withCrc(Buffer.from(index));
  const tail = Buffer.concat([le32(indexBytes.length / 4 - 1), flags]);
  return Buffer.concat([
    header,
    blockHead,
    data,
    Buffer.alloc((4 - (data.length % 4)) % 4),
    le32(crc32.of(bytes)),
    indexBytes,
    le32(crc32.of(tail)),
    tail,
    FOOTER_MAGIC,
  ]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return [...bytes, value];
}

export const xz: BlockCodec = {
  decompress: xzDecompress,
  decompressPart: xzPart,
  compress: xzCompress,
};
