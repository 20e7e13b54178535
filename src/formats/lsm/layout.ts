/** The layout of a manifest of ours, field by field. */
import { hex32 } from '../../shared/hex.ts';
import { bytesAt, viewOf } from '../bytes/read-fully.ts';
import { bytesValue } from '../bytes/value.ts';
import type { ByteSource, Span } from '../format.ts';
import { examineManifest } from './examine-manifest.ts';
import { CRC_AT, ENTRY_BYTES, HEADER_BYTES } from './manifest.ts';

type Field = readonly [name: string, at: number, length: number];

const HEADER: readonly Field[] = [
  ['magic', 0, 8],
  ['version', 8, 2],
  ['bytes', 10, 2],
  ['compatible', 12, 4],
  ['incompatible', 16, 4],
  ['tables', 20, 4],
  ['store_id', 24, 8],
  ['generation', 32, 8],
  ['flushed_seq', 40, 8],
  ['next_file', 48, 4],
  ['bytes_behind', 52, 4],
  ['reserved', 56, 4],
  ['crc', CRC_AT, 4],
];

const ENTRY: readonly Field[] = [
  ['crc', 0, 4],
  ['file', 4, 4],
  ['level', 8, 1],
  ['reserved', 9, 3],
  ['file_crc', 12, 4],
  ['bytes', 16, 8],
  ['entries', 24, 8],
  ['seq_first', 32, 8],
  ['seq_last', 40, 8],
  ['deletions', 48, 4],
  ['range_deletions', 52, 4],
  ['first_length', 56, 4],
  ['last_length', 60, 4],
];

/** What is damaged is one span. */
export async function layoutManifest(
  source: ByteSource,
  visit: (span: Span) => boolean,
): Promise<void> {
  const bytes = await bytesAt(source, 0, source.size ?? 0);
  const { header, tables, findings } = examineManifest(bytes);
  const spans: Span[] = findings
    .filter(({ code, length }) => code === 'bad-manifest' && length >= HEADER_BYTES)
    .map(({ offset, length, code }) => ({ name: 'damaged', offset, length, damage: code }));
  if (header) spans.push(spanOf('header', bytes, 0, HEADER_BYTES, HEADER, []));
  for (const { entry, offset, length } of tables) {
    const middle = ENTRY_BYTES + entry.firstKey.length;
    const keys: Field[] = [
      ['first_key', ENTRY_BYTES, entry.firstKey.length],
      ['last_key', middle, entry.lastKey.length],
    ];
    spans.push(spanOf('table', bytes, offset, length, ENTRY, keys));
  }
  spans.sort((a, b) => a.offset - b.offset);
  for (const span of spans) if (!visit(span)) return;
}

function spanOf(
  name: string,
  bytes: Uint8Array,
  offset: number,
  length: number,
  fields: readonly Field[],
  keys: readonly Field[],
): Span {
  const own = bytes.subarray(offset, offset + length);
  const children = [...fields, ...keys]
    .filter(([, , size]) => size > 0)
    .map(([field, at, size]) => ({
      name: field,
      offset: offset + at,
      length: size,
      ...(field !== 'reserved' && { value: shownValue(own, field, at, size) }),
    }));
  return { name, offset, length, children };
}

function shownValue(bytes: Uint8Array, name: string, at: number, size: number): unknown {
  const view = viewOf(bytes);
  if (name === 'magic' || name.endsWith('_key')) {
    return bytesValue(bytes, at, at + size);
  }
  if (name.endsWith('crc')) return hex32(view.getUint32(at, true));
  if (size === 1) return bytes[at];
  if (size === 2) return view.getUint16(at, true);
  if (size === 4) return view.getUint32(at, true);
  const value = view.getBigUint64(at, true);
  return name !== 'store_id' && value < 2n ** 53n ? Number(value) : String(value);
}
