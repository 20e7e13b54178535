/**
 * Repaired segments: the records that were read, in fresh blocks and legacy fragments, which every
 * reader takes.
 */
import { DdiaError } from '../../../shared/errors.ts';
import type { WalRewrite } from '../model.ts';
import {
  BATCH_COUNT_AT,
  PREDECESSOR_WAL_INFO_TYPE,
  RECYCLABLE_USER_DEFINED_TIMESTAMP_SIZE_TYPE,
  RECYCLE_PREDECESSOR_WAL_INFO_TYPE,
  USER_DEFINED_TIMESTAMP_SIZE_TYPE,
} from './constants.ts';
import { isData } from './header.ts';
import { BlockRecord } from './record.ts';
import { BlockLogWriter } from './writer.ts';

const NOTHING = new Uint8Array(0);

export const rewriteBlockLog: WalRewrite = {
  open() {
    let writer = new BlockLogWriter();
    return {
      segment() {
        writer = new BlockLogWriter();
      },
      record(record) {
        if (!(record instanceof BlockRecord)) {
          throw new DdiaError('not-a-block-record', 'the record was not read from a block log');
        }
        return record.index === 0 ? rewriteRecord(writer, record) : NOTHING;
      },
      end: () => NOTHING,
    };
  },
};

function rewriteRecord(writer: BlockLogWriter, record: BlockRecord): Uint8Array {
  const { bytes, payloadStart, payloadEnd, type, countRight } = record;
  if (isData(type)) {
    if (countRight < 0) return writer.add(bytes, payloadStart, payloadEnd);
    const payload = bytes.slice(payloadStart, payloadEnd);
    new DataView(payload.buffer).setUint32(BATCH_COUNT_AT, countRight, true);
    return writer.add(payload);
  }
  // They tell the size of the file before, which a repair changes; without them nothing is
  // compared.
  if (type === PREDECESSOR_WAL_INFO_TYPE || type === RECYCLE_PREDECESSOR_WAL_INFO_TYPE)
    return NOTHING;
  const legacy =
    type === RECYCLABLE_USER_DEFINED_TIMESTAMP_SIZE_TYPE ? USER_DEFINED_TIMESTAMP_SIZE_TYPE : type;
  return writer.addWhole(legacy, bytes, payloadStart, payloadEnd);
}
