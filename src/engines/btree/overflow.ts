/** Values that do not fit into a leaf: in a chain of pages of their own. */
import {
  CELLS_AT,
  HEADER_BYTES,
  IN_OVERFLOW,
  KIND_AT,
  LEAF_CELL_BYTES,
  LINK_AT,
  LINK_CRC_AT,
  OVERFLOW,
  VALUE_BYTES_MAX,
} from '../../formats/btree/v2/layout.ts';
import type { Frame } from './frame.ts';
import type { Pager } from './pager.ts';

/** Bytes of a value in one page. */
function roomOf({ pageSize }: Pager): number {
  return pageSize - HEADER_BYTES;
}

/** Writes the last part first: each page has the checksum of the one that goes on. */
export function writeValue(pager: Pager, value: Uint8Array): { page: number; crc: number } {
  const room = roomOf(pager);
  let behind = { page: 0, crc: 0 };
  for (let from = Math.floor((value.length - 1) / room) * room; from >= 0; from -= room) {
    const part = value.subarray(from, from + room);
    const frame = pager.make(OVERFLOW);
    frame.bytes.set(part, HEADER_BYTES);
    frame.view.setUint16(CELLS_AT, part.length, true);
    frame.view.setUint32(LINK_AT, behind.page, true);
    frame.view.setUint32(LINK_CRC_AT, behind.crc, true);
    behind = { page: frame.page, crc: pager.seal(frame) };
  }
  return behind;
}

/** A copy. */
export function readValue(pager: Pager, leaf: Frame, slot: number): Buffer {
  const { view, bytes } = leaf;
  const at = leaf.cell(slot);
  const from = at + LEAF_CELL_BYTES + view.getUint16(at, true);
  const length = view.getUint16(at + 2, true);
  if (length !== IN_OVERFLOW) return Buffer.from(bytes.subarray(from, from + length));
  const value = Buffer.allocUnsafe(checkedLength(pager, leaf, view.getUint32(from, true)));
  let done = 0;
  for (const { bytes: part, partLength } of chain(pager, leaf, slot)) {
    part.copy(value, done, HEADER_BYTES, HEADER_BYTES + partLength);
    done += partLength;
  }
  return value;
}

export function freeValue(pager: Pager, leaf: Frame, slot: number): void {
  const at = leaf.cell(slot);
  if (leaf.view.getUint16(at + 2, true) !== IN_OVERFLOW) return;
  for (const frame of chain(pager, leaf, slot)) pager.discard(frame);
}

function checkedLength(pager: Pager, leaf: Frame, length: number): number {
  if (length <= Math.min(VALUE_BYTES_MAX, pager.high * roomOf(pager))) return length;
  throw pager.corrupt(leaf.page, `has a value of ${length} bytes, more than there can be`);
}

/** Its pages in order. Throws `corrupt` where one has not its part, or the last is not the end. */
function* chain(pager: Pager, leaf: Frame, slot: number): Generator<Frame> {
  const room = roomOf(pager);
  const at = leaf.cell(slot);
  const from = at + LEAF_CELL_BYTES + leaf.view.getUint16(at, true);
  const length = checkedLength(pager, leaf, leaf.view.getUint32(from, true));
  let page = leaf.view.getUint32(from + 4, true);
  let crc = leaf.view.getUint32(from + 8, true);
  for (let done = 0; done < length; done += room) {
    const frame = pager.get(page, crc);
    if (frame.bytes[KIND_AT] !== OVERFLOW || frame.partLength !== Math.min(room, length - done)) {
      throw pager.corrupt(page, `has not the part of a value that page ${leaf.page} leads to`);
    }
    page = frame.view.getUint32(LINK_AT, true);
    crc = frame.view.getUint32(LINK_CRC_AT, true);
    yield frame;
  }
  if (page !== 0) throw pager.corrupt(page, `goes on behind a value of page ${leaf.page}`);
}
