/** Values that do not fit into a leaf: in a chain of pages of their own. */
import {
  CELLS_AT,
  HEADER_BYTES,
  IN_OVERFLOW,
  LEAF_CELL_BYTES,
  LINK_AT,
  LINK_CRC_AT,
  OVERFLOW,
} from '../../formats/btree/v2/layout.ts';
import type { Frame } from './frame.ts';
import type { Pager } from './pager.ts';

/** Writes the last part first: each page has the checksum of the one that goes on. */
export function writeValue(pager: Pager, value: Uint8Array): { page: number; crc: number } {
  const room = pager.overflowRoom;
  let behind = { page: 0, crc: 0 };
  for (let from = Math.floor((value.length - 1) / room) * room; from >= 0; from -= room) {
    const part = value.subarray(from, from + room);
    const frame = pager.make(OVERFLOW);
    frame.bytes.set(part, HEADER_BYTES);
    frame.view.setUint16(CELLS_AT, part.length, true);
    frame.view.setUint32(LINK_AT, behind.page, true);
    frame.view.setUint32(LINK_CRC_AT, behind.crc, true);
    behind = { page: frame.page, crc: pager.sealOverflow(frame) };
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
  const value = Buffer.allocUnsafe(view.getUint32(from, true));
  let done = 0;
  for (const frame of chain(pager, leaf, slot)) {
    const part = Math.min(pager.overflowRoom, value.length - done);
    frame.bytes.copy(value, done, HEADER_BYTES, HEADER_BYTES + part);
    done += part;
  }
  return value;
}

export function freeValue(pager: Pager, leaf: Frame, slot: number): void {
  const at = leaf.cell(slot);
  if (leaf.view.getUint16(at + 2, true) !== IN_OVERFLOW) return;
  for (const frame of chain(pager, leaf, slot)) pager.discard(frame);
}

function* chain(pager: Pager, leaf: Frame, slot: number): Generator<Frame> {
  const at = leaf.cell(slot);
  const from = at + LEAF_CELL_BYTES + leaf.view.getUint16(at, true);
  let page = leaf.view.getUint32(from + 4, true);
  let crc = leaf.view.getUint32(from + 8, true);
  const length = leaf.view.getUint32(from, true);
  for (let done = 0; done < length; done += pager.overflowRoom) {
    const frame = pager.get(page, crc);
    page = frame.view.getUint32(LINK_AT, true);
    crc = frame.view.getUint32(LINK_CRC_AT, true);
    yield frame;
  }
}
