/** The B+tree's redo log, btree.wal: images of pages beside btree.db. See FORMAT.md. */
import { layoutFromScan } from '../layout-from-scan.ts';
import type { WalDialect } from '../model.ts';
import { detectBtreeV1 } from './detect.ts';
import { fieldsOfEntry } from './fields.ts';
import { FILE_NAME, OVERHEAD_BYTES, PAGE_BYTES_MIN } from './layout.ts';
import { scanBtreeV1 } from './scan.ts';

export const btreeV1: WalDialect = {
  id: 'btree-v1',
  family: 'wal',
  title: 'B+tree redo log: seq, page, data_length, page image, CRC-32 of the image',
  source: 'FORMAT.md',
  hasSeq: true,
  gapSeverity: 'error',
  firstSeq: 1,
  batches: 'none',
  recordBytesMin: OVERHEAD_BYTES + PAGE_BYTES_MIN,
  segmentsContinuous: false,
  unchecked: [
    'seq is outside the checksum: gaps and regressions are the only evidence',
    'page is outside the checksum: checked against the image itself and btree.db only',
    'data_length is outside the checksum: checked by the checksum that it leads to',
    'whole operations are marked in some logs only: of others, a split half written cannot be told',
    'metadata need not be logged: key count and free list may lag behind the images',
    'no file header: nothing names the format, its version or the tree that the log belongs to',
    'entries cut off at the end of the log leave no trace',
  ],
  segmentNumber: (name) => (name === FILE_NAME ? 1 : undefined),
  detect: detectBtreeV1,
  scan: scanBtreeV1,
  layout: (source, context, visit) =>
    layoutFromScan(btreeV1, fieldsOfEntry, source, context, visit),
};
