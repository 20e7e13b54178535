/** bzip2: read in JavaScript, written by the original compiled to WebAssembly. */
import { pathToFileURL } from 'node:url';
import { type BlockCodec, CodecFault, guarded, requirePackage, tooMuch } from './block-codec.ts';

interface SeekBzip {
  decode(
    input: {
      readByte(): number;
      read(target: Uint8Array, start: number, length: number): number;
      eof(): boolean;
    },
    output: { writeByte(byte: number): void; flush(): void },
    multistream: boolean,
  ): void;
}

interface Bzip2Wasm {
  init(): Promise<void>;
  compress(bytes: Uint8Array, blockSize: number, most: number): Uint8Array;
}

let decoder: SeekBzip | undefined;

/** The reader alone; what writes has to be loaded first, see bzip2Codec. */
export function bzip2Decompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  decoder ??= requirePackage('seek-bzip') as SeekBzip;
  let out = Buffer.allocUnsafe(Math.min(bytesMax, bytes.length * 8 + 1024));
  let count = 0;
  let at = 0;
  const input = {
    readByte() {
      if (at >= bytes.length) throw new CodecFault('no bzip2: it ends too soon');
      return bytes[at++]!;
    },
    read(target: Uint8Array, start: number, length: number) {
      for (let i = 0; i < length; i++) target[start + i] = input.readByte();
      return length;
    },
    eof: () => at >= bytes.length,
  };
  const output = {
    writeByte(byte: number) {
      if (count === out.length) {
        if (count >= bytesMax) throw tooMuch(bytesMax);
        const grown = Buffer.allocUnsafe(Math.min(bytesMax, count * 2 + 1024));
        out.copy(grown, 0, 0, count);
        out = grown;
      }
      out[count++] = byte;
    },
    flush() {},
  };
  guarded('no bzip2', () => decoder!.decode(input, output, true));
  return out.subarray(0, count);
}

export async function bzip2Codec(): Promise<BlockCodec> {
  const { default: BZip2 } = (await import(
    pathToFileURL(requirePackage.resolve('bzip2-wasm')).href
  )) as {
    default: new () => Bzip2Wasm;
  };
  const wasm = new BZip2();
  // It leaves names of its own in the global scope, which nobody else is to find.
  const before = new Set(Object.getOwnPropertyNames(globalThis));
  await wasm.init();
  for (const name of ['require', '__dirname']) {
    if (!before.has(name)) Reflect.deleteProperty(globalThis, name);
  }
  return {
    decompress: bzip2Decompress,
    // "To guarantee that the compressed data will fit in its buffer, allocate an output buffer of
    // size 1% larger than the uncompressed data, plus six hundred extra bytes" (bzip2's manual).
    compress: (bytes) => wasm.compress(bytes, 9, Math.ceil(bytes.length * 1.01) + 600),
  };
}
