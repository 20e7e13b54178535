/**
 * Puts entries into the payload of a block, keys shortened by what they share with the one before.
 */
import { copySpan, sharedBytes } from '../../bytes/spans.ts';
import { RESTART_EVERY, TAG_BYTES, TIMED } from './layout.ts';

export class BlockBuilder {
  bytes: Uint8Array;
  view: DataView;
  /** Where the next entry goes; what is before `start` is left to the caller. */
  at: number;
  entries = 0;
  #restarts = new Uint32Array(64);
  #restartCount = 0;
  #key: Uint8Array = new Uint8Array(256);
  #keyView = new DataView(this.#key.buffer);
  #keyLength = 0;
  /** What the key to come has in common with the last. */
  #shared = 0;

  constructor(
    readonly start: number,
    room: number,
  ) {
    this.bytes = new Uint8Array(start + room);
    this.view = new DataView(this.bytes.buffer);
    this.at = start;
  }

  get payloadBytes(): number {
    return this.at - this.start + 4 * this.#restartCount + 4;
  }

  reset(): void {
    this.at = this.start;
    this.entries = 0;
    this.#restartCount = 0;
  }

  /** The key that was added last, in a buffer that is reused. */
  get lastKey(): Uint8Array {
    return this.#key.subarray(0, this.#keyLength);
  }

  /**
   * Looks at the key that is to be added next: below 0, it comes before the last one, 0: it is the
   * same.
   */
  meet(key: Uint8Array, keyView: DataView, keyStart: number, keyEnd: number): number {
    const length = keyEnd - keyStart;
    const last = this.#key;
    const most = length < this.#keyLength ? length : this.#keyLength;
    const shared = sharedBytes(key, keyView, keyStart, last, this.#keyView, 0, most);
    this.#shared = shared;
    return shared < most ? key[keyStart + shared]! - last[shared]! : length - this.#keyLength;
  }

  /** Adds the key that was met. `timestamp` NaN: there is none. */
  add(
    key: Uint8Array,
    keyView: DataView,
    keyStart: number,
    keyEnd: number,
    seqHigh: number,
    seqLow: number,
    type: number,
    value: Uint8Array,
    valueView: DataView,
    valueStart: number,
    valueEnd: number,
    timestamp: number,
  ): void {
    const keyLength = keyEnd - keyStart;
    const valueLength = valueEnd - valueStart;
    this.#reserve(keyLength + valueLength + 48 + 4 * this.#restartCount);
    let shared = this.#shared;
    this.#keep(key, keyView, keyStart, keyLength, shared);
    if (this.entries % RESTART_EVERY === 0) {
      shared = 0;
      this.#restart();
    }
    const { bytes, view } = this;
    let p = putVarint(bytes, this.at, shared);
    p = putVarint(bytes, p, keyLength - shared);
    p = putVarint(bytes, p, valueLength);
    p = copySpan(key, keyView, keyStart + shared, keyEnd, bytes, view, p);
    view.setUint32(p, seqLow, true);
    const timed = !Number.isNaN(timestamp);
    view.setUint32(p + 4, seqHigh | ((timed ? type | TIMED : type) << 24), true);
    p += TAG_BYTES;
    if (timed) {
      view.setFloat64(p, timestamp, true);
      p += 8;
    }
    this.at = copySpan(value, valueView, valueStart, valueEnd, bytes, view, p);
    this.entries++;
  }

  /** Puts the restarts behind the entries; returns where the payload ends. */
  finish(): number {
    this.#reserve(4 * this.#restartCount + 4);
    for (let i = 0; i < this.#restartCount; i++) {
      this.view.setUint32(this.at, this.#restarts[i]!, true);
      this.at += 4;
    }
    this.view.setUint32(this.at, this.#restartCount, true);
    this.at += 4;
    return this.at;
  }

  #restart(): void {
    if (this.#restartCount === this.#restarts.length) {
      const grown = new Uint32Array(2 * this.#restartCount);
      grown.set(this.#restarts);
      this.#restarts = grown;
    }
    this.#restarts[this.#restartCount++] = this.at - this.start;
  }

  #keep(key: Uint8Array, view: DataView, start: number, length: number, shared: number): void {
    if (length > this.#key.length) {
      const grown = new Uint8Array(2 * length);
      grown.set(this.#key.subarray(0, shared));
      this.#key = grown;
      this.#keyView = new DataView(grown.buffer);
    }
    copySpan(key, view, start + shared, start + length, this.#key, this.#keyView, shared);
    this.#keyLength = length;
  }

  #reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    const grown = new Uint8Array(2 * (this.at + more));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let p = at;
  let rest = value;
  while (rest > 127) {
    bytes[p++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[p++] = rest;
  return p;
}
