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
import { zlib } from './node-modules.ts';

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
/** Entries in the tables of one polynomial. */
const ENTRIES = 256 * SLICES;

/** Where the tables of each polynomial begin. */
const ISO = 0;
const CASTAGNOLI = ENTRIES;

const slices = (() => {
  // A constant of a function, not of the module, which a bundler would make a variable of: so V8
  // knows the memory of the tables when it compiles this.
  const t = new Int32Array(2 * ENTRIES);
  return {
    t,
    /** Runs the register over a span with the tables that begin at `k`. */
    update(
      k: number,
      c: number,
      bytes: Uint8Array,
      view: DataView,
      start: number,
      end: number,
    ): number {
      let i = start;
      for (const last = end - 15; i < last; i += 16) {
        c ^= view.getInt32(i, true);
        const d = view.getInt32(i + 4, true);
        const e = view.getInt32(i + 8, true);
        const f = view.getInt32(i + 12, true);
        c =
          t[k | 3840 | (c & 255)]! ^
          t[k | 3584 | ((c >>> 8) & 255)]! ^
          t[k | 3328 | ((c >>> 16) & 255)]! ^
          t[k | 3072 | (c >>> 24)]! ^
          t[k | 2816 | (d & 255)]! ^
          t[k | 2560 | ((d >>> 8) & 255)]! ^
          t[k | 2304 | ((d >>> 16) & 255)]! ^
          t[k | 2048 | (d >>> 24)]! ^
          t[k | 1792 | (e & 255)]! ^
          t[k | 1536 | ((e >>> 8) & 255)]! ^
          t[k | 1280 | ((e >>> 16) & 255)]! ^
          t[k | 1024 | (e >>> 24)]! ^
          t[k | 768 | (f & 255)]! ^
          t[k | 512 | ((f >>> 8) & 255)]! ^
          t[k | 256 | ((f >>> 16) & 255)]! ^
          t[k | (f >>> 24)]!;
      }
      for (; i < end; i++) c = (c >>> 8) ^ t[k | ((c ^ bytes[i]!) & 255)]!;
      return c;
    },
  };
})();

/** Fills the tables of a polynomial; returns the first, of single-byte steps. */
function makeTables(k: number, polynomial: number): Int32Array {
  const tables = slices.t.subarray(k, k + ENTRIES);
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
  return tables.subarray(0, 256);
}

/** Code for long spans: the finished CRC of `bytes` that continues the finished CRC `previous`. */
type LongSpan = (bytes: Uint8Array, previous: number) => number;

/** Bytes from which a call out pays. */
const LONG_FROM_BYTES = 512;

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
const pureCrc32 = pure('crc-32');
let iso: LongSpan | undefined;
const zlibCrc32: LongSpan = (bytes, previous) => {
  iso ??= (zlib() as { crc32?: LongSpan }).crc32 ?? pureCrc32;
  return iso(bytes, previous);
};
const pureCrc32c = pure('crc-32/crc32c');

/**
 * Long spans of one polynomial: `small` is at hand at once; `big` is the fast native code, which
 * takes 11 ms to load and so is fetched only after BIG_AFTER_BYTES.
 */
class LongSpans {
  #bytes = 0;
  #code: LongSpan;

  constructor(
    small: LongSpan,
    readonly big: () => LongSpan,
  ) {
    this.#code = small;
  }

  update(c: number, span: Uint8Array): number {
    if (this.#bytes < BIG_AFTER_BYTES) {
      this.#bytes += span.length;
      if (this.#bytes >= BIG_AFTER_BYTES) this.#code = this.big();
    }
    return ~this.#code(span, ~c >>> 0);
  }
}

function makeCrc(k: number, polynomial: number, update: Crc['update']): Crc {
  const table = makeTables(k, polynomial);
  return {
    polynomial,
    table,
    update,
    updateByte: (c, byte) => (c >>> 8) ^ table[(c ^ byte) & 255]!,
    of(bytes, start = 0, end = bytes.length) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return ~update(CRC_INITIAL, bytes, view, start, end) >>> 0;
    },
  };
}

const isoLong = new LongSpans(zlibCrc32, () => native('crc32', zlibCrc32));
const castagnoliLong = new LongSpans(pureCrc32c, () => native('crc32c', pureCrc32c));

export const crc32: Crc = makeCrc(ISO, 0xedb88320 | 0, (c, bytes, view, start, end) =>
  end - start >= LONG_FROM_BYTES
    ? isoLong.update(c, bytes.subarray(start, end))
    : slices.update(ISO, c, bytes, view, start, end),
);

export const crc32c: Crc = makeCrc(CASTAGNOLI, 0x82f63b78 | 0, (c, bytes, view, start, end) =>
  end - start >= LONG_FROM_BYTES
    ? castagnoliLong.update(c, bytes.subarray(start, end))
    : slices.update(CASTAGNOLI, c, bytes, view, start, end),
);
