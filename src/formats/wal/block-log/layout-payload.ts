/**
 * The fields of a payload in order, for the layout. What cannot be read is one leaf with the
 * finding's code.
 */

import { BatchCursor, type BatchForms, HAS_KEY, SWAPPED, WRITE_TIME_BYTES } from './batch.ts';
import { BATCH_COUNT_AT, BATCH_HEADER_BYTES } from './constants.ts';
import { type EditForms, readField } from './edit.ts';
import { EditReader } from './edit-reader.ts';
import { integer64 } from './header.ts';
import type { LogicalRecord } from './record.ts';
import type { FragmentSpans } from './spans.ts';

export function layoutBatch(forms: BatchForms, record: LogicalRecord, out: FragmentSpans): void {
  const { bytes, start, end } = record;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  out.leaf('sequence', start + BATCH_COUNT_AT, integer64(view, start));
  out.leaf('count', start + BATCH_HEADER_BYTES, view.getUint32(start + BATCH_COUNT_AT, true));
  const cursor = new BatchCursor(forms);
  let p = start + BATCH_HEADER_BYTES;
  while (p < end) {
    const next = cursor.read(bytes, p, end);
    if (next < 0) {
      out.leaf('damaged', end, cursor.reason, cursor.problem);
      return;
    }
    out.open(cursor.op);
    out.leaf('tag', p + 1, cursor.tag);
    if (cursor.familyEnd >= 0) out.leaf('column_family', cursor.familyEnd, cursor.columnFamily);
    if (cursor.flags & SWAPPED) layoutValue(cursor, out);
    if (cursor.flags & HAS_KEY) {
      out.leaf('key_length', cursor.keyStart, cursor.keyEnd - cursor.keyStart);
      out.bytes('key', cursor.keyEnd);
    }
    if (!(cursor.flags & SWAPPED)) layoutValue(cursor, out);
    out.close();
    p = next;
  }
}

function layoutValue(cursor: BatchCursor, out: FragmentSpans): void {
  if (cursor.valueStart < 0) return;
  const end = cursor.timeAt < 0 ? cursor.valueEnd : cursor.timeAt + WRITE_TIME_BYTES;
  out.leaf('value_length', cursor.valueStart, end - cursor.valueStart);
  out.bytes('value', cursor.valueEnd);
  if (cursor.timeAt < 0) return;
  const { bytes } = out.record;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  out.leaf('write_time', cursor.timeAt + WRITE_TIME_BYTES, integer64(view, cursor.timeAt));
}

export function layoutEdit(forms: EditForms, record: LogicalRecord, out: FragmentSpans): void {
  const { bytes, start, end } = record;
  const reader = new EditReader(forms.types, true);
  reader.begin(bytes, start, end);
  while (reader.p < end) {
    reader.parts = [];
    const field = readField(forms, reader);
    if (!field) {
      out.leaf('damaged', end, reader.reason, reader.code);
      return;
    }
    out.open(field.op);
    for (const part of reader.parts) out.leaf(part.name, part.end, part.value);
    out.close();
  }
}
