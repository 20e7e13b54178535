/** The cells of one page of a tree: how many there are, each as it is read, and what is left. */
import type { Check, Said } from '../check.ts';
import type { TreeStat } from '../model.ts';
import type { Cell } from './cell.ts';
import { cellsOverlap, pointersAt, provedCount } from './cell-count.ts';
import type { SqliteFile } from './file.ts';
import { CELLS_AT, isLeafPage } from './layout.ts';
import { contentOf, type PageSpace, usedBytes } from './space.ts';
import type { WalkOptions } from './walk-options.ts';

export class PageCells {
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  /** Where the page begins in `bytes`. */
  start = 0;
  /** Where its header is, from there on. */
  header = 0;
  type = 0;
  page = 0;
  parent = 0;
  count = 0;
  readonly #space: PageSpace;

  constructor(
    readonly file: SqliteFile,
    readonly check: Check,
    readonly options: WalkOptions,
    /** Told when cells are lost, whose neighbours are then not known. */
    readonly onLost: () => void,
  ) {
    this.#space = file.space;
  }

  /** Takes up a page, and finds how many cells it has. */
  begin(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    header: number,
    type: number,
    page: number,
    parent: number,
    cell: Cell,
  ): void {
    this.bytes = bytes;
    this.view = view;
    this.start = start;
    this.header = header;
    this.type = type;
    this.page = page;
    this.parent = parent;
    this.count = this.#counted(cell);
    this.#space.begin();
  }

  /** Where, in `bytes`, the pointer of cell 0 is. */
  get pointers(): number {
    return this.start + this.header + pointersAt(this.type);
  }

  #counted(cell: Cell): number {
    const { view, start, header, type, page, parent } = this;
    const { usable } = this.file.header;
    const count = view.getUint16(start + header + CELLS_AT);
    const first = header + pointersAt(type);
    const most = Math.floor((this.file.pageSize - 8) / 6);
    const fits = first + 2 * count <= usable && count <= most;
    // Where rows are wanted, none is to be left out nor made up; children neither. Where not, what
    // is wrong is seen in the accounts.
    if (!fits || !isLeafPage(type) || this.options.onRecord) {
      const proved = this.#provedOther(cell, count);
      if (proved > 0) return proved;
    }
    const said = { page, parent, at: header + CELLS_AT, length: 2 };
    if (!fits) {
      const expected = `at most ${Math.min(most, Math.floor((usable - first) / 2))}`;
      const what = 'more cells than the page has room for';
      this.lose('page-overflow', what, { ...said, expected, actual: count });
      return 0;
    }
    // SQLite refuses to go down into a page without cells.
    if (count === 0 && (parent !== 0 || (!isLeafPage(type) && page !== 1))) {
      const what = 'a page below the root, or with children, has no cells';
      this.check.finding('key-count', what, { ...said, expected: 'at least 1', actual: 0 });
    }
    return count;
  }

  /** The number of cells that the content proves, if it is another one, which is told; else 0. */
  #provedOther(cell: Cell, count: number): number {
    const { bytes, view, start, header, type, page, parent } = this;
    const proved = provedCount(bytes, view, start, header, type, cell);
    if (proved === 0 || proved === count) return 0;
    if (cellsOverlap(bytes, view, start, header, type, cell, proved)) return 0;
    const at = { at: header + CELLS_AT, length: 2 };
    const from = { page, parent: parent === 0 ? undefined : parent };
    const said = { ...from, ...at, expected: proved, actual: count };
    this.check.finding('key-count', 'the page does not count its cells right', said);
    return proved;
  }

  /** Reads cell `slot`; false if it leads out of the page, which is told. */
  open(cell: Cell, slot: number): boolean {
    const { bytes, view, start, header, type, page, parent } = this;
    const { usable } = this.file.header;
    const pointer = header + pointersAt(type) + 2 * slot;
    const at = view.getUint16(start + pointer);
    const content = contentOf(view, start, header);
    if (at < content || at > usable - 4 || at < pointer) {
      const what = `cell ${slot} does not lie in the cell content`;
      const expected = `${content} to ${usable - 4}`;
      const said = { page, parent, at: pointer, length: 2, expected, actual: at };
      this.lose('page-overflow', what, said);
      this.#space.broken = true;
      if (at < 8 || at > usable - 4) return false;
    }
    if (!cell.parse(bytes, start + at, start + usable, type)) {
      const what = `cell ${slot} extends off the end of the page`;
      this.lose('page-overflow', what, { page, parent, at });
      this.#space.broken = true;
      return false;
    }
    if (isLeafPage(type) && this.options.thorough) this.#space.add(at, cell.size);
    return true;
  }

  /** Every byte of the page has one use. The cells of a leaf are in the accounts already. */
  account(stat: TreeStat, cell: Cell): void {
    const { bytes, view, start, header, type, page, count } = this;
    const { usable } = this.file.header;
    const first = header + pointersAt(type) + 2 * count;
    if (!isLeafPage(type)) {
      this.#space.addAll(bytes, view, header + pointersAt(type), count, cell, type);
    }
    const { broken } = this.#space;
    const fault = this.#space.check(view, start, header, first, usable);
    stat.usedBytes += usedBytes(view, start, header, first, usable);
    stat.pageBytes += this.file.pageSize;
    if ((fault || broken) && this.#provedOther(cell, count) > 0) return;
    if (!fault) return;
    const { code, what, at, expected, actual } = fault;
    this.check.finding(code, what, { page, parent: this.parent, at, expected, actual });
  }

  lose(code: string, what: string, said: Said): void {
    this.check.lossy = true;
    this.check.finding(code, what, said.parent === 0 ? { ...said, parent: undefined } : said);
    this.onLost();
  }
}
