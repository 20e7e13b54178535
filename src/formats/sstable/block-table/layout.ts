/** Every byte of a table of LevelDB or RocksDB with its field. */
import { hex32 } from '../../../shared/hex.ts';
import { Turns } from '../../../shared/turns.ts';
import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import { bytesValue } from '../../bytes/value.ts';
import type { ByteSource, ScanContext, Span } from '../../format.ts';
import type { TableVisitor } from '../model.ts';
import { BlockShape } from './block.ts';
import { CHECKSUM_NAMES, EXTENDED_MAGIC, HANDLES_BYTES, TRAILER_BYTES } from './constants.ts';
import type { Footer } from './footer.ts';
import { TableScan } from './scan.ts';
import { BlockTable } from './table.ts';
import { readVarint, varint } from './varint.ts';

/** Blocks up to this size are shown entry by entry. */
const DETAILED_BYTES_MAX = 4 * 1024 * 1024;

interface Place {
  name: string;
  offset: number;
  length: number;
  damage?: string | undefined;
  value?: unknown;
}

export async function layoutBlockTable(
  source: ByteSource,
  context: ScanContext,
  visit: (span: Span) => boolean,
  rocksdb: boolean,
): Promise<void> {
  const table = await BlockTable.load(source, context, rocksdb);
  const places: Place[] = [];
  const visitor: TableVisitor = {
    block({ offset, length, rangeDeletions }) {
      places.push({ name: rangeDeletions ? 'range_deletions_meta' : 'block', offset, length });
    },
    damage({ lost, offset, length, code, message }) {
      if (lost && length > 0) {
        places.push({ name: 'damaged', offset, length, damage: code, value: message });
      }
    },
    frame(name, offset, length, damage) {
      if (length > 0)
        places.push({ name: name === 'padding' ? name : frameName(name), offset, length, damage });
    },
  };
  await new TableScan(table, { ...context, depth: 'quick' }, visitor).run();
  places.sort((a, b) => a.offset - b.offset);
  const turns = new Turns(context);
  for (const place of places) {
    if (turns.due) await turns.take();
    if (!visit(await spanOf(source, table, place))) return;
  }
}

/** As `inspect` tells frames from records. */
function frameName(role: string): string {
  return /(?:index|filter|properties|dictionary|footer)$/.test(role) ? role : `${role}_meta`;
}

async function spanOf(source: ByteSource, table: BlockTable, place: Place): Promise<Span> {
  const { name, offset, length, damage, value } = place;
  const span = {
    name,
    offset,
    length,
    ...(value !== undefined && { value }),
    ...(damage && { damage }),
  };
  if (name === 'damaged' || name === 'padding' || length > DETAILED_BYTES_MAX) return span;
  const bytes = await bytesAt(source, offset, length);
  if (bytes.length < length) return span;
  if (name === 'footer') {
    const { footer } = table;
    return footer ? { ...span, children: footerFields(bytes, footer) } : span;
  }
  if (length <= TRAILER_BYTES) return span;
  const size = length - TRAILER_BYTES;
  const view = viewOf(bytes);
  const type = bytes[size]!;
  const compression = table.unpacker.name(type) ?? type;
  const raw = type === 0 && !/filter$|dictionary$/.test(name);
  const delta = /index$/.test(name) && table.style.deltaValues && name !== 'metaindex';
  const inner = raw ? entryFields(bytes, size, offset, delta) : undefined;
  const end = offset + size;
  return {
    ...span,
    children: [
      ...(inner ?? [{ name: type === 0 ? 'content' : 'compressed', offset, length: size }]),
      { name: 'compression', offset: end, length: 1, value: compression },
      {
        name: 'checksum',
        offset: end + 1,
        length: 4,
        value: hex32(view.getUint32(size + 1, true)),
      },
    ],
  };
}

/** Entries, restarts and their count; undefined where they do not fit. */
function entryFields(
  bytes: Uint8Array,
  size: number,
  base: number,
  delta: boolean,
): Span[] | undefined {
  const view = viewOf(bytes);
  const shape = new BlockShape();
  if (!shape.read(view, 0, size)) return undefined;
  const spans: Span[] = [];
  let p = 0;
  while (p < shape.entriesEnd) {
    const end = delta
      ? deltaEntry(bytes, p, shape.entriesEnd, base, spans)
      : plainEntry(bytes, p, shape.entriesEnd, base, spans);
    if (end < 0) return undefined;
    p = end;
  }
  const restartsAt = shape.entriesEnd;
  const count = 4 * shape.restarts;
  if (count > 0) {
    const restarts = Array.from({ length: Math.min(shape.restarts, 64) }, (_, i) =>
      view.getUint32(restartsAt + 4 * i, true),
    );
    spans.push({ name: 'restarts', offset: base + restartsAt, length: count, value: restarts });
  }
  const hash = size - 4 - restartsAt - count;
  if (hash > 0) {
    const value = `${shape.buckets} buckets`;
    spans.push({ name: 'hash_index', offset: base + restartsAt + count, length: hash, value });
  }
  const word = view.getUint32(size - 4, true);
  spans.push({ name: 'restart_count', offset: base + size - 4, length: 4, value: word });
  return spans;
}

function plainEntry(b: Uint8Array, at: number, end: number, base: number, spans: Span[]): number {
  const children: Span[] = [];
  const values: number[] = [];
  let p = at;
  for (const name of ['shared', 'unshared', 'value_length']) {
    const from = p;
    p = readVarint(b, p, end);
    if (p < 0) return -1;
    values.push(varint.value);
    children.push({ name, offset: base + from, length: p - from, value: varint.value });
  }
  const [, unshared, valueLength] = values as [number, number, number];
  const to = p + unshared + valueLength;
  if (to > end) return -1;
  const key = bytesValue(b, p, p + unshared);
  children.push({ name: 'key_delta', offset: base + p, length: unshared, value: key });
  p += unshared;
  const value = bytesValue(b, p, to);
  children.push({ name: 'value', offset: base + p, length: valueLength, value });
  spans.push({ name: 'entry', offset: base + at, length: to - at, children });
  return to;
}

/** An entry of an index whose values are differences: it has no value length. */
function deltaEntry(b: Uint8Array, at: number, end: number, base: number, spans: Span[]): number {
  let p = readVarint(b, at, end);
  const shared = varint.value;
  if (p > 0) p = readVarint(b, p, end);
  const unshared = varint.value;
  if (p < 0 || p + unshared > end) return -1;
  const keyAt = p;
  p = readVarint(b, p + unshared, end);
  if (p > 0 && shared === 0) p = readVarint(b, p, end);
  if (p < 0) return -1;
  const valueAt = keyAt + unshared;
  const children: Span[] = [
    { name: 'lengths', offset: base + at, length: keyAt - at, value: { shared, unshared } },
    {
      name: 'key_delta',
      offset: base + keyAt,
      length: unshared,
      value: bytesValue(b, keyAt, valueAt),
    },
    {
      name: 'handle',
      offset: base + valueAt,
      length: p - valueAt,
      value: bytesValue(b, valueAt, p),
    },
  ];
  spans.push({ name: 'entry', offset: base + at, length: p - at, children });
  return p;
}

function footerFields(bytes: Uint8Array, footer: Footer): Span[] {
  const { offset, rocksdb, version, length } = footer;
  const view = viewOf(bytes);
  const spans: Span[] = [];
  const field = (name: string, at: number, size: number, value?: unknown): void => {
    const span = { name, offset: offset + at, length: size };
    spans.push(value === undefined ? span : { ...span, value });
  };
  let p = 0;
  if (rocksdb) field('checksum_type', p++, 1, CHECKSUM_NAMES[bytes[0]!] ?? bytes[0]);
  const end = p + HANDLES_BYTES;
  if (rocksdb && version >= 6 && view.getUint32(1, true) === EXTENDED_MAGIC) {
    field('extended_magic', 1, 4, hex32(EXTENDED_MAGIC));
    field('footer_checksum', 5, 4, hex32(view.getUint32(5, true)));
    field('base_context_checksum', 9, 4, hex32(view.getUint32(9, true)));
    field('metaindex_size', 13, 4, view.getUint32(13, true));
    field('reserved', 17, 24);
  } else {
    for (const name of ['metaindex_handle', 'index_handle']) {
      const from = p;
      let next = readVarint(bytes, p, end);
      const at = varint.value;
      if (next > 0) next = readVarint(bytes, next, end);
      if (next < 0) break;
      p = next;
      field(name, from, p - from, { offset: at, size: varint.value });
    }
    if (p < end) field('padding', p, end - p);
  }
  if (rocksdb) field('format_version', end, 4, version);
  const magic = hex32(view.getUint32(length - 4, true)) + hex32(view.getUint32(length - 8, true));
  field('magic', length - 8, 8, magic);
  return spans;
}
