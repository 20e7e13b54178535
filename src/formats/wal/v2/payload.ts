/** Decodes the payload of a record, operation by operation. Drawn in layout.ts. */
import type { WalRecord, WalVisitor } from '../model.ts';
import { OP_DELETE, OP_PUT, OPS } from './layout.ts';

/** Where the varint that was read last ends. */
let varintEnd = 0;

/** A varint of up to 7 bytes at `at`; -1: it is cut or longer. Sets varintEnd. */
function longVarint(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let p = at; p < end && p < at + 7; p++) {
    const byte = bytes[p]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      varintEnd = p + 1;
      return value;
    }
    scale *= 0x80;
  }
  return -1;
}

/** As longVarint; most lengths are one byte. */
function varint(bytes: Uint8Array, at: number, end: number): number {
  if (at < end) {
    const byte = bytes[at]!;
    if (byte < 0x80) {
      varintEnd = at + 1;
      return byte;
    }
  }
  return longVarint(bytes, at, end);
}

/**
 * True where bytes[start, end) is one put or delete, and nothing else, that is numbered `high`,
 * `low`: as signed halves.
 */
export function continuesPlainly(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  low: number,
  high: number,
): boolean {
  if (end - start < 12) return false;
  if (view.getInt32(start, true) !== low || view.getInt32(start + 4, true) !== high) return false;
  if (varint(bytes, start + 8, end) < 0 || bytes[varintEnd] !== 1) return false;
  const op = bytes[varintEnd + 1];
  const keyLength = varint(bytes, varintEnd + 2, end);
  const keyEnd = varintEnd + keyLength;
  if (keyLength < 0 || keyEnd > end) return false;
  if (op === OP_DELETE) return keyEnd === end;
  const valueLength = varint(bytes, keyEnd, end);
  return op === OP_PUT && valueLength >= 0 && varintEnd + valueLength === end;
}

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
  visitor: Pick<WalVisitor, 'record'>,
): string | undefined {
  if (end - start < 10) return `a payload of ${end - start} bytes, expected at least 10`;
  let low = view.getUint32(start, true);
  let high = view.getUint32(start + 4, true);
  const synced = varint(bytes, start + 8, end);
  const count = synced < 0 ? -1 : varint(bytes, varintEnd, end);
  if (count < 1) return `synced ${synced}, count ${count}: expected a count of at least 1`;
  let at = varintEnd;
  if (record.bytes !== bytes) record.bytes = bytes;
  record.batchSize = count;
  record.synced = synced;
  for (let index = 0; index < count; index++) {
    const code = at < end ? bytes[at]! : 0;
    if (code < 1 || code >= OPS.length) {
      return `op ${code} at operation ${index} of ${count} is none of 1 to ${OPS.length - 1}`;
    }
    const keyLength = varint(bytes, at + 1, end);
    if (keyLength < 0 || keyLength > end - varintEnd) {
      return `key length ${keyLength} of operation ${index}, ${end - at - 1} bytes are left`;
    }
    const keyEnd = varintEnd + keyLength;
    record.keyStart = varintEnd;
    record.keyEnd = keyEnd;
    let valueStart = keyEnd;
    let valueEnd = keyEnd;
    if (code === OP_PUT) {
      const valueLength = varint(bytes, keyEnd, end);
      if (valueLength < 0 || valueLength > end - varintEnd) {
        return `value length ${valueLength} of operation ${index}, ${end - keyEnd} bytes are left`;
      }
      valueStart = varintEnd;
      valueEnd = valueStart + valueLength;
    }
    record.valueStart = valueStart;
    record.valueEnd = valueEnd;
    const op = OPS[code]!;
    if (record.op !== op) record.op = op;
    record.index = index;
    record.seqLow = low;
    record.seqHigh = high;
    visitor.record(record);
    at = valueEnd;
    low = (low + 1) >>> 0;
    if (low === 0) high = (high + 1) >>> 0;
  }
  if (at !== end) return `${end - at} bytes behind the last of ${count} operations`;
  return undefined;
}
