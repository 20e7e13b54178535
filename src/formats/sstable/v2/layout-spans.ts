/** Every byte of a hardened table with its field. */
import { hex32, toHex } from '../../../shared/hex.ts';
import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import { bytesValue } from '../../bytes/value.ts';
import type { ByteSource, ScanContext, Span } from '../../format.ts';
import { readVarint, varint } from '../block-table/varint.ts';
import { typeName } from '../entry-block.ts';
import { readBlockHeader } from './blocks.ts';
import * as wire from './layout.ts';
import { scanV2 } from './scan.ts';

const DETAILED_BYTES_MAX = 4 * 1024 * 1024;

type Field = readonly [
  name: string,
  at: number,
  size: number,
  kind?: 'u16' | 'u32' | 'u64' | 'crc',
];

const TABLE_HEADER: readonly Field[] = [
  ['magic', 0, 8],
  ['version', 8, 2, 'u16'],
  ['header_bytes', 10, 2, 'u16'],
  ['compatible', 12, 4, 'u32'],
  ['incompatible', 16, 4, 'u32'],
  ['block_bytes', 20, 4, 'u32'],
  ['table_id', 24, 8],
  ['crc', 32, 4, 'crc'],
  ['reserved', 36, 28],
];

const BLOCK_HEADER: readonly Field[] = [
  ['magic', 0, 4],
  ['header_crc', 4, 4, 'crc'],
  ['table_id', 8, 8],
  ['number', 16, 4, 'u32'],
  ['kind', 20, 1],
  ['compression', 21, 1],
  ['reserved', 22, 2],
  ['stored_bytes', 24, 4, 'u32'],
  ['raw_bytes', 28, 4, 'u32'],
  ['entries', 32, 4, 'u32'],
  ['payload_crc', 36, 4, 'crc'],
];

const TABLE_FOOTER: readonly Field[] = [
  ['magic', 0, 8],
  ['copy', 8, 4, 'u32'],
  ['blocks', 12, 4, 'u32'],
  ['table_id', 16, 8],
  ['index_at', 24, 8, 'u64'],
  ['file_bytes', 32, 8, 'u64'],
  ['reserved', 40, 20],
  ['crc', 60, 4, 'crc'],
];

function fieldsOf(
  fields: readonly Field[],
  bytes: Uint8Array,
  start: number,
  offset: number,
): Span[] {
  const view = viewOf(bytes);
  return fields.map(([name, at, size, kind]) => {
    const p = start + at;
    const value =
      kind === 'u16'
        ? view.getUint16(p, true)
        : kind === 'u32'
          ? view.getUint32(p, true)
          : kind === 'u64'
            ? Number(view.getBigUint64(p, true))
            : kind === 'crc'
              ? hex32(view.getUint32(p, true))
              : size === 1
                ? bytes[p]
                : { hex: toHex(bytes, p, p + size) };
    return { name, offset: offset + at, length: size, value };
  });
}

interface Place {
  name: string;
  offset: number;
  length: number;
  damage: string | undefined;
}

export async function layoutV2(
  source: ByteSource,
  context: ScanContext,
  visit: (span: Span) => boolean,
): Promise<void> {
  const places: Place[] = [];
  await scanV2(
    source,
    { ...context, depth: 'read' },
    {
      block({ offset, length, rangeDeletions }) {
        places.push({
          name: rangeDeletions ? 'range_deletions_meta' : 'block',
          offset,
          length,
          damage: undefined,
        });
      },
      damage({ lost, offset, length, code }) {
        if (lost && length > 0) places.push({ name: 'damaged', offset, length, damage: code });
      },
      frame(name, offset, length, damage) {
        if (length > 0) places.push({ name, offset, length, damage });
      },
    },
  );
  places.sort((a, b) => a.offset - b.offset);
  for (const place of places) if (!visit(await spanOf(source, place))) return;
}

async function spanOf(source: ByteSource, { name, offset, length, damage }: Place): Promise<Span> {
  const span = { name, offset, length, ...(damage && { damage }) };
  if (name === 'damaged' || length > DETAILED_BYTES_MAX) return span;
  const bytes = await bytesAt(source, offset, length);
  if (bytes.length < length) return span;
  if (name === 'header') {
    return length < wire.HEADER_BYTES
      ? span
      : { ...span, children: fieldsOf(TABLE_HEADER, bytes, 0, offset) };
  }
  if (name === 'footer') return { ...span, children: footers(bytes, offset) };
  const header = readBlockHeader(bytes, viewOf(bytes), 0);
  if (!header) return span;
  const start = wire.BLOCK_HEADER_BYTES;
  const end = start + header.storedBytes;
  const data = (name === 'block' || name === 'range_deletions_meta') && header.compression === 0;
  const inner = data ? entrySpans(bytes, start, end, offset) : undefined;
  const payload: Span = { name: 'payload', offset: offset + start, length: end - start };
  return {
    ...span,
    children: [
      ...fieldsOf(BLOCK_HEADER, bytes, 0, offset),
      ...(inner ?? (end > start ? [payload] : [])),
      ...(end < length ? [{ name: 'padding', offset: offset + end, length: length - end }] : []),
    ],
  };
}

/** Two copies, and zeros between them; what is no copy stands as it is. */
function footers(bytes: Uint8Array, offset: number): Span[] {
  const size = wire.FOOTER_BYTES;
  if (bytes.length < size) return [{ name: 'rest', offset, length: bytes.length }];
  const one = (name: string, at: number): Span => ({
    name,
    offset: offset + at,
    length: size,
    children: fieldsOf(TABLE_FOOTER, bytes, at, offset + at),
  });
  if (bytes.length < 2 * size) {
    const rest = { name: 'rest', offset: offset + size, length: bytes.length - size };
    return rest.length > 0 ? [one('first', 0), rest] : [one('first', 0)];
  }
  const second = bytes.length - size;
  const padding = { name: 'padding', offset: offset + size, length: second - size };
  return [one('first', 0), ...(padding.length > 0 ? [padding] : []), one('second', second)];
}

function entrySpans(
  bytes: Uint8Array,
  start: number,
  end: number,
  base: number,
): Span[] | undefined {
  const view = viewOf(bytes);
  const spans: Span[] = [];
  let p = start;
  while (p < end) {
    const at = p;
    const children: Span[] = [];
    const number = (name: string): number => {
      const from = p;
      p = readVarint(bytes, p, end);
      if (p > 0)
        children.push({ name, offset: base + from, length: p - from, value: varint.value });
      return varint.value;
    };
    const fixed = (name: string, length: number, value: unknown): void => {
      children.push({ name, offset: base + p, length, value });
      p += length;
    };
    number('shared');
    const unshared = p > 0 ? number('unshared') : 0;
    if (p < 0 || p >= end) return undefined;
    const flags = bytes[p]!;
    fixed('flags', 1, flags);
    if (flags & wire.HAS_SEQ && p + 8 <= end) fixed('seq', 8, String(view.getBigUint64(p, true)));
    if (flags & wire.HAS_TIMESTAMP && p + 8 <= end) fixed('timestamp', 8, view.getFloat64(p, true));
    const valueLength = flags & wire.HAS_VALUE ? number('value_length') : 0;
    if (p < 0 || p + unshared + valueLength > end) return undefined;
    fixed('key_delta', unshared, bytesValue(bytes, p, p + unshared));
    if (flags & wire.HAS_VALUE) fixed('value', valueLength, bytesValue(bytes, p, p + valueLength));
    const value = typeName(flags & wire.TYPE_MASK);
    spans.push({ name: 'entry', offset: base + at, length: p - at, value, children });
  }
  return spans;
}
