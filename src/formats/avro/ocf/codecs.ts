/** The codecs of containers: what compresses the data of a block. */

import {
  type BlockCodec,
  type BlockDecoder,
  CodecFault,
  provedCodec,
} from '../../../shared/codecs/block-codec.ts';
import { bzip2Codec, bzip2Decompress } from '../../../shared/codecs/bzip2.ts';
import { deflateRaw } from '../../../shared/codecs/deflate.ts';
import { snappyBlock } from '../../../shared/codecs/snappy.ts';
import { xz } from '../../../shared/codecs/xz.ts';
import { zstdCodec, zstdDecoder } from '../../../shared/codecs/zstd/block.ts';
import { crc32 } from '../../../shared/crc32.ts';
import { hex32 } from '../../../shared/hex.ts';
import type { CodecName } from './spec.ts';

const CRC_BYTES = 4;

/** The data were decompressed, and are not what was compressed. */
export class CrcFault extends CodecFault {}

/** Snappy's block, and behind it the CRC-32 of what comes out, the most significant byte first. */
const snappyWithCrc: BlockCodec = {
  decompress(bytes, bytesMax) {
    const end = bytes.length - CRC_BYTES;
    if (end < 1) throw new CodecFault(`${bytes.length} bytes cannot hold Snappy and its CRC-32`);
    const out = snappyBlock.decompress(bytes.subarray(0, end), bytesMax);
    const stored = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32BE(end);
    const computed = crc32.of(out);
    if (stored === computed) return out;
    throw new CrcFault(`stored ${hex32(stored)}, computed ${hex32(computed)} over the data`);
  },
  // Data that do not go with their CRC come out whole, and nobody knows which of them are right.
  decompressPart: (bytes, bytesMax) =>
    snappyBlock.decompressPart!(bytes.subarray(0, bytes.length - CRC_BYTES), bytesMax),
  compress(bytes) {
    const crc = Buffer.alloc(CRC_BYTES);
    crc.writeUInt32BE(crc32.of(bytes));
    return Buffer.concat([snappyBlock.compress(bytes), crc]);
  },
};

const identity: BlockCodec = { decompress: (bytes) => bytes, compress: (bytes) => bytes };

/** Those that need nothing to be loaded, and no look at what they have written. */
const ready = { null: identity, deflate: deflateRaw, snappy: snappyWithCrc };

const decoders: Readonly<Record<CodecName, BlockDecoder>> = {
  ...ready,
  xz,
  bzip2: { decompress: bzip2Decompress },
  zstandard: zstdDecoder,
};

/** What reads: nothing has to be loaded for that, and compiled. */
export function decoderOf(name: CodecName): BlockDecoder {
  return decoders[name];
}

/** Those that are compiled when they are loaded are so once. */
const loaded = new Map<CodecName, Promise<BlockCodec>>();

/** The codec of that name, loaded and ready to write. */
export function loadCodec(name: CodecName): Promise<BlockCodec> {
  const known = loaded.get(name) ?? load(name);
  loaded.set(name, known);
  return known;
}

async function load(name: CodecName): Promise<BlockCodec> {
  switch (name) {
    case 'xz':
      return provedCodec(name, xz);
    case 'bzip2':
      return provedCodec(name, await bzip2Codec());
    case 'zstandard':
      return provedCodec(name, await zstdCodec());
    default:
      return ready[name];
  }
}
