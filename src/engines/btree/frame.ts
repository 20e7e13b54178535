/** A page in memory, and what can be done within one: search, put in a cell, take one out. */
import {
  CELLS_AT,
  COUNT_AT,
  GARBAGE_AT,
  HEADER_BYTES,
  IN_OVERFLOW,
  INTERIOR,
  INTERIOR_CELL_BYTES,
  KIND_AT,
  LEAF,
  LEAF_CELL_BYTES,
  LEVEL_AT,
  LINK_AT,
  LINK_CRC_AT,
  OVERFLOW_REF_BYTES,
  SLOT_BYTES,
} from '../../formats/btree/v2/layout.ts';

export class Frame {
  readonly view: DataView;
  /** Has bytes that the disk has not. */
  dirty = false;
  /** Looked at since the clock's hand was here. */
  used = true;
  /** The generation that made it: in that one it may be changed where it lies. */
  born = 0;

  constructor(
    readonly page: number,
    readonly bytes: Buffer,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get count(): number {
    return this.view.getUint16(COUNT_AT, true);
  }

  get isLeaf(): boolean {
    return this.bytes[KIND_AT] === LEAF;
  }

  /** An interior page or a leaf. */
  get isTree(): boolean {
    const kind = this.bytes[KIND_AT];
    return kind === LEAF || kind === INTERIOR;
  }

  /** Of an overflow page: bytes of a value. */
  get partLength(): number {
    return this.view.getUint16(CELLS_AT, true);
  }

  get level(): number {
    return this.bytes[LEVEL_AT]!;
  }

  /** Where cell i begins. */
  cell(i: number): number {
    return this.view.getUint16(HEADER_BYTES + i * SLOT_BYTES, true);
  }

  cellLength(i: number): number {
    const { view } = this;
    const at = this.cell(i);
    const key = view.getUint16(at, true);
    if (!this.isLeaf) return INTERIOR_CELL_BYTES + key;
    const value = view.getUint16(at + 2, true);
    return LEAF_CELL_BYTES + key + (value === IN_OVERFLOW ? OVERFLOW_REF_BYTES : value);
  }

  /** A view of it: copy what is kept. */
  key(i: number): Buffer {
    const at = this.cell(i);
    const from = at + (this.isLeaf ? LEAF_CELL_BYTES : INTERIOR_CELL_BYTES);
    return this.bytes.subarray(from, from + this.view.getUint16(at, true));
  }

  /** Of an interior page: child 0 lies in front of the first key. */
  child(i: number): number {
    return this.view.getUint32(i === 0 ? LINK_AT : this.cell(i - 1) + 2, true);
  }

  childCrc(i: number): number {
    return this.view.getUint32(i === 0 ? LINK_CRC_AT : this.cell(i - 1) + 6, true);
  }

  setChild(i: number, page: number, crc: number): void {
    const at = i === 0 ? LINK_AT : this.cell(i - 1) + 2;
    this.view.setUint32(at, page, true);
    this.view.setUint32(at + 4, crc, true);
  }

  /** Bytes that slots and cells take. */
  get taken(): number {
    const { view, bytes } = this;
    const cells = bytes.length - view.getUint16(CELLS_AT, true);
    return this.count * SLOT_BYTES + cells - view.getUint16(GARBAGE_AT, true);
  }

  get room(): number {
    return this.bytes.length - HEADER_BYTES;
  }

  /** Makes room for a cell as number i, and returns where it begins; -1: there is none. */
  insert(i: number, length: number): number {
    const { view, bytes } = this;
    const count = this.count;
    const low = HEADER_BYTES + count * SLOT_BYTES;
    let high = view.getUint16(CELLS_AT, true);
    if (high - low < length + SLOT_BYTES) {
      if (this.room - this.taken < length + SLOT_BYTES) return -1;
      this.#compact();
      high = view.getUint16(CELLS_AT, true);
    }
    const slot = HEADER_BYTES + i * SLOT_BYTES;
    if (slot < low) bytes.copyWithin(slot + SLOT_BYTES, slot, low);
    high -= length;
    view.setUint16(slot, high, true);
    view.setUint16(CELLS_AT, high, true);
    view.setUint16(COUNT_AT, count + 1, true);
    return high;
  }

  remove(i: number): void {
    const { view, bytes } = this;
    const length = this.cellLength(i);
    const at = this.cell(i);
    const count = this.count - 1;
    const slot = HEADER_BYTES + i * SLOT_BYTES;
    bytes.copyWithin(slot, slot + SLOT_BYTES, HEADER_BYTES + (count + 1) * SLOT_BYTES);
    view.setUint16(COUNT_AT, count, true);
    const high = view.getUint16(CELLS_AT, true);
    if (count === 0) {
      view.setUint16(CELLS_AT, bytes.length, true);
      view.setUint16(GARBAGE_AT, 0, true);
    } else if (at === high) view.setUint16(CELLS_AT, high + length, true);
    else view.setUint16(GARBAGE_AT, view.getUint16(GARBAGE_AT, true) + length, true);
  }

  /** Puts a copy of another page's cell in as number `to`. There is room for it. */
  copyCell(from: Frame, i: number, to: number): void {
    const length = from.cellLength(i);
    const source = from.cell(i);
    const at = this.insert(to, length);
    if (at < 0) throw new Error(`no room for a cell of ${length} bytes in page ${this.page}`);
    from.bytes.copy(this.bytes, at, source, source + length);
  }

  /** Whether a key comes between those of the cells i - 1 and i. */
  isPlace(i: number, key: Uint8Array): boolean {
    if (i > 0 && Buffer.compare(this.key(i - 1), key) >= 0) return false;
    return i >= this.count || Buffer.compare(key, this.key(i)) < 0;
  }

  /** False if there is no room. */
  insertChild(i: number, key: Uint8Array, page: number, crc: number): boolean {
    const at = this.insert(i, INTERIOR_CELL_BYTES + key.length);
    if (at < 0) return false;
    this.view.setUint16(at, key.length, true);
    this.view.setUint32(at + 2, page, true);
    this.view.setUint32(at + 6, crc, true);
    this.bytes.set(key, at + INTERIOR_CELL_BYTES);
    return true;
  }

  #compact(): void {
    const { bytes, view } = this;
    const old = Buffer.from(bytes);
    let high = bytes.length;
    const count = this.count;
    const lengths = Array.from({ length: count }, (_, i) => this.cellLength(i));
    const places = Array.from({ length: count }, (_, i) => this.cell(i));
    for (let i = 0; i < count; i++) {
      high -= lengths[i]!;
      old.copy(bytes, high, places[i]!, places[i]! + lengths[i]!);
      view.setUint16(HEADER_BYTES + i * SLOT_BYTES, high, true);
    }
    bytes.fill(0, HEADER_BYTES + count * SLOT_BYTES, high);
    view.setUint16(CELLS_AT, high, true);
    view.setUint16(GARBAGE_AT, 0, true);
  }
}
