/** LevelDB's write-ahead log and MANIFEST. See FORMAT.md. */
import { BATCH_HEADER_BYTES, HEADER_BYTES, LOG_NAME } from '../block-log/constants.ts';
import { detectBlockLog } from '../block-log/detect.ts';
import { layoutBlockLog } from '../block-log/layout.ts';
import { rewriteBlockLog } from '../block-log/rewrite.ts';
import { scanBlockLog } from '../block-log/scan.ts';
import type { WalDialect } from '../model.ts';
import { ROCKSDB_SPEC } from '../rocksdb/spec.ts';
import { LEVELDB_SPEC } from './spec.ts';

export const leveldb: WalDialect = {
  id: 'leveldb',
  family: 'wal',
  title: 'LevelDB log and MANIFEST: 32 KiB blocks, masked CRC-32C, write batches or version edits',
  source: 'https://github.com/google/leveldb/blob/main/doc/log_format.md',
  hasSeq: true,
  gapSeverity: 'error',
  batches: 'batch-record',
  recordBytesMin: HEADER_BYTES + BATCH_HEADER_BYTES,
  segmentsContinuous: false,
  unchecked: [
    'length is outside the checksum: what it claims is checked against what stands there',
    'no file header: only the name says which log a file is; records of another one pass',
    'a file cut at the end of a record leaves no trace but a gap in the sequence',
    'a MANIFEST has no sequence: a missing edit shows in what the edits say only',
  ],
  segmentNumber(name) {
    const digits = LOG_NAME.exec(name)?.[1];
    return digits === undefined ? undefined : Number(digits);
  },
  detect: (probe) => detectBlockLog('leveldb', probe, ROCKSDB_SPEC, LEVELDB_SPEC),
  scan: (source, context, visitor) => scanBlockLog(LEVELDB_SPEC, source, context, visitor),
  layout: (source, context, visit) => layoutBlockLog(LEVELDB_SPEC, source, context, visit),
  rewrite: rewriteBlockLog,
};
