/**
 * Visits the fields of version edits, one record each; a record without sequence number has
 * `extra`.
 */
import type { WalVisitor } from '../model.ts';
import { type EditForms, readField } from './edit.ts';
import { EditReader } from './edit-reader.ts';
import { finding } from './findings.ts';
import type { BlockRecord, LogicalRecord } from './record.ts';

export class EditVisitor {
  readonly #reader: EditReader;

  constructor(
    readonly forms: EditForms,
    readonly record: BlockRecord,
    readonly visitor: WalVisitor,
  ) {
    this.#reader = new EditReader(forms.types, false);
  }

  /** Returns true when the visitor wants no more. */
  visit(logical: LogicalRecord): boolean {
    const { bytes, start, end } = logical;
    const { record, visitor, forms } = this;
    const reader = this.#reader;
    // Once to count the fields, so that each visit knows how many there are, and once to visit
    // them.
    reader.begin(bytes, start, end);
    let fields = 0;
    let good = start;
    while (reader.p < end && readField(forms, reader)) {
      fields++;
      good = reader.p;
    }
    const { reason, code } = reader;
    this.#begin(logical, fields, good);
    reader.begin(bytes, start, good);
    for (let index = 0; index < fields; index++) {
      const field = readField(forms, reader)!;
      record.index = index;
      record.op = field.op;
      record.extra = field.extra;
      visitor.record(record);
      if (visitor.done?.()) return true;
    }
    if (good === end) return false;
    this.#damage(logical, good, fields, code, reason);
    return visitor.done?.() ?? false;
  }

  #begin(logical: LogicalRecord, fields: number, good: number): void {
    const { record } = this;
    record.bytes = logical.bytes;
    record.offset = logical.offset;
    record.length =
      good === logical.end ? logical.length : logical.fileOffset(good) - logical.offset;
    record.salvaged = logical.salvaged;
    record.batchSize = fields;
    record.sequenced = false;
    record.seqHigh = 0;
    record.seqLow = 0;
    record.columnFamily = -1;
    record.keyStart = record.keyEnd = record.valueStart = record.valueEnd = -1;
    record.type = logical.type;
    record.payloadStart = logical.start;
    record.payloadEnd = good;
    record.countRight = -1;
  }

  #damage(
    logical: LogicalRecord,
    good: number,
    fields: number,
    code: string,
    reason: string,
  ): void {
    const offset = fields === 0 ? logical.offset : logical.fileOffset(good);
    const end = logical.offset + logical.length;
    const message =
      `field ${fields + 1} of the edit at ${logical.offset}: ${reason}; ` +
      `${logical.end - good} bytes cannot be read`;
    const evidence = 'the checksum holds: it was written so';
    this.visitor.damage(finding(this.record.file, code, offset, end, message, { evidence }));
  }
}
