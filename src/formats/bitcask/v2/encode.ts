/** Writes a whole store at once: data files, hint files, and a manifest of a closed store. */
import { DdiaError } from '../../../shared/errors.ts';
import type { BitcaskEncoder, BitcaskPut, BitcaskWriter, HintEntry } from '../model.ts';
import { encodeDataHeader, viewOf } from './headers.ts';
import { HintEncoder } from './hint.ts';
import {
  FILE_BYTES_DEFAULT,
  FILE_BYTES_MAX,
  HEAD_BYTES,
  HEADER_BYTES,
  HEADER_CRC_AT,
  MANIFEST_NAME,
  MERGED,
  WRITTEN,
} from './layout.ts';
import { encodeManifest, type ManifestFile } from './manifest.ts';
import { RecordCodec } from './record.ts';

const NOTHING = new Uint8Array(0);
const BUFFER_BYTES_MIN = 64 * 1024;
const SEQ_MAX = 2 ** 53 - 1;
const EXPIRES_MAX = 2 ** 48 - 1;

class V2Writer implements BitcaskWriter {
  #bytes = new Uint8Array(BUFFER_BYTES_MIN);
  #view = viewOf(this.#bytes);
  #codec = new RecordCodec(0);
  #hint: HintEncoder | undefined;
  #hintedBytes = 0;
  readonly #files: ManifestFile[] = [];

  constructor(readonly storeId: bigint) {}

  data(number: number, merged: boolean): Uint8Array {
    const kind = merged ? MERGED : WRITTEN;
    const header = encodeDataHeader({ file: number, storeId: this.storeId, kind });
    const dataCrc = viewOf(header).getUint32(HEADER_CRC_AT, true);
    this.#codec = new RecordCodec(dataCrc);
    this.#files.push({
      ...{ file: number, sealed: true, merged, hint: false, dataBytes: HEADER_BYTES },
      ...{ records: 0, seqFirst: 0, seqLast: 0, dataCrc, hintCrc: 0 },
    });
    return header;
  }

  record(put: BitcaskPut, offset: number): Uint8Array {
    const { key, value, timestamp, seq, expires, unsynced } = put;
    const total = HEAD_BYTES + key.length + (value?.length ?? 0);
    check(put, offset + total);
    this.#reserve(total);
    const file = this.#files.at(-1)!;
    // Copies are no batch, and were durable before.
    const continued = put.continued && !file.merged;
    this.#codec.encode(
      ...([this.#bytes, this.#view, 0, offset, seq, key, value, timestamp, expires] as const),
      continued,
      file.merged ? 0 : unsynced,
    );
    if (file.records++ === 0 || seq < file.seqFirst) file.seqFirst = seq;
    if (seq > file.seqLast) file.seqLast = seq;
    file.dataBytes = offset + total;
    return this.#bytes.subarray(0, total);
  }

  dataEnd(): Uint8Array {
    return NOTHING;
  }

  hint(number: number, dataBytes: number): Uint8Array {
    this.#hint = new HintEncoder(number, this.storeId);
    this.#hintedBytes = dataBytes;
    return NOTHING;
  }

  entry(entry: HintEntry): Uint8Array {
    const { position, size, seq, expires, deleted, bytes, keyStart, keyEnd } = entry;
    const valueLength = size - HEAD_BYTES - (keyEnd - keyStart);
    this.#hint!.add(position, valueLength, seq, expires, deleted, bytes, keyStart, keyEnd);
    return NOTHING;
  }

  /** All of the hint file: its header tells of the blocks, and seeds their checksums. */
  hintEnd(): Uint8Array {
    const parts = this.#hint!.finish(this.#hintedBytes);
    const number = this.#hint!.file;
    this.#hint = undefined;
    const file = this.#files.find((one) => one.file === number);
    if (file) {
      file.hint = true;
      file.hintCrc = viewOf(parts[0]!).getUint32(HEADER_CRC_AT, true);
    }
    return Buffer.concat(parts);
  }

  companions(): { name: string; bytes: Uint8Array }[] {
    const files = [...this.#files].sort((a, b) => a.file - b.file);
    const bytes = encodeManifest({
      storeId: this.storeId,
      generation: 1n,
      nextSeq: 1 + files.reduce((most, { seqLast }) => Math.max(most, seqLast), 0),
      nextFile: 1 + (files.at(-1)?.file ?? 0),
      closed: true,
      files,
    });
    return [{ name: MANIFEST_NAME, bytes }];
  }

  #reserve(total: number): void {
    if (total <= this.#bytes.length) return;
    this.#bytes = new Uint8Array(Math.max(total, 2 * this.#bytes.length));
    this.#view = viewOf(this.#bytes);
  }
}

function check({ seq, expires }: BitcaskPut, end: number): void {
  const refuse = (what: string, hint?: string): never => {
    throw new DdiaError('not-storable', what, hint);
  };
  if (!Number.isInteger(seq) || seq < 0 || seq > SEQ_MAX) {
    refuse(`number ${seq}: a write of this layout has one, from 0 to ${SEQ_MAX}`);
  }
  if (!Number.isInteger(expires) || expires < 0 || expires > EXPIRES_MAX) {
    refuse(`it expires at ${expires}: the layout has whole milliseconds from 0 to ${EXPIRES_MAX}`);
  }
  if (end > FILE_BYTES_MAX) {
    const hint = 'begin another data file before it';
    refuse(`the record ends at ${end}; a data file of this layout ends at ${FILE_BYTES_MAX}`, hint);
  }
}

export const v2Encoder: BitcaskEncoder = {
  fileBytesDefault: FILE_BYTES_DEFAULT,
  open: (storeId) => new V2Writer(storeId),
};
