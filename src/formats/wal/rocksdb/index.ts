/** RocksDB's write-ahead log and MANIFEST. See FORMAT.md. */
import { BATCH_HEADER_BYTES, HEADER_BYTES, LOG_NAME } from '../block-log/constants.ts';
import { detectBlockLog } from '../block-log/detect.ts';
import { layoutBlockLog } from '../block-log/layout.ts';
import { rewriteBlockLog } from '../block-log/rewrite.ts';
import { scanBlockLog } from '../block-log/scan.ts';
import { LEVELDB_SPEC } from '../leveldb/spec.ts';
import type { WalDialect } from '../model.ts';
import { ROCKSDB_SPEC } from './spec.ts';

export const rocksdb: WalDialect = {
  id: 'rocksdb',
  family: 'wal',
  title: 'RocksDB log and MANIFEST: LevelDB’s blocks, recyclable fragments, column families',
  source: 'https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format',
  hasSeq: true,
  gapSeverity: 'info',
  batches: 'batch-record',
  recordBytesMin: HEADER_BYTES + BATCH_HEADER_BYTES,
  segmentsContinuous: false,
  unchecked: [
    'length is outside the checksum: what it claims is checked against what stands there',
    'a gap in the sequence is no proof of loss: writes without a log and commits leave gaps, too',
    'in a recycled file the end of the log cannot be told from the loss of its last records',
    'write-prepared transactions: a sequence number stands for a part of a batch',
    'payloads of a log with WAL compression are checked by their CRC only, not decompressed',
    'a MANIFEST has no sequence: a missing edit shows in what the edits say only',
  ],
  segmentNumber(name) {
    const digits = LOG_NAME.exec(name)?.[1];
    return digits === undefined ? undefined : Number(digits);
  },
  detect: (probe) => detectBlockLog('rocksdb', probe, ROCKSDB_SPEC, LEVELDB_SPEC),
  scan: (source, context, visitor) => scanBlockLog(ROCKSDB_SPEC, source, context, visitor),
  layout: (source, context, visit) => layoutBlockLog(ROCKSDB_SPEC, source, context, visit),
  rewrite: rewriteBlockLog,
};
