/** The textbook table. See FORMAT.md. */
import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import { type Detection, NOT_THIS, type Probe } from '../../format.ts';
import { layoutFlat } from '../flat/layout.ts';
import { openFlat } from '../flat/open.ts';
import { scanFlat } from '../flat/scan.ts';
import { readTail } from '../flat/tail.ts';
import type { TableDialect } from '../model.ts';
import { v1Encoder } from './encode.ts';
import { ENTRY_COUNT_AT, HEADER_BYTES, MAGIC, VERSION, VERSION_AT, v1Spec } from './layout.ts';

export const v1: TableDialect = {
  id: 'v1',
  family: 'sstable',
  title: 'textbook table: header with a count, entries with timestamps, sparse index, footer',
  source: 'FORMAT.md',
  hasSeq: false,
  hasTimestamp: true,
  fileName: /\.sst$/,
  unchecked: [
    'there is no checksum anywhere: changed keys, values and timestamps show only where they break an order or a length',
    'a deletion rests on one byte: a value_length whose highest byte turned to 0xFF reads as a deletion',
    'nothing says which table a file is, or that entries cut out with their index were ever there',
  ],
  detect,
  scan: (source, context, visitor) => scanFlat(v1Spec, source, context, visitor),
  open: (source, context) => openFlat(v1Spec, source, context),
  layout: (source, context, visit) => layoutFlat(v1Spec, source, context, visit),
  async describe(source, context) {
    const view = viewOf(await bytesAt(source, 0, HEADER_BYTES));
    const tail = await readTail(v1Spec, source, context);
    const header = view.byteLength === HEADER_BYTES;
    return {
      ...(header && { version: view.getUint16(VERSION_AT) }),
      ...(header && { entryCount: view.getUint32(ENTRY_COUNT_AT) }),
      indexOffset: tail.entriesEnd ?? null,
      indexCount: tail.indexCount,
    };
  },
  encoder: v1Encoder,
};

function detect(probe: Probe): Detection {
  const { head } = probe;
  if (head.length < 6) return NOT_THIS;
  const view = viewOf(head);
  if (view.getUint32(0) !== MAGIC) return NOT_THIS;
  const version = view.getUint16(VERSION_AT);
  return version === VERSION
    ? { confidence: 'certain', reason: 'magic "SSTB", version 1' }
    : { confidence: 'likely', reason: `magic "SSTB", version ${version}` };
}
