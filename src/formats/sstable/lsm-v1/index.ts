/** The textbook LSM tree's table. See FORMAT.md. */
import { isUtf8 } from 'node:buffer';
import { viewOf } from '../../bytes/read-fully.ts';
import { type Detection, NOT_THIS, type Probe } from '../../format.ts';
import { compareBytes, EntryBlock } from '../entry-block.ts';
import { layoutFlat } from '../flat/layout.ts';
import { openFlat } from '../flat/open.ts';
import { scanFlat } from '../flat/scan.ts';
import { readTail } from '../flat/tail.ts';
import type { TableDialect } from '../model.ts';
import { lsmV1Encoder } from './encode.ts';
import { lsmV1Spec } from './layout.ts';

const FILE_NAME = /^sstable_\d{1,15}\.sst$/;

export const lsmV1: TableDialect = {
  id: 'lsm-v1',
  family: 'sstable',
  title: 'textbook LSM tree’s table: no header, an empty value is a deletion, sparse index',
  source: 'FORMAT.md',
  hasSeq: false,
  hasTimestamp: false,
  fileName: FILE_NAME,
  unchecked: [
    'there is no checksum anywhere: changed keys and values show only where they break an order or a length',
    'there is no header: nothing names the format, its version or the table',
    'an empty value and a deletion are the same bytes',
    'nothing says how many entries there are: some cut out with their index leave no trace',
  ],
  detect,
  scan: (source, context, visitor) => scanFlat(lsmV1Spec, source, context, visitor),
  open: (source, context) => openFlat(lsmV1Spec, source, context),
  layout: (source, context, visit) => layoutFlat(lsmV1Spec, source, context, visit),
  async describe(source, context) {
    const tail = await readTail(lsmV1Spec, source, context);
    return { indexOffset: tail.entriesEnd ?? null, indexCount: tail.indexCount };
  },
  encoder: lsmV1Encoder,
};

/** So many entries in ascending order are no accident. */
const ENTRIES_LOOKED_AT = 8;
/** First keys of other things are seldom short text. */
const KEY_BYTES_USUAL = 4096;

/** There is no magic: entries at the front whose lengths fit and whose keys ascend. */
function detect(probe: Probe): Detection {
  const { head, name, size } = probe;
  const view = viewOf(head);
  const block = new EntryBlock();
  block.reserve(ENTRIES_LOOKED_AT);
  let p = 0;
  let i = 0;
  while (i < ENTRIES_LOOKED_AT && p < head.length) {
    const next = lsmV1Spec.entry(view, p, head.length, block, i);
    if (next < 0) break;
    const start = block.keyStart[i]!;
    const end = block.keyEnd[i]!;
    if (end === start || end - start > KEY_BYTES_USUAL || !isUtf8(head.subarray(start, end))) break;
    if (i > 0) {
      const [a, b] = [block.keyStart[i - 1]!, block.keyEnd[i - 1]!];
      if (compareBytes(head, a, b, head, start, end) >= 0) break;
    }
    p = next;
    i++;
  }
  const named = FILE_NAME.test(name);
  // A table of few entries: they end where the footer says that the index begins.
  const whole = size === head.length && size >= 12 && view.getUint32(size - 8) === p && i > 0;
  if (i === ENTRIES_LOOKED_AT || whole) {
    const reason = `${i} entries at the front whose lengths fit, in ascending order of their keys`;
    return { confidence: named || whole ? 'certain' : 'likely', reason };
  }
  return named ? { confidence: 'likely', reason: `named like a table (${name})` } : NOT_THIS;
}
