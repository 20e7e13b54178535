/**
 * Is the payload of a record a write batch or a version edit? By the file's name, else by the
 * payload itself.
 */
import { BatchCursor, type BatchForms, COUNTS } from './batch.ts';
import { BATCH_COUNT_AT, BATCH_HEADER_BYTES, LOG_NAME, MANIFEST_NAME } from './constants.ts';
import { type EditForms, readField } from './edit.ts';
import { EditReader } from './edit-reader.ts';

export type PayloadKind = 'batch' | 'edit';

/** What the file's name says; undefined: nothing. */
export function kindOfName(name: string): PayloadKind | undefined {
  if (LOG_NAME.test(name)) return 'batch';
  return MANIFEST_NAME.test(name) ? 'edit' : undefined;
}

/** What the payload bytes[start, end) decodes as, to its last byte; undefined: as neither. */
export function kindOfPayload(
  batch: BatchForms,
  edit: EditForms,
  bytes: Uint8Array,
  start: number,
  end: number,
): PayloadKind | undefined {
  if (isBatch(batch, bytes, start, end)) return 'batch';
  return end > start && isEdit(edit, bytes, start, end) ? 'edit' : undefined;
}

function isBatch(forms: BatchForms, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < BATCH_HEADER_BYTES) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cursor = new BatchCursor(forms);
  let counted = 0;
  for (let p = start + BATCH_HEADER_BYTES; p < end; ) {
    p = cursor.read(bytes, p, end);
    if (p < 0) return false;
    if (cursor.flags & COUNTS) counted++;
  }
  return counted === view.getUint32(start + BATCH_COUNT_AT, true);
}

function isEdit(forms: EditForms, bytes: Uint8Array, start: number, end: number): boolean {
  const reader = new EditReader(forms.types, false);
  reader.begin(bytes, start, end);
  while (reader.p < end) if (!readField(forms, reader)) return false;
  return true;
}
