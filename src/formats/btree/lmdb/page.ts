/** A page, or a page within a node, as places in a buffer. Reused. */
import { u64 } from '../u64.ts';
import {
  F_BIGDATA,
  FLAGS_AT,
  LOWER_AT,
  NODE_BYTES,
  P_BRANCH,
  P_IGNORED,
  P_LEAF,
  P_LEAF2,
  PAD_AT,
  PAGE_HEADER_BYTES,
  UPPER_AT,
} from './layout.ts';

export class LmdbPage {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  start = 0;
  end = 0;
  pgno = 0;
  flags = 0;
  lower = 0;
  upper = 0;
  /** Of keys of one size. */
  pad = 0;
  leaf = false;
  leaf2 = false;
  /** By the header, unless another number of nodes fills the room behind the free space exactly. */
  count = 0;
  /** By the header. */
  stated = 0;
  /** Nodes that lie within the page. They are what is counted from 0 below. */
  nodes = 0;
  /** Their slots, unless all nodes do. */
  #slots: number[] | undefined;
  /** Bytes of nodes, each of an even number. */
  nodeBytes = 0;

  /** `end`: where the page's bytes end. False if a node leads out of it. */
  parse(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.bytes = bytes;
    this.view = view;
    this.start = start;
    this.end = end;
    this.count = 0;
    this.stated = 0;
    this.nodes = 0;
    this.nodeBytes = 0;
    this.#slots = undefined;
    if (start + PAGE_HEADER_BYTES > end) return false;
    this.pgno = u64(view, start);
    this.pad = view.getUint16(start + PAD_AT, true);
    this.flags = view.getUint16(start + FLAGS_AT, true) & ~P_IGNORED;
    this.lower = view.getUint16(start + LOWER_AT, true);
    this.upper = view.getUint16(start + UPPER_AT, true);
    this.leaf = (this.flags & P_LEAF) !== 0;
    this.leaf2 = (this.flags & P_LEAF2) !== 0;
    if ((this.flags & (P_LEAF | P_BRANCH)) === 0) return true;
    this.stated = (this.lower - PAGE_HEADER_BYTES) / 2;
    const fits = this.lower >= PAGE_HEADER_BYTES && start + this.lower <= end;
    this.count = fits ? this.stated >>> 0 : 0;
    if (this.leaf2) {
      const room = this.pad === 0 ? 0 : Math.floor((end - start - PAGE_HEADER_BYTES) / this.pad);
      this.nodes = Math.min(this.count, room);
      return this.nodes === this.count;
    }
    if (this.#nodes() && fits && this.nodeBytes === end - start - this.upper) return true;
    const filling = this.#filling();
    if (filling === 0 || filling === this.stated) return fits && this.nodes === this.count;
    this.count = filling;
    return this.#nodes();
  }

  /** How many nodes fill the page from `upper` to its end, to the byte; 0: none do. */
  #filling(): number {
    const { view, start, end, upper } = this;
    let left = end - start - upper;
    for (let slot = 0; left > 0; slot++) {
      const pointer = PAGE_HEADER_BYTES + 2 * slot;
      if (pointer + 2 > upper || view.getUint16(start + pointer, true) < upper) return 0;
      const size = this.#sizeAt(slot);
      if (size === 0) return 0;
      left -= (size + 1) & ~1;
      if (left === 0) return slot + 1;
    }
    return 0;
  }

  #nodes(): boolean {
    const { bytes, view, start, end, leaf, count } = this;
    const lowest = PAGE_HEADER_BYTES + 2 * count;
    this.#slots = undefined;
    let total = 0;
    for (let slot = 0; slot < count; slot++) {
      const pointer = start + PAGE_HEADER_BYTES + 2 * slot;
      const offset = bytes[pointer]! | (bytes[pointer + 1]! << 8);
      const at = start + offset;
      if (offset < lowest || at + NODE_BYTES > end) return this.#goodNodes();
      let size = NODE_BYTES + view.getUint16(at + 6, true);
      if (leaf) size += (bytes[at + 4]! & F_BIGDATA) !== 0 ? 8 : view.getUint32(at, true);
      if (at + size > end) return this.#goodNodes();
      total += (size + 1) & ~1;
    }
    this.nodes = count;
    this.nodeBytes = total;
    return true;
  }

  /** Nodes do not depend on each other: those behind a bad one are as good as ever. */
  #goodNodes(): boolean {
    const slots: number[] = [];
    this.nodeBytes = 0;
    for (let slot = 0; slot < this.count; slot++) {
      const size = this.#sizeAt(slot);
      if (size === 0) continue;
      slots.push(slot);
      this.nodeBytes += (size + 1) & ~1;
    }
    this.nodes = slots.length;
    this.#slots = slots;
    return false;
  }

  /** Bytes of the node in that slot; 0: it does not lie within the page. */
  #sizeAt(slot: number): number {
    const { bytes, view, start, end } = this;
    const pointer = start + PAGE_HEADER_BYTES + 2 * slot;
    const offset = bytes[pointer]! | (bytes[pointer + 1]! << 8);
    const at = start + offset;
    if (offset < PAGE_HEADER_BYTES + 2 * this.count || at + NODE_BYTES > end) return 0;
    let size = NODE_BYTES + view.getUint16(at + 6, true);
    if (this.leaf) {
      const big = (bytes[at + 4]! & F_BIGDATA) !== 0;
      size += big ? 8 : view.getUint32(at, true);
    }
    return at + size > end ? 0 : size;
  }

  /** Where its pointer stands. */
  slot(i: number): number {
    return this.#slots ? this.#slots[i]! : i;
  }

  node(i: number): number {
    const pointer = this.start + PAGE_HEADER_BYTES + 2 * this.slot(i);
    return this.start + this.view.getUint16(pointer, true);
  }

  keyStart(i: number): number {
    if (this.leaf2) return this.start + PAGE_HEADER_BYTES + i * this.pad;
    return this.node(i) + NODE_BYTES;
  }

  keyEnd(i: number): number {
    if (this.leaf2) return this.start + PAGE_HEADER_BYTES + (i + 1) * this.pad;
    const at = this.node(i);
    return at + NODE_BYTES + this.view.getUint16(at + 6, true);
  }

  nodeFlags(i: number): number {
    return this.leaf2 ? 0 : this.view.getUint16(this.node(i) + 4, true);
  }

  /** Bytes of a leaf node's data, wherever it lies. */
  dataSize(i: number): number {
    return this.leaf2 ? 0 : this.view.getUint32(this.node(i), true);
  }

  /** Of a branch. */
  child(i: number): number {
    const at = this.node(i);
    return this.view.getUint32(at, true) + this.view.getUint16(at + 4, true) * 0x1_0000_0000;
  }

  /** A copy. */
  key(i: number): Uint8Array {
    return this.bytes.slice(this.keyStart(i), this.keyEnd(i));
  }
}
