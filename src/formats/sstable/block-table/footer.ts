/** The footer: which of the two formats, which checksums, where index and metaindex are. */
import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import type { ByteSource } from '../../format.ts';
import { blockChecksum, contextOf } from './checksum.ts';
import {
  CHECKSUM,
  CHECKSUM_NAMES,
  EXTENDED_MAGIC,
  FOOTER_BYTES_MAX,
  HANDLES_BYTES,
  LEVELDB_FOOTER_BYTES,
  LEVELDB_MAGIC,
  OTHER_MAGICS,
  ROCKSDB_FOOTER_BYTES,
  ROCKSDB_MAGIC,
  TRAILER_BYTES,
  VERSION_CONTEXT,
  VERSION_MAX,
} from './constants.ts';
import { readVarint, varint } from './varint.ts';

export interface Handle {
  offset: number;
  size: number;
}

export interface Footer {
  /** Where it begins, and its bytes. */
  offset: number;
  length: number;
  rocksdb: boolean;
  /** 0 for LevelDB's. */
  version: number;
  checksum: number;
  base: number;
  metaindex: Handle | undefined;
  /** In the metaindex from version 6 on. */
  index: Handle | undefined;
}

export interface FooterFault {
  code: 'bad-magic' | 'bad-footer';
  offset: number;
  length: number;
  message: string;
}

export interface ReadFooter {
  footer: Footer | undefined;
  faults: FooterFault[];
}

const hex = (high: number, low: number): string =>
  (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0');

/** `rocksdb`: which of the two it should be, for a footer whose magic is hit. */
export async function readFooter(source: ByteSource, rocksdb: boolean): Promise<ReadFooter> {
  const size = source.size ?? 0;
  const tail = await bytesAt(
    source,
    Math.max(0, size - FOOTER_BYTES_MAX),
    Math.min(size, FOOTER_BYTES_MAX),
  );
  if (tail.length < LEVELDB_FOOTER_BYTES) {
    const message = `${size} bytes, a footer has at least ${LEVELDB_FOOTER_BYTES}`;
    return {
      footer: undefined,
      faults: [{ code: 'bad-footer', offset: 0, length: size, message }],
    };
  }
  const view = viewOf(tail);
  const low = view.getUint32(tail.length - 8, true);
  const high = view.getUint32(tail.length - 4, true);
  const isRocks = low === ROCKSDB_MAGIC[0] && high === ROCKSDB_MAGIC[1];
  const isLevel = low === LEVELDB_MAGIC[0] && high === LEVELDB_MAGIC[1];
  const faults: FooterFault[] = [];
  const family = isRocks || (!isLevel && rocksdb);
  if (!isRocks && !isLevel) {
    const other = OTHER_MAGICS[hex(high, low)];
    const expected = rocksdb ? hex(...swap(ROCKSDB_MAGIC)) : hex(...swap(LEVELDB_MAGIC));
    const message = `magic ${hex(high, low)}, expected ${expected}`;
    faults.push({
      code: 'bad-magic',
      offset: size - 8,
      length: 8,
      message: other ? `${message}: this is ${other}` : message,
    });
  }
  const length = family ? ROCKSDB_FOOTER_BYTES : LEVELDB_FOOTER_BYTES;
  if (tail.length < length) {
    faults.push({
      code: 'bad-footer',
      offset: 0,
      length: size,
      message: `${size} bytes, the footer has ${length}`,
    });
    return { footer: undefined, faults };
  }
  const bytes = tail.slice(tail.length - length);
  const offset = size - length;
  const footer = family ? parseRocks(bytes, offset, faults) : parseLevel(bytes, offset, faults);
  // Without its magic, only what is whole otherwise is taken for a footer that was hit.
  if (!isRocks && !isLevel && faults.length > 1)
    return { footer: undefined, faults: faults.slice(0, 1) };
  return { footer, faults };
}

function swap([low, high]: readonly [number, number]): [number, number] {
  return [high, low];
}

function parseLevel(bytes: Uint8Array, offset: number, faults: FooterFault[]): Footer {
  const handles = readHandles(bytes, 0, offset, offset, faults);
  const length = LEVELDB_FOOTER_BYTES;
  return {
    offset,
    length,
    rocksdb: false,
    version: 0,
    checksum: CHECKSUM.crc32c,
    base: 0,
    ...handles,
  };
}

function parseRocks(bytes: Uint8Array, offset: number, faults: FooterFault[]): Footer {
  const view = viewOf(bytes);
  const checksum = bytes[0]!;
  const version = view.getUint32(1 + HANDLES_BYTES, true);
  const fault = (at: number, length: number, message: string): void => {
    faults.push({ code: 'bad-footer', offset: offset + at, length, message });
  };
  const named = CHECKSUM_NAMES[checksum] !== undefined;
  if (!named) fault(0, 1, `checksum type ${checksum} is not known`);
  const known = version >= 1 && version <= VERSION_MAX;
  if (!known) {
    fault(
      1 + HANDLES_BYTES,
      4,
      `format_version ${version} is not known: up to ${VERSION_MAX} are read`,
    );
  }
  const extended = view.getUint32(1, true) === EXTENDED_MAGIC;
  const head = { offset, length: ROCKSDB_FOOTER_BYTES, rocksdb: true, version, checksum };
  if (version < VERSION_CONTEXT && !(extended && !known)) {
    return { ...head, base: 0, ...readHandles(bytes, 1, offset, offset, faults) };
  }
  if (!extended) {
    fault(1, 4, `extended magic ${hex(0, view.getUint32(1, true)).slice(8)}, expected 007a003e`);
    return { ...head, base: 0, metaindex: undefined, index: undefined };
  }
  const stored = view.getUint32(5, true);
  const base = view.getUint32(9, true);
  const size = view.getUint32(13, true);
  const copy = bytes.slice();
  viewOf(copy).setUint32(5, 0, true);
  const plain = blockChecksum(checksum, copy, viewOf(copy), 0, copy.length - 1);
  const computed = (plain + contextOf(base, offset)) >>> 0;
  if (checksum !== CHECKSUM.none && stored !== computed) {
    fault(
      5,
      4,
      `stored ${hex(0, stored).slice(8)}, computed ${hex(0, computed).slice(8)} over the footer`,
    );
  }
  const at = offset - TRAILER_BYTES - size;
  if (at < 0)
    fault(13, 4, `the metaindex has ${size} bytes, the file has ${offset} before its footer`);
  for (let i = 17; i < 41; i++) {
    if (bytes[i] === 0) continue;
    fault(i, 1, `reserved byte ${bytes[i]} is not zero: a feature that is not known`);
    break;
  }
  return { ...head, base, metaindex: at < 0 ? undefined : { offset: at, size }, index: undefined };
}

function readHandles(
  bytes: Uint8Array,
  from: number,
  offset: number,
  limit: number,
  faults: FooterFault[],
): { metaindex: Handle | undefined; index: Handle | undefined } {
  const end = from + HANDLES_BYTES;
  const found: (Handle | undefined)[] = [];
  let p = from;
  for (const name of ['metaindex', 'index']) {
    const start = p;
    p = readVarint(bytes, p, end);
    const at = varint.value;
    if (p > 0) p = readVarint(bytes, p, end);
    const size = varint.value;
    const whole = p > 0 && at + size + TRAILER_BYTES <= limit;
    found.push(whole ? { offset: at, size } : undefined);
    if (whole) continue;
    const message =
      p < 0
        ? `the ${name} handle is no pair of varints`
        : `the ${name} handle says ${at} +${size}, the blocks end at ${limit}`;
    faults.push({ code: 'bad-footer', offset: offset + start, length: end - start, message });
    if (p < 0) p = end;
  }
  for (let i = Math.max(p, from); i < end; i++) {
    if (bytes[i] === 0) continue;
    const message = `padding byte ${bytes[i]} behind the handles, expected 0`;
    faults.push({ code: 'bad-footer', offset: offset + i, length: 1, message });
    break;
  }
  return { metaindex: found[0], index: found[1] };
}
