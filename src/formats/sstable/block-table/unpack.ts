/**
 * Payloads of blocks as they were before compression, in one buffer that is used again and again.
 */
import { bzip2Decompress } from '../../../shared/codecs/bzip2.ts';
import { inflate } from '../../../shared/codecs/deflate.ts';
import { lz4Decompress } from '../../../shared/codecs/lz4.ts';
import { snappyDecompress, snappyLength } from '../../../shared/codecs/snappy.ts';
import {
  type ZstdDictionary,
  zstdDecompress,
  zstdDictionary,
  zstdLength,
} from '../../../shared/codecs/zstd/index.ts';
import { fetchOriginal } from '../../../shared/codecs/zstd/original.ts';
import { COMPRESSION_NAMES } from './constants.ts';
import { readVarint, varint } from './varint.ts';

const FIRST_BYTES = 64 * 1024;
/** From here on a decompressor that takes 10 ms to load pays. */
const MANY_BYTES = 2 * 1024 * 1024;

export class Unpacker {
  /** The last block that was unpacked lies in bytes[start, end). */
  bytes: Uint8Array = new Uint8Array(0);
  view = new DataView(this.bytes.buffer);
  start = 0;
  end = 0;
  /** Why the last one could not be. */
  fault = '';
  #own = new Uint8Array(FIRST_BYTES);
  #ownView = new DataView(this.#own.buffer);
  #dictionary: Uint8Array | undefined;
  #zstd: ZstdDictionary | undefined;

  constructor(
    /** LevelDB writes no length before what is compressed, and has zstd as type 2. */
    readonly rocksdb: boolean,
    readonly bytesMax: number,
  ) {}

  /** Returns false where it is none that can be used. */
  useDictionary(dictionary: Uint8Array): boolean {
    this.#dictionary = dictionary.length > 0 ? dictionary : undefined;
    this.#zstd = this.#dictionary && zstdDictionary(this.#dictionary);
    return this.#dictionary === undefined || this.#zstd !== undefined;
  }

  /** Unpacks the payload source[start, end). False: see `fault`. */
  unpack(source: Uint8Array, view: DataView, start: number, end: number, type: number): boolean {
    if (type === 0) {
      this.bytes = source;
      this.view = view;
      this.start = start;
      this.end = end;
      return true;
    }
    const name = this.name(type);
    if (name === undefined) return this.#fail(`compression type ${type} is not known`);
    if (name === 'xpress') return this.#fail('compression xpress is not read');
    let p = start;
    let length: number | undefined;
    if (name === 'snappy') {
      length = snappyLength(source, start, end);
      if (length < 0) length = undefined;
    } else if (this.rocksdb) {
      p = readVarint(source, start, Math.min(end, start + 5));
      length = p < 0 ? undefined : varint.value;
    } else length = zstdLength(source, start, end);
    if (length === undefined) return this.#fail(`${name}: no length of what is unpacked`);
    if (length > this.bytesMax) {
      return this.#fail(`${name}: ${length} bytes unpacked, the limit is ${this.bytesMax}`);
    }
    this.#reserve(length);
    const got = this.#run(name, source, p, end, length);
    if (got !== length)
      return this.#fail(`${name}: the bytes do not unpack to the ${length} that they say`);
    this.start = 0;
    this.end = length;
    return true;
  }

  /** For when `bytes` of blocks of one compression, as the properties name it, are to come. */
  async prepare(compression: string | undefined, bytes: number): Promise<void> {
    if (compression === 'ZSTD' && bytes >= MANY_BYTES) await fetchOriginal();
  }

  name(type: number): string | undefined {
    return this.rocksdb ? COMPRESSION_NAMES[type] : ['none', 'snappy', 'zstd'][type];
  }

  #run(name: string, source: Uint8Array, p: number, end: number, length: number): number {
    this.bytes = this.#own;
    this.view = this.#ownView;
    const dictionary = this.#dictionary;
    switch (name) {
      case 'snappy':
        return snappyDecompress(source, p, end, this.#own);
      case 'lz4':
      case 'lz4hc':
        return lz4Decompress(source, p, end, this.#own, length, dictionary);
      case 'zstd':
        return zstdDecompress(source, p, end, this.#own, length, this.#zstd);
      default: {
        const packed = source.subarray(p, end);
        const bytes =
          name === 'bzip2' ? unbzip2(packed, length) : inflate(packed, length, dictionary);
        if (bytes?.length !== length) return -1;
        this.bytes = bytes;
        this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        return length;
      }
    }
  }

  #reserve(length: number): void {
    if (length <= this.#own.length) return;
    this.#own = new Uint8Array(2 * length);
    this.#ownView = new DataView(this.#own.buffer);
  }

  #fail(why: string): false {
    this.fault = why;
    return false;
  }
}

function unbzip2(packed: Uint8Array, length: number): Uint8Array | undefined {
  try {
    return bzip2Decompress(packed, length);
  } catch {
    return undefined;
  }
}
