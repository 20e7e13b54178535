/** A logical record of a block log: one fragment, or several put together. */
import { type WalDamage, WalRecord } from '../model.ts';
import { RECYCLABLE_HEADER_BYTES } from './constants.ts';

/** Reused from record to record: copy what you keep. */
export class LogicalRecord {
  bytes: Uint8Array = new Uint8Array(0);
  /** The payload is bytes[start, end). */
  start = 0;
  end = 0;
  /** From the first fragment's header to the last one's end. */
  offset = 0;
  length = 0;
  /** Record type of the first fragment. */
  type = 0;
  /** True where the length field of a fragment was wrong. */
  salvaged = false;
  /**
   * The fragments: how many, and for each where its header lies, that one's bytes, and its data's
   * end in the payload.
   */
  fragments = 0;
  readonly offsets: number[] = [];
  readonly headers: number[] = [];
  readonly ends: number[] = [];
  readonly types: number[] = [];
  /**
   * Copies of the headers, for a record that is put together; of a single fragment it lies before
   * the payload.
   */
  #heads = new Uint8Array(0);
  #single = true;

  clear(): void {
    this.fragments = 0;
    this.salvaged = false;
  }

  /** Takes the fragment with data bytes[start, end): the whole record. */
  single(
    bytes: Uint8Array,
    start: number,
    end: number,
    offset: number,
    headerBytes: number,
    type: number,
  ): void {
    this.fragments = 0;
    this.#single = true;
    this.#add(offset, headerBytes, end - start, type);
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.length = headerBytes + end - start;
  }

  /**
   * Takes one fragment of several; its header is at bytes[head], the payload so far has `dataEnd`
   * bytes.
   */
  collect(
    bytes: Uint8Array,
    head: number,
    offset: number,
    headerBytes: number,
    dataEnd: number,
    type: number,
  ): void {
    this.#single = false;
    const at = this.fragments * RECYCLABLE_HEADER_BYTES;
    if (at + RECYCLABLE_HEADER_BYTES > this.#heads.length) {
      const grown = new Uint8Array(Math.max(16 * RECYCLABLE_HEADER_BYTES, this.#heads.length * 2));
      grown.set(this.#heads);
      this.#heads = grown;
    }
    this.#heads.set(bytes.subarray(head, head + headerBytes), at);
    this.#add(offset, headerBytes, dataEnd, type);
  }

  #add(offset: number, headerBytes: number, dataEnd: number, type: number): void {
    const i = this.fragments++;
    if (i === 0) {
      this.offset = offset;
      this.type = type;
    }
    this.offsets[i] = offset;
    this.headers[i] = headerBytes;
    this.ends[i] = dataEnd;
    this.types[i] = type;
  }

  /** The header of fragment `i`, from its first byte on. */
  head(i: number): Uint8Array {
    const headerBytes = this.headers[i]!;
    if (this.#single) return this.bytes.subarray(this.start - headerBytes, this.start);
    const at = i * RECYCLABLE_HEADER_BYTES;
    return this.#heads.subarray(at, at + headerBytes);
  }

  /** File offset of `bytes[index]`; that of the end for `end`. */
  fileOffset(index: number): number {
    const at = index - this.start;
    let low = 0;
    let high = this.fragments - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (at < this.ends[middle]!) high = middle;
      else low = middle + 1;
    }
    const dataStart = low === 0 ? 0 : this.ends[low - 1]!;
    return this.offsets[low]! + this.headers[low]! + at - dataStart;
  }
}

/**
 * What a block log's scan yields: beside the operation, the record that holds it, for a rewrite
 * that copies records whole.
 */
export class BlockRecord extends WalRecord {
  /** Record type of the first fragment. */
  type = 0;
  /** The record's payload, as far as it could be decoded: bytes[payloadStart, payloadEnd). */
  payloadStart = 0;
  payloadEnd = 0;
  /** What the batch's count field should say; -1: as it does. */
  countRight = -1;
}

/** What the assembler yields: records, damage and filling, in file order. */
export interface LogicalSink {
  record(record: LogicalRecord): void;
  /** A record type that the dialect does not know; its checksum holds. */
  unknownType(record: LogicalRecord): void;
  damage(damage: WalDamage): void;
  /**
   * Bytes that mean nothing: trailers, padding, what a recycled file held before. May come between
   * the fragments of a record, and before damage that spans it.
   */
  filler(name: string, offset: number, length: number, damage?: string): void;
  readonly stopped: boolean;
}
