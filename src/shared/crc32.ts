/**
 * CRC-32 (ISO 3309, reflected 0xEDB88320: zip, PNG, the v1 logs) and CRC-32C (Castagnoli, reflected
 * 0x82F63B78: iSCSI, LevelDB, RocksDB, the v2 layouts), over a span of a buffer, without a copy.
 *
 * Short spans run through our own slicing-by-16 tables (Kounavis and Berry, "Novel Table
 * Lookup-Based Algorithms for High-Performance CRC Generation", 2008); long ones go to code
 * outside, whose call and `subarray` cost about 100 ns. Registers are kept as signed 32-bit
 * integers, as JavaScript's bit operators yield them; `>>> 0` turns one into the number that stands
 * in a file.
 */
import { createRequire } from 'node:module';
import * as zlib from 'node:zlib';

export interface Crc {
  /** The reflected polynomial. */
  readonly polynomial: number;
  /** Runs the raw register over `bytes[start, end)`; `view` is a DataView of the same memory. */
  update(register: number, bytes: Uint8Array, view: DataView, start: number, end: number): number;
  /** One byte. */
  updateByte(register: number, byte: number): number;
  /** The finished checksum of `bytes[start, end)`, unsigned. */
  of(bytes: Uint8Array, start?: number, end?: number): number;
  /** Table of single-byte steps: `register >>> 8 ^ table[(register ^ byte) & 255]`. */
  readonly table: Int32Array;
}

/** What a raw register starts from, and what it is XORed with at the end. */
export const CRC_INITIAL = -1;

const SLICES = 16;

function makeTables(polynomial: number): Int32Array {
  const tables = new Int32Array(256 * SLICES);
  for (let i = 0; i < 256; i++) {
    let register = i;
    for (let bit = 0; bit < 8; bit++) {
      register = register & 1 ? (register >>> 1) ^ polynomial : register >>> 1;
    }
    tables[i] = register;
  }
  for (let i = 256; i < tables.length; i++) {
    const previous = tables[i - 256]!;
    tables[i] = (previous >>> 8) ^ tables[previous & 255]!;
  }
  return tables;
}

/** Code for long spans: the finished CRC of `bytes` that continues the finished CRC `previous`. */
type LongSpan = (bytes: Uint8Array, previous: number) => number;

/**
 * `longFrom`: bytes from which a call out pays. `small` is at hand at once; `big` is the fast
 * native one, which takes 11 ms to load and so is fetched only after BIG_AFTER_BYTES of long spans.
 */
function makeCrc(polynomial: number, longFrom: number, small: LongSpan, big: () => LongSpan): Crc {
  const t = makeTables(polynomial);
  let long = small;
  let longBytes = 0;

  function updateLong(c: number, span: Uint8Array): number {
    if (longBytes < BIG_AFTER_BYTES) {
      longBytes += span.length;
      if (longBytes >= BIG_AFTER_BYTES) long = big();
    }
    return ~long(span, ~c >>> 0);
  }

  function update(
    c: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): number {
    if (end - start >= longFrom) return updateLong(c, bytes.subarray(start, end));
    let i = start;
    for (const last = end - 15; i < last; i += 16) {
      c ^= view.getInt32(i, true);
      const d = view.getInt32(i + 4, true);
      const e = view.getInt32(i + 8, true);
      const f = view.getInt32(i + 12, true);
      c =
        t[3840 + (c & 255)]! ^
        t[3584 + ((c >>> 8) & 255)]! ^
        t[3328 + ((c >>> 16) & 255)]! ^
        t[3072 + (c >>> 24)]! ^
        t[2816 + (d & 255)]! ^
        t[2560 + ((d >>> 8) & 255)]! ^
        t[2304 + ((d >>> 16) & 255)]! ^
        t[2048 + (d >>> 24)]! ^
        t[1792 + (e & 255)]! ^
        t[1536 + ((e >>> 8) & 255)]! ^
        t[1280 + ((e >>> 16) & 255)]! ^
        t[1024 + (e >>> 24)]! ^
        t[768 + (f & 255)]! ^
        t[512 + ((f >>> 8) & 255)]! ^
        t[256 + ((f >>> 16) & 255)]! ^
        t[f >>> 24]!;
    }
    for (; i < end; i++) c = (c >>> 8) ^ t[(c ^ bytes[i]!) & 255]!;
    return c;
  }

  return {
    polynomial,
    table: t.subarray(0, 256),
    update,
    updateByte: (c, byte) => (c >>> 8) ^ t[(c ^ byte) & 255]!,
    of(bytes, start = 0, end = bytes.length) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return ~update(CRC_INITIAL, bytes, view, start, end) >>> 0;
    },
  };
}

const BIG_AFTER_BYTES = 16 * 1024 * 1024;

const require = createRequire(import.meta.url);

/**
 * The crc-32 package: plain JavaScript, for what no native code is there. Its seed is a signed CRC.
 */
function pure(module: string): LongSpan {
  let buf: LongSpan | undefined;
  return (bytes, previous) => {
    buf ??= (require(module) as { buf: LongSpan }).buf;
    return buf(bytes, previous | 0) >>> 0;
  };
}

/** @node-rs/crc32, an optional dependency: not there on every platform. */
function native(name: 'crc32' | 'crc32c', otherwise: LongSpan): LongSpan {
  try {
    return (require('@node-rs/crc32') as Record<string, LongSpan>)[name] ?? otherwise;
  } catch {
    return otherwise;
  }
}

// Node has zlib.crc32 from 20.15 and 22.2 on; nothing there knows CRC-32C.
const zlibCrc32 = (zlib as { crc32?: LongSpan }).crc32 ?? pure('crc-32');
const pureCrc32c = pure('crc-32/crc32c');

export const crc32: Crc = makeCrc(0xedb88320 | 0, 512, zlibCrc32, () => native('crc32', zlibCrc32));
export const crc32c: Crc = makeCrc(0x82f63b78 | 0, 512, pureCrc32c, () =>
  native('crc32c', pureCrc32c),
);
