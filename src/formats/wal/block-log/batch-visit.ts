/**
 * Visits the operations of write batches. A batch is checked whole first, so that each visit knows
 * the rest.
 */
import { toHex } from '../../../shared/hex.ts';
import type { Mend } from '../../damage.ts';
import type { WalVisitor } from '../model.ts';
import { BatchCursor, type BatchForms, COUNTS } from './batch.ts';
import { BATCH_COUNT_AT, BATCH_HEADER_BYTES } from './constants.ts';
import { operationsThatFit } from './diagnose.ts';
import { finding } from './findings.ts';
import { computeCrc, integer64, mask } from './header.ts';
import { Numbering } from './numbering.ts';
import type { BlockRecord, LogicalRecord } from './record.ts';

export class BatchVisitor {
  readonly #cursor: BatchCursor;
  readonly #numbering = new Numbering();
  readonly #asks: boolean;

  constructor(
    forms: BatchForms,
    readonly record: BlockRecord,
    readonly visitor: WalVisitor,
  ) {
    this.#cursor = new BatchCursor(forms);
    this.#asks = visitor.done !== undefined;
  }

  /** Returns true when the visitor wants no more. */
  visit(logical: LogicalRecord): boolean {
    const { bytes, start, end } = logical;
    if (end - start < BATCH_HEADER_BYTES) {
      const message = `a batch of ${end - start} bytes, its header alone has ${BATCH_HEADER_BYTES}`;
      this.#damage('bad-length', logical, start, message, 1, 0);
      return this.visitor.done?.() ?? false;
    }
    const cursor = this.#cursor;
    let operations = 0;
    let counted = 0;
    let p = start + BATCH_HEADER_BYTES;
    let bad = -1;
    while (p < end) {
      const next = cursor.read(bytes, p, end);
      if (next < 0) {
        bad = p;
        break;
      }
      operations++;
      if (cursor.flags & COUNTS) counted++;
      p = next;
    }
    const count = u32(bytes, start + BATCH_COUNT_AT);
    this.#begin(logical, operations, p, count === counted ? -1 : counted);
    if (operations === 1 && bad < 0) {
      if (this.#one(0)) return true;
    } else if (operations > 0) {
      // The cursor stands behind the last operation: go through them again.
      if (this.#all(bytes, start + BATCH_HEADER_BYTES, p)) return true;
    }
    if (bad < 0 && count === counted) return false;
    if (bad >= 0) this.#badOperation(logical, bad, operations, count, counted);
    else this.#badCount(logical, count, counted);
    return this.visitor.done?.() ?? false;
  }

  /** What all operations of the batch have in common. `end` is where they end in the payload. */
  #begin(logical: LogicalRecord, operations: number, end: number, countRight: number): void {
    const { record } = this;
    record.bytes = logical.bytes;
    record.offset = logical.offset;
    // Of a batch that is damaged further on, the record is what comes before: the rest is the
    // finding's.
    record.length = end === logical.end ? logical.length : logical.fileOffset(end) - logical.offset;
    // A wrong count is mended as a wrong length is: the finding that follows says how.
    record.salvaged = logical.salvaged || countRight >= 0;
    record.batchSize = operations;
    record.type = logical.type;
    record.payloadStart = logical.start;
    record.payloadEnd = end;
    record.countRight = countRight;
    this.#numbering.begin(u32(logical.bytes, logical.start + 4), u32(logical.bytes, logical.start));
  }

  #all(bytes: Uint8Array, from: number, end: number): boolean {
    const cursor = this.#cursor;
    let index = 0;
    for (let p = from; p < end; index++) {
      p = cursor.read(bytes, p, end);
      if (this.#one(index)) return true;
    }
    return false;
  }

  /** Visits the operation that the cursor has just read. */
  #one(index: number): boolean {
    const cursor = this.#cursor;
    const numbering = this.#numbering;
    const { record } = this;
    const sequenced = numbering.next(cursor.tag, (cursor.flags & COUNTS) !== 0);
    record.seqHigh = numbering.high;
    record.seqLow = numbering.low;
    record.sequenced = sequenced;
    record.extra =
      cursor.timeAt < 0 ? undefined : { writeTime: integer64(viewOf(record.bytes), cursor.timeAt) };
    record.op = cursor.op;
    record.columnFamily = cursor.columnFamily;
    record.index = index;
    record.keyStart = cursor.keyStart;
    record.keyEnd = cursor.keyEnd;
    record.valueStart = cursor.valueStart;
    record.valueEnd = cursor.valueEnd;
    this.visitor.record(record);
    return this.#asks && this.visitor.done!();
  }

  #badOperation(
    logical: LogicalRecord,
    bad: number,
    operations: number,
    count: number,
    counted: number,
  ): void {
    const { problem, reason } = this.#cursor;
    const rest = logical.end - bad;
    const missing = count - counted;
    const possible = missing > 0 && missing <= operationsThatFit(rest);
    const lost = possible
      ? `${missing} of the batch's ${count} are missing`
      : `the batch's count of ${count} does not say how many are missing`;
    const message =
      `operation ${operations + 1} of the batch at ${logical.offset}: ${reason}; ${lost}, ` +
      `${rest} bytes cannot be read`;
    this.#damage(
      problem,
      logical,
      bad,
      message,
      possible ? missing : operationsThatFit(rest),
      operations,
    );
  }

  /** `from` on the payload is lost. */
  #damage(
    code: string,
    logical: LogicalRecord,
    from: number,
    message: string,
    records: number,
    operations: number,
  ): void {
    const { file } = this.record;
    const offset = operations === 0 ? logical.offset : logical.fileOffset(from);
    const evidence = 'the checksum holds: it was written so';
    const end = logical.offset + logical.length;
    this.visitor.damage(finding(file, code, offset, end, message, { evidence, records }));
  }

  #badCount(logical: LogicalRecord, count: number, counted: number): void {
    const message =
      `the count of the batch at ${logical.offset} is ${count}, ` +
      `${counted} operations that count are in it`;
    const { file } = this.record;
    const end = logical.offset + logical.length;
    const mend = mendCount(logical, counted);
    this.visitor.damage(
      finding(file, 'bad-count', logical.offset, end, message, {
        records: Math.max(0, count - counted),
        lost: false,
        repair: 'write the right count',
        ...(mend && { mend }),
      }),
    );
  }
}

/** Header and start of the batch with the right count, and the checksum for it. */
function mendCount(logical: LogicalRecord, count: number): Mend | undefined {
  const { bytes, start, ends, offset } = logical;
  const head = logical.head(0);
  const dataEnd = ends[0]!;
  if (dataEnd < BATCH_HEADER_BYTES) return undefined;
  const fragment = new Uint8Array(head.length + dataEnd);
  fragment.set(head);
  fragment.set(bytes.subarray(start, start + dataEnd), head.length);
  const view = new DataView(fragment.buffer);
  view.setUint32(head.length + BATCH_COUNT_AT, count, true);
  view.setUint32(0, mask(computeCrc(fragment, view, 0, fragment.length)), true);
  return { offset, hex: toHex(fragment, 0, head.length + BATCH_HEADER_BYTES) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function u32(bytes: Uint8Array, p: number): number {
  return (bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24)) >>> 0;
}
