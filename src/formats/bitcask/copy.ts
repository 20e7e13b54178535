/** Records of one store on their way into another. */
import { DdiaError } from '../../shared/errors.ts';
import type { BitcaskPut, BitcaskRecord } from './model.ts';
import type { StoreWriter } from './write.ts';

export interface CopyOptions {
  /** Seconds since the epoch, for records that have no time and a layout that needs one. */
  readonly timestamp: number;
}

const EMPTY = new Uint8Array(0);

/** Puts records into a writer; what its layout cannot hold is refused with the record's place. */
export class RecordCopier {
  readonly #put: BitcaskPut = {
    ...{ key: EMPTY, value: undefined, timestamp: Number.NaN, seq: 0, expires: 0 },
    ...{ continued: false, unsynced: 0 },
  };

  constructor(
    readonly writer: StoreWriter,
    readonly options: CopyOptions,
  ) {}

  /** Under the number `seq`; `batched`: what was written in one is written in one again. */
  copy(record: BitcaskRecord, seq: number, batched = false): void {
    const { bytes, keyStart, keyEnd, deleted } = record;
    const put = this.#put;
    put.key = bytes.subarray(keyStart, keyEnd);
    put.value = deleted ? undefined : bytes.subarray(record.valueStart, record.valueEnd);
    put.seq = seq;
    put.continued = batched && record.continued;
    put.expires = record.expires;
    const untimed = Number.isNaN(record.timestamp);
    put.timestamp = untimed ? this.options.timestamp : record.timestamp;
    try {
      this.writer.put(put);
    } catch (error) {
      // What the disk says has nothing to do with the record.
      if (!(error instanceof DdiaError) || error.cause !== undefined) throw error;
      const place = `${record.file} @ ${record.offset}`;
      throw new DdiaError(error.code, `${place}: ${error.message}`, error.hint, error.exit);
    }
  }
}
