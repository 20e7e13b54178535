/** Writes the store of segments, byte for byte as layout.ts draws it. */
import { crc32 } from '../../../shared/crc32.ts';
import { DdiaError } from '../../../shared/errors.ts';
import type { BitcaskEncoder, BitcaskPut, BitcaskWriter, HintEntry } from '../model.ts';
import {
  CRC_AT,
  FILE_BYTES_DEFAULT,
  HEADER_BYTES,
  HINT_HEADER_BYTES,
  HINT_KEY_AT,
  HINT_OFFSET_AT,
  isTombstone,
  KEY_AT,
  KEY_SIZE_AT,
  SIZE_MAX,
  TOMBSTONE,
  VALUE_SIZE_AT,
} from './layout.ts';

const NOTHING = new Uint8Array(0);

function refuse(what: string, hint?: string): never {
  throw new DdiaError('not-storable', what, hint);
}

class LogWriter implements BitcaskWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);

  data(): Uint8Array {
    return NOTHING;
  }

  record(put: BitcaskPut, offset: number): Uint8Array {
    const { key, value = TOMBSTONE } = put;
    check(put, offset);
    const total = HEADER_BYTES + key.length + value.length;
    this.#reserve(total);
    const bytes = this.#bytes;
    const view = this.#view;
    bytes.set(key, KEY_AT);
    bytes.set(value, KEY_AT + key.length);
    view.setUint32(CRC_AT, crc32.of(bytes, KEY_AT, total));
    view.setUint32(KEY_SIZE_AT, key.length);
    view.setUint32(VALUE_SIZE_AT, value.length);
    return bytes.subarray(0, total);
  }

  dataEnd(): Uint8Array {
    return NOTHING;
  }

  hint(): Uint8Array {
    return NOTHING;
  }

  entry({ position, keyStart, keyEnd, bytes, deleted }: HintEntry): Uint8Array {
    if (deleted) refuse('a hint of this layout has no entries for deletions');
    checkOffset(position);
    const keySize = keyEnd - keyStart;
    const total = HINT_HEADER_BYTES + keySize;
    this.#reserve(total);
    this.#view.setUint32(0, keySize);
    this.#view.setUint32(HINT_OFFSET_AT, position);
    this.#bytes.set(bytes.subarray(keyStart, keyEnd), HINT_KEY_AT);
    return this.#bytes.subarray(0, total);
  }

  hintEnd(): Uint8Array {
    return NOTHING;
  }

  #reserve(total: number): void {
    if (total <= this.#bytes.length) return;
    this.#bytes = new Uint8Array(Math.max(total, 2 * this.#bytes.length));
    this.#view = new DataView(this.#bytes.buffer);
  }
}

function check({ key, value, expires }: BitcaskPut, offset: number): void {
  if (expires !== 0) {
    refuse('this layout has no time to live', 'write the record without one, or use v2');
  }
  if (value && isTombstone(value, 0, value.length)) {
    refuse(
      'the value __BITCASK_TOMBSTONE__ cannot be put in this layout: it is how a deletion is written',
      'another layout can hold it, or write the deletion',
    );
  }
  if (key.length === 0 && value?.length === 0) {
    refuse(
      'an empty value of the empty key is twelve zero bytes in this layout, the same as unused space',
    );
  }
  const valueSize = value?.length ?? TOMBSTONE.length;
  if (key.length > SIZE_MAX || valueSize > SIZE_MAX) {
    refuse(`key_size ${key.length}, value_size ${valueSize}; both are u32 in this layout`);
  }
  checkOffset(offset);
}

/** A hint could not tell of a record beyond. */
function checkOffset(offset: number): void {
  if (offset > SIZE_MAX) refuse(`a record at ${offset}; an offset is a u32 in this layout's hints`);
}

export const logV1Encoder: BitcaskEncoder = {
  fileBytesDefault: FILE_BYTES_DEFAULT,
  open: () => new LogWriter(),
};
