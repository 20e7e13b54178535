/**
 * One record: to bytes and back. No object, closure or copy per record: this is what a put, a merge
 * and a scan spend their time with.
 */
import { crc32c } from '../../../shared/crc32.ts';
import {
  BODY_CRC_AT,
  CONTINUED,
  CONTINUES,
  DELETE,
  EXPIRES_AT,
  FLAGS_AT,
  FLAGS_KNOWN,
  HEAD_BYTES,
  HEAD_CRC_AT,
  KEY_LENGTH_AT,
  KIND_AT,
  PUT,
  SEQ_AT,
  TIMESTAMP_AT,
  UNSYNCED_AT,
  VALUE_LENGTH_AT,
} from './layout.ts';

const TWO_32 = 0x1_0000_0000;
/** High half of a number of 2^53: none reaches it. */
const SEQ_HIGH_END = 0x20_0000;

export const seqOf = (view: DataView, at: number): number =>
  view.getUint32(at + SEQ_AT + 4, true) * TWO_32 + view.getUint32(at + SEQ_AT, true);
export const keyLengthOf = (view: DataView, at: number): number =>
  view.getUint32(at + KEY_LENGTH_AT, true);
export const valueLengthOf = (view: DataView, at: number): number =>
  view.getUint32(at + VALUE_LENGTH_AT, true);
export const recordBytesOf = (view: DataView, at: number): number =>
  HEAD_BYTES + keyLengthOf(view, at) + valueLengthOf(view, at);
export const timestampOf = (view: DataView, at: number): number =>
  view.getFloat64(at + TIMESTAMP_AT, true);
export const expiresOf = (view: DataView, at: number): number =>
  view.getUint16(at + EXPIRES_AT + 4, true) * TWO_32 + view.getUint32(at + EXPIRES_AT, true);
export const isDeletion = (bytes: Uint8Array, at: number): boolean =>
  bytes[at + KIND_AT] === DELETE;
export const isContinued = (bytes: Uint8Array, at: number): boolean =>
  (bytes[at + FLAGS_AT]! & CONTINUED) !== 0;
export const continuesBatch = (bytes: Uint8Array, at: number): boolean =>
  (bytes[at + FLAGS_AT]! & CONTINUES) !== 0;
export const inBatch = (bytes: Uint8Array, at: number): boolean => bytes[at + FLAGS_AT] !== 0;
export const unsyncedOf = (view: DataView, at: number): number =>
  view.getUint32(at + UNSYNCED_AT, true);

/** Whether the fields of a head say something that this layout knows. */
export function headMakesSense(bytes: Uint8Array, view: DataView, at: number): boolean {
  const kind = bytes[at + KIND_AT]!;
  return (
    (kind === PUT || (kind === DELETE && view.getUint32(at + VALUE_LENGTH_AT, true) === 0)) &&
    bytes[at + FLAGS_AT]! <= FLAGS_KNOWN &&
    view.getUint32(at + SEQ_AT + 4, true) < SEQ_HIGH_END
  );
}

/** The register that the checksums of a record at `offset` begin with. */
export const seedOf = (fileCrc: number, offset: number): number => ~(fileCrc ^ offset);

export class RecordCodec {
  /** The record that was encoded last is continued by the next one. */
  #continued = false;

  /** `fileCrc`: the crc in the header of the data file. */
  constructor(readonly fileCrc: number) {}

  /**
   * Writes a record at target[at] that is to stand at `offset` of the file, behind the one that was
   * encoded before; returns its bytes. There must be room. `value` undefined: a deletion.
   * `continued`: the next one is of its batch. `unsynced`: see FORMAT.md; more than fits is cut to
   * what fits.
   */
  encode(
    target: Uint8Array,
    view: DataView,
    at: number,
    offset: number,
    seq: number,
    key: Uint8Array,
    value: Uint8Array | undefined,
    timestamp: number,
    expires: number,
    continued: boolean,
    unsynced: number,
  ): number {
    const keyLength = key.length;
    const keyAt = at + HEAD_BYTES;
    let end = keyAt + keyLength;
    view.setUint32(at + SEQ_AT, seq, true);
    view.setUint32(at + SEQ_AT + 4, seq / TWO_32, true);
    view.setUint32(at + KEY_LENGTH_AT, keyLength, true);
    view.setFloat64(at + TIMESTAMP_AT, timestamp, true);
    view.setUint32(at + EXPIRES_AT, expires, true);
    view.setUint16(at + EXPIRES_AT + 4, expires / TWO_32, true);
    target[at + KIND_AT] = value === undefined ? DELETE : PUT;
    target[at + FLAGS_AT] = (continued ? CONTINUED : 0) | (this.#continued ? CONTINUES : 0);
    this.#continued = continued;
    view.setUint32(at + UNSYNCED_AT, unsynced < TWO_32 ? unsynced : TWO_32 - 1, true);
    target.set(key, keyAt);
    if (value === undefined) {
      view.setUint32(at + VALUE_LENGTH_AT, 0, true);
    } else {
      view.setUint32(at + VALUE_LENGTH_AT, value.length, true);
      target.set(value, end);
      end += value.length;
    }
    this.seal(target, view, at, offset, end);
    return end - at;
  }

  /** Makes both checksums of the record at bytes[at, end) for its place, whatever it says else. */
  seal(bytes: Uint8Array, view: DataView, at: number, offset: number, end: number): void {
    const seed = ~(this.fileCrc ^ offset);
    const body = crc32c.update(seed, bytes, view, at + HEAD_BYTES, end);
    view.setInt32(at + BODY_CRC_AT, ~body, true);
    const head = crc32c.update(seed, bytes, view, at + BODY_CRC_AT, at + HEAD_BYTES);
    view.setInt32(at + HEAD_CRC_AT, ~head, true);
  }

  /**
   * The length of the record at bytes[at] if it is whole within `available` bytes, intact, and
   * belongs at `offset` of this file; else 0.
   */
  check(bytes: Uint8Array, view: DataView, at: number, available: number, offset: number): number {
    if (available < HEAD_BYTES) return 0;
    const total =
      HEAD_BYTES +
      view.getUint32(at + KEY_LENGTH_AT, true) +
      view.getUint32(at + VALUE_LENGTH_AT, true);
    if (total > available || !headMakesSense(bytes, view, at)) return 0;
    const seed = ~(this.fileCrc ^ offset);
    const keyAt = at + HEAD_BYTES;
    const head = crc32c.update(seed, bytes, view, at + BODY_CRC_AT, keyAt);
    if (~head !== view.getInt32(at + HEAD_CRC_AT, true)) return 0;
    const body = crc32c.update(seed, bytes, view, keyAt, at + total);
    return ~body === view.getInt32(at + BODY_CRC_AT, true) ? total : 0;
  }

  /** Whether the head at bytes[at] checks; it then tells the record's length, whole or not. */
  headHolds(bytes: Uint8Array, view: DataView, at: number, offset: number): boolean {
    const seed = ~(this.fileCrc ^ offset);
    const head = crc32c.update(seed, bytes, view, at + BODY_CRC_AT, at + HEAD_BYTES);
    return ~head === view.getInt32(at + HEAD_CRC_AT, true);
  }
}
