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
  /** By the header. */
  count = 0;
  /** Nodes that lie within the page, in front of the first that does not. */
  nodes = 0;
  /** Bytes of nodes, each of an even number. */
  nodeBytes = 0;

  /** `end`: where the page's bytes end. False if a node leads out of it. */
  parse(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    this.bytes = bytes;
    this.view = view;
    this.start = start;
    this.end = end;
    this.count = 0;
    this.nodes = 0;
    this.nodeBytes = 0;
    if (start + PAGE_HEADER_BYTES > end) return false;
    this.pgno = u64(view, start);
    this.pad = view.getUint16(start + PAD_AT, true);
    this.flags = view.getUint16(start + FLAGS_AT, true) & ~P_IGNORED;
    this.lower = view.getUint16(start + LOWER_AT, true);
    this.upper = view.getUint16(start + UPPER_AT, true);
    this.leaf = (this.flags & P_LEAF) !== 0;
    this.leaf2 = (this.flags & P_LEAF2) !== 0;
    if ((this.flags & (P_LEAF | P_BRANCH)) === 0) return true;
    if (this.lower < PAGE_HEADER_BYTES || start + this.lower > end) return false;
    this.count = (this.lower - PAGE_HEADER_BYTES) >> 1;
    if (this.leaf2) {
      const room = this.pad === 0 ? 0 : Math.floor((end - start - PAGE_HEADER_BYTES) / this.pad);
      this.nodes = Math.min(this.count, room);
      return this.nodes === this.count;
    }
    return this.#nodes();
  }

  #nodes(): boolean {
    const { view, start, end, leaf, count, lower } = this;
    const { bytes } = this;
    let total = 0;
    for (let i = 0; i < count; i++) {
      const pointer = start + PAGE_HEADER_BYTES + 2 * i;
      const offset = bytes[pointer]! | (bytes[pointer + 1]! << 8);
      const at = start + offset;
      if (offset < lower || at + NODE_BYTES > end) return false;
      let size = NODE_BYTES + view.getUint16(at + 6, true);
      if (leaf) {
        const big = (bytes[at + 4]! & F_BIGDATA) !== 0;
        size += big ? 8 : view.getUint32(at, true);
      }
      if (at + size > end) return false;
      total += (size + 1) & ~1;
      this.nodes = i + 1;
    }
    this.nodeBytes = total;
    return true;
  }

  node(i: number): number {
    return this.start + this.view.getUint16(this.start + PAGE_HEADER_BYTES + 2 * i, true);
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
