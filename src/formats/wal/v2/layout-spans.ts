/**
 * The layout of a segment of the hardened log: headers, fragments, padding, each with its fields.
 */
import { crc32c } from '../../../shared/crc32.ts';
import { hex32 } from '../../../shared/hex.ts';
import { bytesValue } from '../../bytes/value.ts';
import { Window } from '../../bytes/window.ts';
import type { ByteSource, Span } from '../../format.ts';
import { WalRecord, type WalScanContext } from '../model.ts';
import { decodeBlockHeader, decodeSegmentHeader } from './headers.ts';
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  blockStart,
  FRAGMENT_BYTES_MIN,
  FRAGMENT_HEADER_BYTES,
  FULL,
  MARK,
  MARK_BYTES,
  MARK_CRC_AT,
  MARKS,
  OP_PUT,
  OPS,
  SEGMENT_HEADER_BYTES,
  TYPES,
} from './layout.ts';
import { visitOperations } from './payload.ts';

export async function layoutV2(
  source: ByteSource,
  context: WalScanContext,
  visit: (span: Span) => boolean,
): Promise<void> {
  const window = new Window(source, context);
  for (let at = 0; ; at += BLOCK_BYTES) {
    await window.fill(at, BLOCK_BYTES);
    const available = Math.min(BLOCK_BYTES, window.end - at);
    if (available <= 0) return;
    const start = at - window.base;
    const bytes = window.bytes.subarray(start, start + available);
    const spans = new BlockLayout(bytes, at).spans(at / BLOCK_BYTES);
    for (const span of spans) if (!visit(span)) return;
  }
}

class BlockLayout {
  readonly #view: DataView;
  readonly #spans: Span[] = [];

  constructor(
    readonly bytes: Uint8Array,
    /** File offset of the block. */
    readonly base: number,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  spans(block: number): Span[] {
    const { bytes } = this;
    const end = bytes.length;
    if (block === 0) {
      if (end < SEGMENT_HEADER_BYTES) return [this.#rest('segment header (cut)', 0, end)];
      this.#spans.push(this.#segmentHeader());
    }
    const headerAt = blockStart(block) - BLOCK_HEADER_BYTES;
    const first = headerAt + BLOCK_HEADER_BYTES;
    if (first > end || bytes.subarray(headerAt, first).every((byte) => byte === 0)) {
      if (headerAt < end) this.#spans.push(this.#rest('block header (cut)', headerAt, end));
      return this.#spans;
    }
    const header = decodeBlockHeader(bytes, this.#view, headerAt);
    this.#spans.push(this.#blockHeader(headerAt, header.intact));
    this.#fragments(first, end, header.crc);
    return this.#spans;
  }

  #fragments(start: number, end: number, chainAtStart: number): void {
    let chain = chainAtStart;
    let p = start;
    while (p + FRAGMENT_BYTES_MIN <= end) {
      const crc = this.#fragmentCrc(p, end, chain);
      if (crc === undefined) break;
      const next = p + FRAGMENT_HEADER_BYTES + this.#view.getUint16(p + 4, true);
      const stored = this.#view.getUint32(p, true);
      if (crc !== stored && this.#fragmentCrc(next, end, stored) !== this.#crcAt(next)) break;
      this.#spans.push(this.#fragment(p, next, crc === stored));
      chain = stored;
      p = next;
    }
    if (p < end) this.#spans.push(this.#rest('damaged', p, end));
  }

  #crcAt(p: number): number | undefined {
    return p + 4 <= this.bytes.length ? this.#view.getUint32(p, true) : -1;
  }

  /** What the fragment's crc must be; undefined if no fragment has its frame here. */
  #fragmentCrc(p: number, end: number, chain: number): number | undefined {
    if (p + FRAGMENT_BYTES_MIN > end) return undefined;
    const length = this.#view.getUint16(p + 4, true);
    const type = this.bytes[p + 6]!;
    const next = p + FRAGMENT_HEADER_BYTES + length;
    if (length === 0 || type < FULL || type > MARK || next > end) return undefined;
    return ~crc32c.update(~chain, this.bytes, this.#view, p + 4, next) >>> 0;
  }

  /** Zeros are padding or allocated ahead; anything else is damage, named as given. */
  #rest(name: string, start: number, end: number): Span {
    const zeros = this.bytes.subarray(start, end).every((byte) => byte === 0);
    const at = { offset: this.base + start, length: end - start };
    return zeros ? { name: 'zeros', ...at } : { name, ...at, damage: 'crc-mismatch' };
  }

  #field(name: string, start: number, length: number, value: unknown): Span {
    return { name, offset: this.base + start, length, value };
  }

  #u32(name: string, at: number): Span {
    return this.#field(name, at, 4, this.#view.getUint32(at, true));
  }

  #crc(name: string, at: number): Span {
    return this.#field(name, at, 4, hex32(this.#view.getUint32(at, true)));
  }

  #u64(name: string, at: number): Span {
    return this.#field(name, at, 8, String(this.#view.getBigUint64(at, true)));
  }

  #u16(name: string, at: number): Span {
    return this.#field(name, at, 2, this.#view.getUint16(at, true));
  }

  #segmentHeader(): Span {
    const intact =
      decodeSegmentHeader(this.bytes.subarray(0, SEGMENT_HEADER_BYTES))?.intact === true;
    const id = this.#view.getBigUint64(24, true).toString(16).padStart(16, '0');
    return {
      name: 'segment_header',
      offset: this.base,
      length: SEGMENT_HEADER_BYTES,
      ...(!intact && { damage: 'bad-header' }),
      children: [
        this.#field('magic', 0, 8, bytesValue(this.bytes, 0, 8)),
        this.#u16('version', 8),
        this.#u16('header_bytes', 10),
        this.#u32('compatible', 12),
        this.#u32('incompatible', 16),
        this.#u32('block_bytes', 20),
        this.#field('log_id', 24, 8, id),
        this.#u32('segment', 32),
        this.#crc('previous_chain', 36),
        this.#u64('base_seq', 40),
        this.#u64('previous_seq', 48),
        this.#u32('reserved', 56),
        this.#crc('crc', 60),
      ],
    };
  }

  #blockHeader(at: number, intact: boolean): Span {
    const id = this.#view
      .getBigUint64(at + 8, true)
      .toString(16)
      .padStart(16, '0');
    return {
      name: 'block_header',
      offset: this.base + at,
      length: BLOCK_HEADER_BYTES,
      value: this.#view.getUint32(at + 4, true),
      ...(!intact && { damage: 'crc-mismatch' }),
      children: [
        this.#crc('crc', at),
        this.#u32('block', at + 4),
        this.#field('log_id', at + 8, 8, id),
        this.#u32('segment', at + 16),
        this.#crc('previous_chain', at + 20),
        this.#u16('first', at + 24),
        this.#u16('reserved', at + 26),
        this.#field('magic', at + 28, 4, bytesValue(this.bytes, at + 28, at + 32)),
      ],
    };
  }

  #fragment(p: number, next: number, holds: boolean): Span {
    const type = this.bytes[p + 6]!;
    const payload = p + FRAGMENT_HEADER_BYTES;
    return {
      name: type === FULL ? 'record' : 'fragment',
      offset: this.base + p,
      length: next - p,
      value: TYPES[type],
      ...(!holds && { damage: 'crc-mismatch' }),
      children: [
        this.#crc('crc', p),
        this.#u16('length', p + 4),
        this.#field('type', p + 6, 1, TYPES[type]),
        ...this.#payload(type, payload, next, holds),
      ],
    };
  }

  #payload(type: number, start: number, end: number, holds: boolean): Span[] {
    const own = end - start === MARK_BYTES;
    if (holds && type === MARK && (own || end - start === MARK_CRC_AT)) {
      return [
        this.#field('kind', start, 1, MARKS[this.bytes[start]!]),
        this.#u64('next_seq', start + 1),
        ...(own ? [this.#crc('own_crc', start + MARK_CRC_AT)] : []),
      ];
    }
    const whole = [this.#field('payload', start, end - start, bytesValue(this.bytes, start, end))];
    if (!holds || type !== FULL) return whole;
    return this.#operations(start, end) ?? whole;
  }

  /** The fields of a record's payload; undefined if it does not decode. */
  #operations(start: number, end: number): Span[] | undefined {
    const spans: Span[] = [this.#u64('seq', start)];
    let at = start + 8;
    const varint = (name: string): number => {
      const from = at;
      let value = 0;
      for (let scale = 1; ; scale *= 0x80) {
        const byte = this.bytes[at++]!;
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) break;
      }
      spans.push(this.#field(name, from, at - from, value));
      return value;
    };
    const bytes = (name: string, length: number): void => {
      spans.push(this.#field(name, at, length, bytesValue(this.bytes, at, at + length)));
      at += length;
    };
    const { bytes: all } = this;
    if (visitOperations(all, this.#view, start, end, new WalRecord(), { record() {} }))
      return undefined;
    varint('synced');
    for (let left = varint('count'); left > 0; left--) {
      const code = this.bytes[at]!;
      spans.push(this.#field('op', at, 1, OPS[code]));
      at++;
      bytes('key', varint('key_length'));
      if (code === OP_PUT) bytes('value', varint('value_length'));
    }
    return spans;
  }
}
