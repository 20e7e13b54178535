/** RocksDB's record types that carry no user data (db/log_format.h), decoded. */
import {
  PREDECESSOR_WAL_INFO_TYPE,
  RECYCLABLE_USER_DEFINED_TIMESTAMP_SIZE_TYPE,
  RECYCLE_PREDECESSOR_WAL_INFO_TYPE,
  SET_COMPRESSION_TYPE,
  USER_DEFINED_TIMESTAMP_SIZE_TYPE,
} from '../block-log/constants.ts';
import { integer64 } from '../block-log/header.ts';
import type { BlockRecord, LogicalRecord } from '../block-log/record.ts';
import type { SpecialForms } from '../block-log/spec.ts';

/** CompressionType (rocksdb/compression_type.h) */
const COMPRESSIONS = ['none', 'snappy', 'zlib', 'bzip2', 'lz4', 'lz4hc', 'xpress', 'zstd'] as const;

/** An entry of timestamp sizes: column family fixed32, size fixed16 (util/udt_util.h). */
const TIMESTAMP_SIZE_BYTES = 6;
/** log number, size and last sequence of the file before, fixed64 each (PredecessorWALInfo). */
const PREDECESSOR_BYTES = 24;
const COMPRESSION_BYTES = 4;

function viewOf({ bytes, start, end }: LogicalRecord): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
}

function describe(logical: LogicalRecord, record: BlockRecord): string {
  const view = viewOf(logical);
  switch (logical.type) {
    case SET_COMPRESSION_TYPE:
      record.op = 'set-compression';
      record.extra = { compression: compressionName(view) };
      return view.byteLength < COMPRESSION_BYTES ? shortOf(view, COMPRESSION_BYTES) : '';
    case USER_DEFINED_TIMESTAMP_SIZE_TYPE:
    case RECYCLABLE_USER_DEFINED_TIMESTAMP_SIZE_TYPE:
      record.op = 'timestamp-sizes';
      record.extra = { sizes: timestampSizes(view) };
      return view.byteLength % TIMESTAMP_SIZE_BYTES === 0
        ? ''
        : `${view.byteLength} bytes, not a multiple of ${TIMESTAMP_SIZE_BYTES}`;
    case PREDECESSOR_WAL_INFO_TYPE:
    case RECYCLE_PREDECESSOR_WAL_INFO_TYPE:
      record.op = 'predecessor-wal';
      if (view.byteLength < PREDECESSOR_BYTES) return shortOf(view, PREDECESSOR_BYTES);
      record.extra = {
        logNumber: integer64(view, 0),
        sizeBytes: integer64(view, 8),
        lastSequence: integer64(view, 16),
      };
      return '';
    default:
      return `type ${logical.type} is unknown`;
  }
}

function shortOf(view: DataView, bytes: number): string {
  return `${view.byteLength} bytes, expected ${bytes}`;
}

function timestampSizes(view: DataView): { columnFamily: number; bytes: number }[] {
  const sizes = [];
  for (let p = 0; p + TIMESTAMP_SIZE_BYTES <= view.byteLength; p += TIMESTAMP_SIZE_BYTES) {
    sizes.push({ columnFamily: view.getUint32(p, true), bytes: view.getUint16(p + 4, true) });
  }
  return sizes;
}

function compressionName(view: DataView): string {
  if (view.byteLength < COMPRESSION_BYTES) return 'unknown';
  const type = view.getUint32(0, true);
  return COMPRESSIONS[type] ?? `type ${type}`;
}

export const ROCKSDB_SPECIAL: SpecialForms = {
  describe,
  compression(logical) {
    if (logical.type !== SET_COMPRESSION_TYPE) return undefined;
    const name = compressionName(viewOf(logical));
    return name === 'none' || name === 'unknown' ? undefined : name;
  },
};
