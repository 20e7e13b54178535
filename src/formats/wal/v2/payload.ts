/** Decodes the payload of a record, operation by operation. Drawn in layout.ts. */
import type { WalRecord } from '../model.ts';
import { OP_PUT, OPS } from './layout.ts';

/** Reads varints of at most 8 bytes out of a span; `at` moves on. -1: cut or too long. */
class Cursor {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;

  varint(): number {
    const first = this.at < this.end ? this.bytes[this.at]! : -1;
    if (first >= 0 && first < 0x80) {
      this.at++;
      return first;
    }
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 7 && this.at < this.end; i++) {
      const byte = this.bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    return -1;
  }
}

const cursor = new Cursor();

/**
 * Visits the operations in bytes[start, end). `record` has file, offset and length set. Returns
 * undefined when all is well, else what is wrong: that cannot be chance, the checksum holds.
 */
export function visitOperations(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  record: WalRecord,
  visit: (record: WalRecord) => void,
): string | undefined {
  if (end - start < 10) return `a payload of ${end - start} bytes, expected at least 10`;
  let low = view.getUint32(start, true);
  let high = view.getUint32(start + 4, true);
  cursor.bytes = bytes;
  cursor.at = start + 8;
  cursor.end = end;
  const synced = cursor.varint();
  const count = cursor.varint();
  if (synced < 0 || count < 1)
    return `synced ${synced}, count ${count}: expected a count of at least 1`;
  record.bytes = bytes;
  record.batchSize = count;
  record.synced = synced;
  for (let index = 0; index < count; index++) {
    const code = cursor.at < end ? bytes[cursor.at]! : 0;
    const op = OPS[code];
    if (!op)
      return `op ${code} at operation ${index} of ${count} is none of 1 to ${OPS.length - 1}`;
    cursor.at++;
    const keyLength = cursor.varint();
    if (keyLength < 0 || keyLength > end - cursor.at) {
      return `key length ${keyLength} of operation ${index}, ${end - cursor.at} bytes are left`;
    }
    record.keyStart = cursor.at;
    record.keyEnd = cursor.at + keyLength;
    cursor.at += keyLength;
    record.valueStart = cursor.at;
    record.valueEnd = cursor.at;
    if (code === OP_PUT) {
      const valueLength = cursor.varint();
      if (valueLength < 0 || valueLength > end - cursor.at) {
        return `value length ${valueLength} of operation ${index}, ${end - cursor.at} bytes are left`;
      }
      record.valueStart = cursor.at;
      record.valueEnd = cursor.at + valueLength;
      cursor.at += valueLength;
    }
    record.op = op;
    record.index = index;
    record.seqLow = low;
    record.seqHigh = high;
    const next = cursor.at;
    visit(record);
    cursor.at = next;
    low = (low + 1) >>> 0;
    if (low === 0) high = (high + 1) >>> 0;
  }
  if (cursor.at !== end) return `${end - cursor.at} bytes behind the last of ${count} operations`;
  return undefined;
}
