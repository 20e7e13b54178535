/**
 * Zstandard: Node's own from 22.15 on; before that read by our own reader, and written by the
 * original compiled to WebAssembly.
 */
import * as zlib from 'node:zlib';
import { DdiaError } from '../../errors.ts';
import {
  type BlockCodec,
  type BlockDecoder,
  CodecFault,
  guarded,
  tooMuch,
} from '../block-codec.ts';
import { zstdDecompress, zstdFault, zstdHeader } from './index.ts';
import { fetchOriginal } from './original.ts';

interface NodeZstd {
  zstdDecompressSync?(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
  zstdCompressSync?(bytes: Uint8Array): Uint8Array;
}

const node = zlib as NodeZstd;
/** Room to begin with for what comes out, where nothing says how much that is. */
const ROOM_BYTES = 64 * 1024;
const ROOM_TIMES = 8;
/** What Zstandard itself takes where nobody asks for another. */
const LEVEL = 3;

export function decompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  if (!node.zstdDecompressSync) return unpacked(bytes, bytesMax);
  return guarded('no Zstandard', () => {
    try {
      return node.zstdDecompressSync!(bytes, { maxOutputLength: bytesMax });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw code === 'ERR_BUFFER_TOO_LARGE' ? tooMuch(bytesMax) : error;
    }
  });
}

/** By our own reader, with more and more room where the frame does not say what it needs. */
function unpacked(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const header = zstdHeader(bytes, 0, bytes.length);
  if (!header) throw new CodecFault('no Zstandard: no header of a frame');
  const { contentBytes } = header;
  if (contentBytes !== undefined && contentBytes > bytesMax) throw tooMuch(bytesMax);
  for (let room = contentBytes ?? roomFor(bytes); ; room *= ROOM_TIMES) {
    const out = new Uint8Array(Math.min(room, bytesMax));
    const got = zstdDecompress(bytes, 0, bytes.length, out, out.length);
    if (got >= 0) return out.subarray(0, got);
    if (!zstdFault.full || contentBytes !== undefined) {
      throw new CodecFault(`no Zstandard: broken after ${~got} bytes of what comes out`);
    }
    if (room >= bytesMax) throw tooMuch(bytesMax);
  }
}

const roomFor = (bytes: Uint8Array): number => Math.max(ROOM_BYTES, ROOM_TIMES * bytes.length);

/** The blocks of a frame before the one that is cut off or broken. */
function decompressPart(bytes: Uint8Array, bytesMax: number): Uint8Array {
  let room = Math.min(bytesMax, roomFor(bytes));
  for (;;) {
    const out = new Uint8Array(room);
    const got = zstdDecompress(bytes, 0, bytes.length, out, room);
    if (got >= 0 || !zstdFault.full || room >= bytesMax) return out.slice(0, got < 0 ? ~got : got);
    room = Math.min(bytesMax, ROOM_TIMES * room);
  }
}

/** The reader alone. */
export const zstdDecoder: BlockDecoder = { decompress, decompressPart };

export async function zstdCodec(): Promise<BlockCodec> {
  if (node.zstdCompressSync) {
    return { ...zstdDecoder, compress: (bytes) => node.zstdCompressSync!(bytes) };
  }
  const original = await fetchOriginal();
  if (!original) return { ...zstdDecoder, compress: cannotWrite };
  return { ...zstdDecoder, compress: (bytes) => original.compress(bytes, LEVEL) };
}

function cannotWrite(): never {
  const what = 'writing Zstandard takes Node 22.15, or the package @bokuweb/zstd-wasm';
  throw new DdiaError('codec-unavailable', what, 'npm install @bokuweb/zstd-wasm');
}
