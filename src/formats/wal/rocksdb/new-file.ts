/**
 * The new-file fields of RocksDB (db/version_edit.cc): kNewFile2, 3 and 4, the last with custom
 * fields.
 */
import { level } from '../block-log/edit.ts';
import type { EditReader } from '../block-log/edit-reader.ts';

/** NewFileCustomTag::kTerminate */
const TERMINATE = 1;
/** kCustomTagNonSafeIgnoreMask: who does not know a tag with this bit must not go on. */
const NON_SAFE_IGNORE_MASK = 1 << 6;
const PATH_ID = NON_SAFE_IGNORE_MASK + 1;
const UNIQUE_ID_BYTES = 16;
/** Custom fields that nobody knows are named up to this many. */
const UNKNOWN_MAX = 64;

type CustomReader = (r: EditReader) => unknown;

const varint: CustomReader = (r) => r.varint64('custom_value');
const flag: CustomReader = (r) => r.byte('custom_value') === 1;
const byte: CustomReader = (r) => r.byte('custom_value');
const rest: CustomReader = (r) => r.rawHex('custom_value', r.end - r.p);
const text: CustomReader = (r) => r.rawText('custom_value');

/** NewFileCustomTag: name and form by tag. Each field has its length in front. */
const CUSTOM: ReadonlyMap<number, readonly [name: string, read: CustomReader]> = new Map([
  [2, ['needCompaction', flag] as const],
  [3, ['minLogNumberToKeep', (r: EditReader) => r.fixed64('custom_value')] as const],
  [4, ['oldestBlobFileNumber', varint] as const],
  [5, ['oldestAncesterTime', varint] as const],
  [6, ['fileCreationTime', varint] as const],
  [7, ['fileChecksum', rest] as const],
  [8, ['fileChecksumFuncName', text] as const],
  [9, ['temperature', byte] as const],
  [10, ['minTimestamp', rest] as const],
  [11, ['maxTimestamp', rest] as const],
  [12, ['uniqueId', uniqueId] as const],
  [13, ['epochNumber', varint] as const],
  [14, ['compensatedRangeDeletionSize', varint] as const],
  [15, ['tailSize', varint] as const],
  [16, ['userDefinedTimestampsPersisted', flag] as const],
  [17, ['fileOpenMetadata', rest] as const],
  [PATH_ID, ['pathId', byte] as const],
]);

export function newFile(r: EditReader, version: 2 | 3 | 4): Record<string, unknown> {
  const extra: Record<string, unknown> = {
    level: level(r, Number.POSITIVE_INFINITY),
    fileNumber: r.varint64('file_number'),
  };
  if (version === 3) extra['pathId'] = r.varint32('path_id');
  extra['fileSize'] = r.varint64('file_size');
  extra['smallest'] = r.internalKey('smallest');
  extra['largest'] = r.internalKey('largest');
  extra['smallestSeq'] = r.varint64('smallest_seqno');
  extra['largestSeq'] = r.varint64('largest_seqno');
  if (version === 4) customFields(r, extra);
  return extra;
}

/** tag, length, bytes; up to the terminating tag. */
function customFields(r: EditReader, extra: Record<string, unknown>): void {
  const unknown: { tag: number; length: number }[] = [];
  while (!r.failed) {
    const tag = r.varint32('custom_tag');
    if (r.failed || tag === TERMINATE) break;
    const known = CUSTOM.get(tag);
    if (known) {
      const [name, read] = known;
      r.nested(name, () => {
        extra[name] = read(r);
      });
    } else if (tag & NON_SAFE_IGNORE_MASK) {
      r.fail(`custom tag ${tag} of a new file is unknown, and must not be ignored`, 'bad-op');
    } else {
      const length = r.skip('custom_value');
      if (unknown.length < UNKNOWN_MAX) unknown.push({ tag, length });
    }
  }
  if (unknown.length > 0) extra['unknown'] = unknown;
}

function uniqueId(r: EditReader): unknown {
  const length = r.end - r.p;
  if (length !== UNIQUE_ID_BYTES) {
    r.fail(`the unique id has ${length} bytes, expected ${UNIQUE_ID_BYTES}`);
  }
  return r.rawHex('custom_value', length);
}
