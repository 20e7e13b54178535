/** Every byte of a hardened table with its field. */

import { hex32 } from '../../../shared/hex.ts';
import { Turns } from '../../../shared/turns.ts';
import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import { bytesValue } from '../../bytes/value.ts';
import type { ByteSource, ScanContext, Span } from '../../format.ts';
import { typeName } from '../entry-block.ts';
import { varint, varintAt } from './block.ts';
import * as names from './layout.ts';
import { V2Scan } from './scan.ts';
import { V2Table } from './table.ts';

/** Blocks up to this size are shown field by field. */
const DETAILED_BYTES_MAX = 4 * 1024 * 1024;

interface Piece {
  name: string;
  offset: number;
  length: number;
  damage?: string | undefined;
  value?: unknown;
}

export async function layoutV2(
  source: ByteSource,
  context: ScanContext,
  visit: (span: Span) => boolean,
): Promise<void> {
  const table = await V2Table.load(source, context);
  const pieces: Piece[] = [];
  await new V2Scan(
    table,
    { ...context, depth: 'quick' },
    {
      block({ offset, length, rangeDeletions }) {
        pieces.push({ name: rangeDeletions ? 'range_deletions_meta' : 'block', offset, length });
      },
      damage({ lost, offset, length, code, message }) {
        if (lost && length > 0) {
          pieces.push({ name: 'damaged', offset, length, damage: code, value: message });
        }
      },
      frame(name, offset, length, damage) {
        if (length > 0) pieces.push({ name, offset, length, damage });
      },
    },
  ).run();
  pieces.sort((a, b) => a.offset - b.offset);
  const turns = new Turns(context);
  for (const piece of pieces) {
    if (turns.due) await turns.take();
    if (!visit(await spanOf(source, piece))) return;
  }
}

async function spanOf(source: ByteSource, piece: Piece): Promise<Span> {
  const { name, offset, length, damage, value } = piece;
  const span = {
    name,
    offset,
    length,
    ...(value !== undefined && { value }),
    ...(damage && { damage }),
  };
  if (name === 'damaged' || damage || length > DETAILED_BYTES_MAX) return span;
  const bytes = await bytesAt(source, offset, length);
  if (bytes.length < length) return span;
  const fields = new Fields(bytes, offset);
  if (name === 'header') header(fields);
  else if (name === 'footer') footer(fields);
  else block(fields, name);
  return { ...span, children: fields.spans };
}

/** Puts fields one behind the other. */
class Fields {
  readonly spans: Span[] = [];
  readonly view: DataView;
  at = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly base: number,
  ) {
    this.view = viewOf(bytes);
  }

  field(name: string, length: number, value?: unknown): void {
    const span = { name, offset: this.base + this.at, length };
    if (length > 0) this.spans.push(value === undefined ? span : { ...span, value });
    this.at += length;
  }

  u16 = (name: string): void => this.field(name, 2, this.view.getUint16(this.at, true));
  u32 = (name: string): void => this.field(name, 4, this.view.getUint32(this.at, true));
  crc = (name: string): void => this.field(name, 4, hex32(this.view.getUint32(this.at, true)));
  u64 = (name: string): void =>
    this.field(name, 8, this.view.getBigUint64(this.at, true).toString());
  text = (name: string, length: number): void =>
    this.field(name, length, bytesValue(this.bytes, this.at, this.at + length));
}

function header(f: Fields): void {
  f.text('magic', 8);
  f.u16('version');
  f.u16('bytes');
  for (const name of ['compatible', 'incompatible', 'block_bytes']) f.u32(name);
  f.u64('file_id');
  f.u32('restart_every');
  f.u32('filter_bits');
  f.field('reserved', 20);
  f.crc('crc');
}

function footer(f: Fields): void {
  f.text('magic', 8);
  f.crc('file_crc');
  f.u32('copy');
  f.u64('file_bytes');
  f.u64('data_end');
  for (const place of names.PLACES) {
    const offset = f.view.getBigUint64(f.at, true).toString();
    f.field(place, 12, { offset, bytes: f.view.getUint32(f.at + 8, true) });
  }
  f.u64('entries');
  f.u32('data_blocks');
  f.u32('block_bytes');
  f.u64('file_id');
  f.u32('restart_every');
  f.u32('filter_bits');
  f.text('magic_again', 8);
  f.field('reserved', 4);
  f.crc('crc');
}

function block(f: Fields, name: string): void {
  const stored = f.view.getUint32(16, true);
  const entries = f.view.getUint32(24, true);
  f.crc('head_crc');
  f.crc('body_crc');
  const packed = f.bytes[9] !== 0;
  f.field('kind', 1, names.KIND_NAMES[f.bytes[8]!] ?? f.bytes[8]);
  f.field('compression', 1, names.COMPRESSION_NAMES[f.bytes[9]!] ?? f.bytes[9]);
  f.u16('reserved');
  for (const one of ['number', 'stored_bytes', 'raw_bytes', 'entries', 'reserved']) f.u32(one);
  const end = names.HEAD_BYTES + stored;
  if (packed) f.field('compressed', stored);
  else if (name === 'block' || name === 'range_deletions_meta') entryFields(f, entries, end);
  else if (name === 'index') indexFields(f, entries);
  else if (name === 'filter') {
    f.u32('lines');
    f.u32('probes');
    f.field('reserved', names.FILTER_HEAD_BYTES - 8);
    f.field('lines', end - f.at);
  } else if (name === 'properties') propertyFields(f);
  f.field('content', Math.max(0, end - f.at));
  f.field('padding', f.bytes.length - f.at);
}

function entryFields(f: Fields, entries: number, end: number): void {
  const restarts = f.view.getUint32(end - 4, true);
  for (let i = 0; i < entries && f.at < end; i++) {
    const one = new Fields(f.bytes, f.base);
    one.at = f.at;
    const lengths: number[] = [];
    for (const name of ['shared', 'unshared', 'value_length']) {
      const to = varintAt(f.bytes, one.at, end);
      if (to < 0) return;
      lengths.push(varint.value);
      one.field(name, to - one.at, varint.value);
    }
    if (one.at + lengths[1]! + lengths[2]! + names.TAG_BYTES > end) return;
    one.text('key_delta', lengths[1]!);
    const seq = f.view.getBigUint64(one.at, true) & 0xff_ffff_ffff_ffffn;
    one.field('seq', names.SEQ_BYTES, seq.toString());
    const type = f.bytes[one.at]!;
    one.field('type', 1, typeName(type & 0x7f));
    if (type >= names.TIMED) one.field('timestamp', 8, f.view.getFloat64(one.at, true));
    one.text('value', lengths[2]!);
    f.spans.push({
      name: 'entry',
      offset: f.base + f.at,
      length: one.at - f.at,
      children: one.spans,
    });
    f.at = one.at;
  }
  f.field('restarts', Math.max(0, Math.min(4 * restarts, end - 4 - f.at)));
  if (f.at + 4 === end) f.u32('restart_count');
}

function indexFields(f: Fields, entries: number): void {
  for (let i = 0; i < entries; i++) {
    const length = f.view.getUint32(f.at + 12, true);
    const key = f.at + names.INDEX_ENTRY_BYTES;
    const value = {
      offset: f.view.getUint32(f.at, true) * names.ALIGN_BYTES,
      bytes: f.view.getUint32(f.at + 4, true),
      entries: f.view.getUint32(f.at + 8, true),
      lastKey: bytesValue(f.bytes, key, key + length),
    };
    f.field('index_entry', names.INDEX_ENTRY_BYTES + length, value);
  }
}

function propertyFields(f: Fields): void {
  const [first, last] = [f.view.getUint32(f.at + 72, true), f.view.getUint32(f.at + 76, true)];
  for (const name of names.COUNTS) f.u64(name);
  f.u32('first_key_length');
  f.u32('last_key_length');
  f.text('first_key', first);
  f.text('last_key', last);
}
