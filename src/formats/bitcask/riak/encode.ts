/** Writes data and hint files that Erlang Bitcask opens, as layout.ts draws them. */
import { CRC_INITIAL, crc32 } from '../../../shared/crc32.ts';
import { DdiaError } from '../../../shared/errors.ts';
import type { BitcaskEncoder, BitcaskPut, BitcaskWriter, HintEntry } from '../model.ts';
import {
  CRC_ENTRY_OFFSET_HIGH,
  CRC_ENTRY_OFFSET_LOW,
  FILE_BYTES_DEFAULT,
  HEADER_BYTES,
  HINT_HEAD_BYTES,
  HINT_KEY_SIZE_AT,
  HINT_OFFSET_AT,
  HINT_TOMBSTONE,
  HINT_TOTAL_SIZE_AT,
  KEY_AT,
  KEY_BYTES_MAX,
  KEY_SIZE_AT,
  RECORD_BYTES_MAX,
  TIMESTAMP_AT,
  U32_MAX,
  VALUE_SIZE_AT,
} from './layout.ts';
import { isTombstone, TOMBSTONE } from './tombstone.ts';

const NOTHING = new Uint8Array(0);
const BUFFER_BYTES_MIN = 4096;

class RiakWriter implements BitcaskWriter {
  #bytes = new Uint8Array(BUFFER_BYTES_MIN);
  #view = new DataView(this.#bytes.buffer);
  /** Register of the checksum over the entries of the hint begun last. */
  #hintRegister = CRC_INITIAL;

  data(number: number): Uint8Array {
    if (number < 1 || number > U32_MAX) {
      throw notStorable(`data file ${number}: files are numbered from 1 to ${U32_MAX}`);
    }
    return NOTHING;
  }

  record(put: BitcaskPut): Uint8Array {
    const { key, timestamp } = put;
    // A tombstone of the first version claims nothing of what it deletes, so it is always true.
    const value = put.value ?? TOMBSTONE;
    const total = HEADER_BYTES + key.length + value.length;
    refuse(put, total);
    this.#reserve(total);
    const bytes = this.#bytes;
    const view = this.#view;
    // Whole seconds; a time that is not known becomes 0.
    view.setUint32(TIMESTAMP_AT, timestamp);
    view.setUint16(KEY_SIZE_AT, key.length);
    view.setUint32(VALUE_SIZE_AT, value.length);
    bytes.set(key, KEY_AT);
    bytes.set(value, KEY_AT + key.length);
    view.setInt32(0, ~crc32.update(CRC_INITIAL, bytes, view, TIMESTAMP_AT, total));
    return bytes.subarray(0, total);
  }

  dataEnd(): Uint8Array {
    return NOTHING;
  }

  hint(): Uint8Array {
    this.#hintRegister = CRC_INITIAL;
    return NOTHING;
  }

  entry(entry: HintEntry): Uint8Array {
    const { position, size, keyStart, keyEnd } = entry;
    const length = HINT_HEAD_BYTES + keyEnd - keyStart;
    this.#reserve(length);
    const high = Math.floor(position / 0x1_0000_0000) + (entry.deleted ? HINT_TOMBSTONE : 0);
    this.#entryHead(entry.timestamp, keyEnd - keyStart, size, high, position);
    this.#bytes.set(entry.bytes.subarray(keyStart, keyEnd), HINT_HEAD_BYTES);
    this.#hintRegister = crc32.update(this.#hintRegister, this.#bytes, this.#view, 0, length);
    return this.#bytes.subarray(0, length);
  }

  hintEnd(): Uint8Array {
    const crc = ~this.#hintRegister >>> 0;
    this.#entryHead(0, 0, crc, CRC_ENTRY_OFFSET_HIGH, CRC_ENTRY_OFFSET_LOW);
    return this.#bytes.subarray(0, HINT_HEAD_BYTES);
  }

  /** Numbers are taken modulo 2^32, and no time is 0. */
  #entryHead(timestamp: number, keySize: number, size: number, high: number, low: number): void {
    const view = this.#view;
    view.setUint32(0, timestamp);
    view.setUint16(HINT_KEY_SIZE_AT, keySize);
    view.setUint32(HINT_TOTAL_SIZE_AT, size);
    view.setUint32(HINT_OFFSET_AT, high);
    view.setUint32(HINT_OFFSET_AT + 4, low);
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    this.#bytes = new Uint8Array(length + (length >>> 1));
    this.#view = new DataView(this.#bytes.buffer);
  }
}

function refuse({ key, value, timestamp, expires }: BitcaskPut, total: number): void {
  if (key.length > KEY_BYTES_MAX) {
    throw notStorable(`a key of ${key.length} bytes: key_size ends at ${KEY_BYTES_MAX}`);
  }
  if (total > RECORD_BYTES_MAX) {
    throw notStorable(
      `a record of ${total} bytes: the hint's total_size ends at ${RECORD_BYTES_MAX}`,
    );
  }
  if (value && isTombstone(value, viewOf(value), 0, value.length)) {
    throw notStorable(`a value that begins with ${TOMBSTONE}: Bitcask takes it for a deletion`);
  }
  if (timestamp < 0 || timestamp >= U32_MAX + 1) {
    throw notStorable(`a timestamp of ${timestamp} seconds: it is an unsigned integer of 32 bits`);
  }
  if (expires > 0) {
    throw notStorable(
      'a record that expires by itself: Bitcask has one age for all, not in its files',
    );
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function notStorable(message: string): DdiaError {
  return new DdiaError('not-storable', message, 'the v2 layout holds any key and value');
}

export const riakEncoder: BitcaskEncoder = {
  fileBytesDefault: FILE_BYTES_DEFAULT,
  open: () => new RiakWriter(),
};
