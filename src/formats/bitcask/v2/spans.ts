/** The layout of a data file, a hint file or the manifest, field by field. */
import { crc32c } from '../../../shared/crc32.ts';
import { hex32 } from '../../../shared/hex.ts';
import { bytesValue } from '../../bytes/value.ts';
import { Window } from '../../bytes/window.ts';
import type { ByteSource, Span } from '../../format.ts';
import type { BitcaskScanContext } from '../model.ts';
import { decodeDataHeader, decodeHintHeader, storeIdText, viewOf } from './headers.ts';
import { HintPlace, readHintHeader, visitBlock } from './hint.ts';
import {
  ENTRY_HEAD_BYTES,
  HEAD_BYTES,
  HEADER_BYTES,
  HEADER_CRC_AT,
  hintFile,
  MANIFEST_ENTRY_BYTES,
  MANIFEST_NAME,
} from './layout.ts';
import { entryCrc } from './manifest.ts';
import { scanData } from './scan.ts';
import { readBlock } from './scan-hint.ts';

type Visit = (span: Span) => boolean;

export async function layoutV2(
  source: ByteSource,
  context: BitcaskScanContext,
  visit: Visit,
): Promise<void> {
  if (source.name === MANIFEST_NAME) await manifestLayout(source, context, visit);
  else if (hintFile(source.name) !== undefined) await hintLayout(source, context, visit);
  else await dataLayout(source, context, visit);
}

/** Fields of a stretch of bytes. `base`: file offset of the first. */
class Fields {
  readonly spans: Span[] = [];
  readonly #view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    readonly base: number,
  ) {
    this.#view = viewOf(bytes);
  }

  add(name: string, at: number, length: number, value?: unknown): this {
    const span = { name, offset: this.base + at, length };
    this.spans.push(value === undefined ? span : { ...span, value });
    return this;
  }

  u16(name: string, at: number): this {
    return this.add(name, at, 2, this.#view.getUint16(at, true));
  }

  u32(name: string, at: number): this {
    return this.add(name, at, 4, this.#view.getUint32(at, true));
  }

  crc(name: string, at: number): this {
    return this.add(name, at, 4, hex32(this.#view.getUint32(at, true)));
  }

  u64(name: string, at: number): this {
    const value = this.#view.getBigUint64(at, true);
    return this.add(name, at, 8, value < 2n ** 53n ? Number(value) : String(value));
  }

  /** Milliseconds since the epoch. */
  u48(name: string, at: number): this {
    const high = this.#view.getUint16(at + 4, true);
    return this.add(name, at, 6, high * 2 ** 32 + this.#view.getUint32(at, true));
  }

  /** Seconds since the epoch. JSON has no word for what is no number. */
  f64(name: string, at: number): this {
    const value = this.#view.getFloat64(at, true);
    return this.add(name, at, 8, Number.isFinite(value) ? value : String(value));
  }

  u8(name: string, at: number): this {
    return this.add(name, at, 1, this.bytes[at]);
  }

  data(name: string, at: number, length: number): this {
    return this.add(name, at, length, bytesValue(this.bytes, at, at + length));
  }

  /** What all headers begin with. `counted`: what the field at 20 counts. */
  begin(counted: string): this {
    this.data('magic', 0, 8).u16('version', 8).u16('bytes', 10);
    this.u32('compatible', 12).u32('incompatible', 16).u32(counted, 20);
    return this.add('store_id', 24, 8, storeIdText(this.#view.getBigUint64(24, true)));
  }

  done(name: string, damage: string | undefined, value?: unknown): Span {
    const { base: offset, bytes, spans: children } = this;
    const span = { name, offset, length: bytes.length, children };
    return { ...span, ...(value !== undefined && { value }), ...(damage && { damage }) };
  }
}

function unreadable(offset: number, end: number, damage: string, why: string): Span {
  return { name: 'damaged', offset, length: end - offset, value: why, damage };
}

async function dataLayout(
  source: ByteSource,
  context: BitcaskScanContext,
  visit: Visit,
): Promise<void> {
  const window = new Window(source, context);
  await window.fill(0, HEADER_BYTES);
  let going = true;
  let end = 0;
  const tell = (span: Span): void => {
    end = span.offset + span.length;
    going = visit(span);
  };
  if (window.count >= HEADER_BYTES) {
    const bytes = window.bytes.slice(0, HEADER_BYTES);
    const fields = new Fields(bytes, 0).begin('file').u8('kind', 32).add('reserved', 33, 27);
    const intact = decodeDataHeader(bytes)?.intact === true;
    tell(fields.crc('crc', 60).done('header', intact ? undefined : 'bad-header'));
  }
  let unread: string | undefined;
  await scanData(source, context, {
    record({ offset, length, deleted, bytes, keyStart, keyEnd }) {
      const at = keyStart - HEAD_BYTES;
      const keyLength = keyEnd - keyStart;
      const fields = new Fields(bytes.subarray(at, at + length), offset);
      fields.crc('head_crc', 0).crc('body_crc', 4).u64('seq', 8);
      fields.u32('key_length', 16).u32('value_length', 20).f64('timestamp', 24);
      fields.u48('expires', 32).u8('kind', 38).u8('flags', 39).u32('unsynced', 40);
      fields.data('key', HEAD_BYTES, keyLength);
      fields.data('value', HEAD_BYTES + keyLength, length - HEAD_BYTES - keyLength);
      tell(fields.done('record', undefined, deleted ? 'delete' : 'put'));
    },
    damage({ offset, length, code, message, lost }) {
      if (code === 'unsupported') unread = message;
      if (lost && length > 0) tell(unreadable(offset, offset + length, code, message));
    },
    done: () => !going,
  });
  const size = source.size ?? end;
  if (going && unread !== undefined && size > end) {
    visit(unreadable(end, size, 'unsupported', unread));
  }
}

async function hintLayout(
  source: ByteSource,
  context: BitcaskScanContext,
  visit: Visit,
): Promise<void> {
  const window = new Window(source, context);
  await window.fill(0, HEADER_BYTES);
  const size = source.size ?? window.end;
  const bytes = window.bytes.slice(0, Math.min(window.count, HEADER_BYTES));
  const header = readHintHeader(bytes, source.size);
  if (bytes.length < HEADER_BYTES) {
    if (size > 0) visit(unreadable(0, size, 'hint-corrupt', String(header)));
    return;
  }
  const fields = new Fields(bytes, 0).begin('file').u64('data_bytes', 32).u32('entries', 40);
  fields.u32('blocks', 44).u64('hint_bytes', 48).u32('reserved', 56).crc('crc', 60);
  const intact = decodeHintHeader(bytes)?.intact === true;
  if (!visit(fields.done('header', intact ? undefined : 'hint-corrupt'))) return;
  let at = HEADER_BYTES;
  let why = typeof header === 'string' ? header : 'these bytes follow the last block';
  if (typeof header === 'object') {
    for (let index = 0; index < header.blocks; index++) {
      const problem = await readBlock(window, at, header, index);
      if (problem !== undefined) {
        why = problem;
        break;
      }
      const span = blockSpan(window, at);
      if (!visit(span)) return;
      at += span.length;
    }
  }
  const end = source.size ?? window.end;
  if (end > at) visit(unreadable(at, end, 'hint-corrupt', why));
}

function blockSpan({ bytes, view, base }: Window, at: number): Span {
  const p = at - base;
  const length = view.getUint32(p + 4, true);
  const block = new Fields(bytes.subarray(p, p + length), at);
  block.crc('crc', 0).u32('bytes', 4).u32('block', 8).u32('entries', 12);
  visitBlock(bytes, view, p, new HintPlace(), ({ start, keyEnd, deleted }) => {
    const entry = new Fields(bytes.subarray(start, keyEnd), base + start);
    entry.u32('position', 0).u32('key_length', 4).u32('value_length', 8).u64('seq', 12);
    entry.u48('expires', 20).u8('kind', 26).u8('flags', 27);
    entry.data('key', ENTRY_HEAD_BYTES, keyEnd - start - ENTRY_HEAD_BYTES);
    block.spans.push(entry.done('entry', undefined, deleted ? 'delete' : 'put'));
  });
  return block.done('block', undefined, view.getUint32(p + 8, true));
}

async function manifestLayout(
  source: ByteSource,
  context: BitcaskScanContext,
  visit: Visit,
): Promise<void> {
  const window = new Window(source, context);
  let headerCrc = 0;
  for (let at = 0, index = -1; ; index++) {
    const length = at === 0 ? HEADER_BYTES : MANIFEST_ENTRY_BYTES;
    await window.fill(at, length);
    const start = at - window.base;
    const bytes = window.bytes.slice(start, Math.min(window.count, start + length));
    if (bytes.length === 0) return;
    let span: Span;
    if (bytes.length < length) {
      const message = `${bytes.length} bytes, expected ${length}`;
      span = unreadable(at, at + bytes.length, 'bad-manifest', message);
    } else if (at === 0) {
      headerCrc = viewOf(bytes).getUint32(HEADER_CRC_AT, true);
      span = manifestHeader(bytes);
    } else span = manifestEntry(bytes, at, entryCrc(bytes, viewOf(bytes), headerCrc, index));
    if (!visit(span)) return;
    at += bytes.length;
  }
}

function manifestHeader(bytes: Uint8Array): Span {
  const fields = new Fields(bytes, 0).begin('files').u64('generation', 32).u64('next_seq', 40);
  fields.u32('next_file', 48).u8('closed', 52).add('reserved', 53, 7).crc('crc', 60);
  const stored = viewOf(bytes).getUint32(HEADER_CRC_AT, true);
  const holds = crc32c.of(bytes, 0, HEADER_CRC_AT) === stored;
  return fields.done('header', holds ? undefined : 'bad-manifest');
}

function manifestEntry(bytes: Uint8Array, at: number, computed: number): Span {
  const fields = new Fields(bytes, at).u32('file', 0).u32('flags', 4).u64('data_bytes', 8);
  fields.u64('records', 16).u64('seq_first', 24).u64('seq_last', 32);
  fields.crc('data_crc', 40).crc('hint_crc', 44).add('reserved', 48, 12).crc('crc', 60);
  const holds = viewOf(bytes).getUint32(HEADER_CRC_AT, true) === computed;
  return fields.done('entry', holds ? undefined : 'bad-manifest');
}
