/**
 * Writes the hardened log: operations into blocks of chained fragments, in a buffer that its owner
 * takes and appends to the segment's file. Nothing is allocated per record.
 */
import { crc32c } from '../../../shared/crc32.ts';
import { DdiaError } from '../../../shared/errors.ts';
import type { WalOperation } from '../model.ts';
import { encodeBlockHeader, encodeSegmentHeader, type NewSegment } from './headers.ts';
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  FIRST,
  FRAGMENT_BYTES_MIN,
  FRAGMENT_HEADER_BYTES,
  FULL,
  LAST,
  MARK,
  MARK_BYTES,
  MARK_CRC_AT,
  MIDDLE,
  OP_DELETE,
  OP_PUT,
  OPS,
  SEGMENT_HEADER_BYTES,
} from './layout.ts';
import { markCrc } from './mark.ts';

const EMPTY = new Uint8Array(0);
/** More operations or bytes than this in one record are refused. */
const RECORD_BYTES_MAX = 1024 * 1024 * 1024;

/** Where an encoder goes on in a segment that was written before. */
export interface EncoderState {
  /** File offset, and the chain's value there. */
  position: number;
  chain: number;
}

export class SegmentEncoder {
  #bytes = new Uint8Array(64 * 1024);
  #view = new DataView(this.#bytes.buffer);
  /** Bytes encoded and not yet taken. */
  #count = 0;
  /** File offset of the next byte. */
  #position = 0;
  #chain: number;
  /** The payload of a record that does not fit into its block. */
  #scratch = new Uint8Array(1024);

  /** Begins a segment, or with `state` goes on in one. */
  constructor(
    readonly segment: NewSegment,
    state?: EncoderState,
  ) {
    if (state) {
      this.#position = state.position;
      this.#chain = state.chain;
      return;
    }
    const header = encodeSegmentHeader(segment);
    this.#chain = new DataView(header.buffer).getUint32(60, true);
    this.#bytes.set(header);
    this.#count = SEGMENT_HEADER_BYTES;
    this.#position = SEGMENT_HEADER_BYTES;
  }

  /** File offset behind all that was encoded. */
  get position(): number {
    return this.#position;
  }

  /** The crc that the next fragment continues. */
  get chain(): number {
    return this.#chain;
  }

  /**
   * Bytes encoded and not yet taken; valid until the next call. Their file offset is position -
   * length.
   */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#count);
    this.#count = 0;
    return taken;
  }

  get pending(): number {
    return this.#count;
  }

  /**
   * A record: operations that are one batch, numbered from seq on. `synced`: seq less the last
   * sequence number known to be durable. Throws a DdiaError, with nothing encoded, for what the
   * layout does not hold.
   */
  record(
    seqHigh: number,
    seqLow: number,
    synced: number,
    operations: readonly WalOperation[],
  ): void {
    const size = payloadBytes(synced, operations);
    this.#openBlock(0);
    const room = BLOCK_BYTES - (this.#position % BLOCK_BYTES) - FRAGMENT_HEADER_BYTES;
    if (size <= room) {
      this.#reserve(FRAGMENT_HEADER_BYTES + size);
      const at = this.#count + FRAGMENT_HEADER_BYTES;
      writePayload(this.#bytes, this.#view, at, seqHigh, seqLow, synced, operations);
      this.#seal(FULL, size);
      return;
    }
    if (this.#scratch.length < size) this.#scratch = new Uint8Array(size * 2);
    const view = new DataView(this.#scratch.buffer);
    writePayload(this.#scratch, view, 0, seqHigh, seqLow, synced, operations);
    this.#fragments(size);
  }

  mark(kind: number, nextSeq: bigint): void {
    this.#openBlock(0);
    if (this.#room() < FRAGMENT_HEADER_BYTES + MARK_BYTES) {
      this.#pad();
      this.#openBlock(0);
    }
    this.#reserve(FRAGMENT_HEADER_BYTES + MARK_BYTES);
    const at = this.#count + FRAGMENT_HEADER_BYTES;
    this.#bytes[at] = kind;
    this.#view.setBigUint64(at + 1, nextSeq, true);
    const crc = markCrc(this.#bytes, at, this.segment, this.#position);
    this.#view.setUint32(at + MARK_CRC_AT, crc, true);
    this.#seal(MARK, MARK_BYTES);
  }

  #room(): number {
    return BLOCK_BYTES - (this.#position % BLOCK_BYTES);
  }

  /** Splits the scratch over as many blocks as it takes. */
  #fragments(size: number): void {
    let done = 0;
    while (done < size) {
      this.#openBlock(size - done);
      const part = Math.min(size - done, this.#room() - FRAGMENT_HEADER_BYTES);
      this.#reserve(FRAGMENT_HEADER_BYTES + part);
      this.#bytes.set(
        this.#scratch.subarray(done, done + part),
        this.#count + FRAGMENT_HEADER_BYTES,
      );
      const begins = done === 0;
      done += part;
      this.#seal(begins ? FIRST : done === size ? LAST : MIDDLE, part);
    }
  }

  /**
   * Makes room for a fragment of at least one byte: pads the block that is full and begins the next
   * one, where `rest` bytes of a record that began before come first.
   */
  #openBlock(rest: number): void {
    if (this.#room() < FRAGMENT_BYTES_MIN) this.#pad();
    const inBlock = this.#position % BLOCK_BYTES;
    const block = Math.floor(this.#position / BLOCK_BYTES);
    const headerAt = block === 0 ? SEGMENT_HEADER_BYTES : 0;
    if (inBlock !== headerAt) return;
    this.#reserve(BLOCK_HEADER_BYTES);
    const at = this.#count;
    const start = headerAt + BLOCK_HEADER_BYTES;
    this.#chain = encodeBlockHeader(this.#bytes, this.#view, at, {
      block,
      logId: this.segment.logId,
      segment: this.segment.segment,
      previousChain: this.#chain,
      first: firstRecordAt(start, rest),
    });
    this.#count += BLOCK_HEADER_BYTES;
    this.#position += BLOCK_HEADER_BYTES;
  }

  #pad(): void {
    const bytes = this.#room();
    if (bytes === BLOCK_BYTES) return;
    this.#reserve(bytes);
    this.#bytes.fill(0, this.#count, this.#count + bytes);
    this.#count += bytes;
    this.#position += bytes;
  }

  /**
   * Puts the header before the payload of `length` bytes that stands ready, and goes on behind it.
   */
  #seal(type: number, length: number): void {
    const at = this.#count;
    const end = at + FRAGMENT_HEADER_BYTES + length;
    this.#view.setUint16(at + 4, length, true);
    this.#bytes[at + 6] = type;
    const crc = ~crc32c.update(~this.#chain, this.#bytes, this.#view, at + 4, end) >>> 0;
    this.#view.setUint32(at, crc, true);
    this.#chain = crc;
    this.#position += end - at;
    this.#count = end;
  }

  #reserve(bytes: number): void {
    if (this.#count + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#count + bytes));
    grown.set(this.#bytes.subarray(0, this.#count));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/**
 * Where the first record begins in a block that `rest` bytes of an earlier one come first in; 0:
 * nowhere.
 */
function firstRecordAt(start: number, rest: number): number {
  if (rest === 0) return start;
  const end = start + FRAGMENT_HEADER_BYTES + rest;
  return end + FRAGMENT_BYTES_MIN <= BLOCK_BYTES ? end : 0;
}

export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >= 0x80) {
    bytes[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[at++] = rest;
  return at;
}

function payloadBytes(synced: number, operations: readonly WalOperation[]): number {
  if (operations.length === 0) throw new DdiaError('empty-batch', 'a batch without operations');
  let size = 8 + varintBytes(synced) + varintBytes(operations.length);
  for (const { op, key, value } of operations) {
    const code = opCode(op);
    if (code > OP_DELETE && key.length + value.length > 0) {
      throw new DdiaError('marker-payload', `a ${op} carries neither key nor value`);
    }
    if (code !== OP_PUT && value.length > 0) {
      throw new DdiaError('unsupported-value', `a ${op} carries no value`);
    }
    size += 1 + varintBytes(key.length) + key.length;
    if (code === OP_PUT) size += varintBytes(value.length) + value.length;
  }
  if (size > RECORD_BYTES_MAX) {
    throw new DdiaError('too-large', `a record of ${size} bytes; the limit is ${RECORD_BYTES_MAX}`);
  }
  return size;
}

function opCode(op: string): number {
  if (op === 'put') return OP_PUT;
  const code = (OPS as readonly string[]).indexOf(op);
  if (code < 1) {
    const known = OPS.slice(1).join(', ');
    throw new DdiaError(
      'unsupported-op',
      `op ${op} cannot be written in this layout`,
      `it has ${known}`,
    );
  }
  return code;
}

function writePayload(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  seqHigh: number,
  seqLow: number,
  synced: number,
  operations: readonly WalOperation[],
): void {
  view.setUint32(start, seqLow, true);
  view.setUint32(start + 4, seqHigh, true);
  let at = writeVarint(bytes, start + 8, synced);
  at = writeVarint(bytes, at, operations.length);
  for (const { op, key, value = EMPTY } of operations) {
    const code = opCode(op);
    bytes[at++] = code;
    at = writeVarint(bytes, at, key.length);
    bytes.set(key, at);
    at += key.length;
    if (code !== OP_PUT) continue;
    at = writeVarint(bytes, at, value.length);
    bytes.set(value, at);
    at += value.length;
  }
}
