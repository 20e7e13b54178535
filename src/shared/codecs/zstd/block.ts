/**
 * Zstandard: Node's own from 22.15 on; before that read in JavaScript, written by the original
 * compiled to WebAssembly.
 */
import * as zlib from 'node:zlib';
import { type BlockCodec, CodecFault, guarded, requirePackage, tooMuch } from '../block-codec.ts';

interface NodeZstd {
  zstdDecompressSync?(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
  zstdCompressSync?(bytes: Uint8Array): Uint8Array;
}

interface Fzstd {
  decompress(bytes: Uint8Array): Uint8Array;
  Decompress: new (
    ondata: (chunk: Uint8Array) => void,
  ) => {
    push(chunk: Uint8Array, final: boolean): void;
  };
}

interface ZstdWasm {
  init(): Promise<void>;
  compress(bytes: Uint8Array, level: number): Uint8Array;
}

const node = zlib as NodeZstd;

export function zstdDecompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  return guarded('no Zstandard', () => {
    if (!node.zstdDecompressSync) return withFzstd(bytes, bytesMax);
    try {
      return node.zstdDecompressSync(bytes, { maxOutputLength: bytesMax });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw code === 'ERR_BUFFER_TOO_LARGE' ? tooMuch(bytesMax) : error;
    }
  });
}

function withFzstd(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const fzstd = requirePackage('fzstd') as Fzstd;
  const size = contentSize(bytes);
  if (size !== undefined && size > bytesMax) throw tooMuch(bytesMax);
  const chunks: Uint8Array[] = [];
  let count = 0;
  const stream = new fzstd.Decompress((chunk) => {
    count += chunk.length;
    if (count > bytesMax) throw tooMuch(bytesMax);
    chunks.push(chunk);
  });
  stream.push(bytes, true);
  if (size !== undefined && size !== count) {
    throw new CodecFault(`the frame promises ${size} bytes, it has ${count}`);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

/** The blocks of a frame before the one that is cut off or broken. */
function zstdPart(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const fzstd = requirePackage('fzstd') as Fzstd;
  const chunks: Uint8Array[] = [];
  let count = 0;
  try {
    const stream = new fzstd.Decompress((chunk) => {
      count += chunk.length;
      if (count > bytesMax) throw tooMuch(bytesMax);
      chunks.push(chunk);
    });
    // As if more were to come: without that it looks for the end first.
    stream.push(bytes, false);
  } catch {
    // Whatever it is that broke: what came before is there.
  }
  return Buffer.concat(chunks);
}

/** Frame_Content_Size, where a single frame has one (RFC 8878, 3.1.1.1). */
function contentSize(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 6 || view.getUint32(0, true) !== 0xfd2fb528) {
    throw new CodecFault('no Zstandard: another magic number');
  }
  const descriptor = bytes[4]!;
  const single = (descriptor & 0x20) !== 0;
  const flag = descriptor >> 6;
  const at = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  const length = flag === 0 ? (single ? 1 : 0) : 2 ** flag;
  if (length === 0 || at + length > bytes.length) return undefined;
  if (length === 1) return bytes[at]!;
  if (length === 2) return view.getUint16(at, true) + 256;
  if (length === 4) return view.getUint32(at, true);
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000;
}

const reading = { decompress: zstdDecompress, decompressPart: zstdPart };

export async function zstdCodec(): Promise<BlockCodec> {
  if (node.zstdCompressSync) {
    return { ...reading, compress: (bytes) => node.zstdCompressSync!(bytes) };
  }
  let wasm: ZstdWasm;
  try {
    wasm = requirePackage('@bokuweb/zstd-wasm') as ZstdWasm;
  } catch {
    throw new CodecFault('writing Zstandard needs Node 22.15, or the package @bokuweb/zstd-wasm');
  }
  await wasm.init();
  return { ...reading, compress: (bytes) => wasm.compress(bytes, 3) };
}
