/** Writes the hash-indexed store's files, byte for byte as layout.ts draws them. */
import { DdiaError } from '../../../shared/errors.ts';
import type { BitcaskEncoder, BitcaskPut, BitcaskWriter, HintEntry } from '../model.ts';
import {
  FILE_BYTES_DEFAULT,
  HEADER_BYTES,
  HINT_HEADER_BYTES,
  HINT_KEY_AT,
  HINT_KEY_SIZE_AT,
  HINT_OFFSET_AT,
  HINT_SIZE_AT,
  HINT_TIMESTAMP_AT,
  KEY_AT,
  KEY_SIZE_AT,
  SIZE_MAX,
  TIMESTAMP_AT,
  VALUE_SIZE_AT,
} from './layout.ts';

const NOTHING = new Uint8Array(0);

function refuse(what: string, hint?: string): never {
  throw new DdiaError('not-storable', what, hint);
}

class HashWriter implements BitcaskWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);

  data(number: number): Uint8Array {
    if (number > SIZE_MAX) refuse(`file number ${number}; the layout's hints end at 2^32 - 1`);
    return NOTHING;
  }

  record(put: BitcaskPut): Uint8Array {
    const { key, value, timestamp } = put;
    const valueSize = value?.length ?? 0;
    this.#check(put, key.length, valueSize);
    const total = HEADER_BYTES + key.length + valueSize;
    this.#reserve(total);
    const view = this.#view;
    view.setFloat64(TIMESTAMP_AT, timestamp, true);
    view.setUint32(KEY_SIZE_AT, key.length, true);
    view.setUint32(VALUE_SIZE_AT, valueSize, true);
    this.#bytes.set(key, KEY_AT);
    if (value) this.#bytes.set(value, KEY_AT + key.length);
    return this.#bytes.subarray(0, total);
  }

  dataEnd(): Uint8Array {
    return NOTHING;
  }

  hint(): Uint8Array {
    return NOTHING;
  }

  entry(entry: HintEntry): Uint8Array {
    const { dataFile, position, size, timestamp, keyStart, keyEnd, deleted } = entry;
    if (deleted) refuse('a hint of this layout has no entries for deletions');
    if (dataFile > SIZE_MAX) refuse(`file_id ${dataFile}; it is a u32 in this layout`);
    if (size < 0 || size > SIZE_MAX) refuse(`size ${size}; it is a u32 in this layout`);
    const keySize = keyEnd - keyStart;
    const total = HINT_HEADER_BYTES + keySize;
    this.#reserve(total);
    const view = this.#view;
    view.setUint32(0, dataFile, true);
    view.setUint32(HINT_OFFSET_AT, position % 0x1_0000_0000, true);
    view.setUint32(HINT_OFFSET_AT + 4, Math.floor(position / 0x1_0000_0000), true);
    view.setUint32(HINT_SIZE_AT, size, true);
    view.setFloat64(HINT_TIMESTAMP_AT, timestamp, true);
    view.setUint32(HINT_KEY_SIZE_AT, keySize, true);
    this.#bytes.set(entry.bytes.subarray(keyStart, keyEnd), HINT_KEY_AT);
    return this.#bytes.subarray(0, total);
  }

  hintEnd(): Uint8Array {
    return NOTHING;
  }

  #check(put: BitcaskPut, keySize: number, valueSize: number): void {
    const { value, timestamp, expires } = put;
    if (expires !== 0) {
      refuse('this layout has no time to live', 'write the record without one, or use v2');
    }
    if (value && valueSize === 0) {
      refuse(
        'an empty value cannot be put in this layout: it is how a deletion is written',
        'another layout can hold it, or write the deletion',
      );
    }
    if (!Number.isFinite(timestamp)) {
      refuse(`timestamp ${timestamp}: a record of this layout has one, in seconds since 1970`);
    }
    if (keySize === 0 && valueSize === 0 && timestamp === 0) {
      refuse('the deletion of an empty key at time 0 is the same as unused space in this layout');
    }
    const total = HEADER_BYTES + keySize + valueSize;
    if (total > SIZE_MAX) {
      refuse(`a record of ${total} bytes; the layout ends at 2^32 - 1, the size in its hints`);
    }
  }

  #reserve(total: number): void {
    if (total <= this.#bytes.length) return;
    this.#bytes = new Uint8Array(Math.max(total, 2 * this.#bytes.length));
    this.#view = new DataView(this.#bytes.buffer);
  }
}

export const hashV1Encoder: BitcaskEncoder = {
  fileBytesDefault: FILE_BYTES_DEFAULT,
  open: () => new HashWriter(),
};
