/**
 * The walk through one tree of a database, in key order: pages, cells, overflow chains, records.
 * Rows and damage are told alike. Leaves are read where they lie in the page cache; interior pages
 * in a copy of their level, since their children are read meanwhile.
 */
import type { Check } from '../check.ts';
import { KIND, type Steps, type TreeStat } from '../model.ts';
import { Cell, rowidOf } from './cell.ts';
import type { SqliteFile } from './file.ts';
import {
  DEPTH_MAX,
  HEADER_BYTES,
  INTERIOR_TABLE,
  isLeafPage,
  LEAF_INDEX,
  PTR_BTREE,
  RIGHT_CHILD_AT,
} from './layout.ts';
import { judgeType } from './likely-type.ts';
import { PageCells } from './page-cells.ts';
import { Payloads } from './payload.ts';
import type { RecordReader, SqliteRecord } from './record-reader.ts';
import { RowCheck } from './row-check.ts';
import type { SqliteTree } from './schema.ts';
import { contentOf, type PageSpace } from './space.ts';
import type { WalkOptions } from './walk-options.ts';

interface Level {
  bytes: Uint8Array;
  view: DataView;
  cell: Cell;
  cells: PageCells;
}

export class SqliteWalk {
  readonly stat: TreeStat;
  readonly #cell: Cell;
  readonly #cells: PageCells;
  readonly #space: PageSpace;
  readonly #levels: Level[] = [];
  readonly #rows: RowCheck;
  readonly #payloads: Payloads;
  readonly #reader: RecordReader;
  #leafDepth = 0;
  #before = -1;
  #stopped = false;

  constructor(
    readonly file: SqliteFile,
    readonly tree: SqliteTree,
    readonly check: Check,
    readonly options: WalkOptions,
  ) {
    const { usable } = file.header;
    this.stat = check.beginTree(tree);
    this.#cell = new Cell(usable);
    this.#space = file.space;
    this.#payloads = new Payloads(file.pages, usable, file.pageCount);
    this.#reader = file.recordReader();
    this.#rows = new RowCheck(file, tree, check, options.types);
    this.#cells = this.#pageCells();
  }

  #pageCells(): PageCells {
    return new PageCells(this.file, this.check, this.options, () => this.#rows.forget());
  }

  *run(): Steps {
    if (this.tree.root < 1) {
      this.check.lossy = true;
      return;
    }
    yield* this.#page(this.tree.root, 0, 1);
  }

  *#page(page: number, parent: number, depth: number): Steps {
    const { file, check } = this;
    if (this.#stopped || !this.#enter(page, parent, depth)) return;
    if (check.visited % 64 === 0) yield check.visited;
    const { pages } = file;
    if (!pages.load(page)) {
      this.#cells.lose('file-short', 'the file does not hold the page', { page, parent });
      return;
    }
    const header = page === 1 ? HEADER_BYTES : 0;
    const type = this.#typeOf(page, parent, depth, header);
    if (type === 0) return;
    if (this.options.pointers && parent !== 0) {
      this.options.pointers.expect(page, PTR_BTREE, parent);
    }
    if (isLeafPage(type)) {
      this.#leaf(page, parent, depth, header, type);
      return;
    }
    yield* this.#interior(page, parent, depth, header, type);
  }

  #enter(page: number, parent: number, depth: number): boolean {
    const { file, check } = this;
    const from = parent === 0 ? {} : { parent };
    if (page < 1 || page > file.pageCount) {
      const said = parent === 0 ? { page: 1 } : { page: parent };
      const what = `child ${page} is no page of the file`;
      const expected = `2 to ${file.pageCount}`;
      this.#cells.lose('child-range', what, { ...said, expected, actual: page });
      return false;
    }
    if (depth > DEPTH_MAX) {
      this.#cells.lose('tree-cycle', `the tree is deeper than ${DEPTH_MAX} levels`, {
        page,
        ...from,
      });
      return false;
    }
    if (!check.claim(page, KIND.leaf)) {
      this.#cells.lose('page-shared', 'a second reference to the page', { page, ...from });
      return false;
    }
    return true;
  }

  /** 0: it is none of such a tree, and its cells tell nothing. */
  #typeOf(page: number, parent: number, depth: number, header: number): number {
    const sure = depth === this.#leafDepth;
    const { type, stated, expected } = judgeType(this.file, this.tree, header, sure, this.#cell);
    if (expected === undefined) return type;
    const said = { page, parent, at: header, length: 1, expected, actual: stated };
    if (type === 0) this.#cells.lose('page-type', 'the page is not one of such a tree', said);
    else
      this.check.finding('page-type', 'its cells are those of another type, so it is read', said);
    return type;
  }

  #leaf(page: number, parent: number, depth: number, header: number, type: number): void {
    const { stat, file } = this;
    const { bytes, view, start } = file.pages;
    const pin = file.pages.pin();
    stat.leaves++;
    if (this.#before >= 0 && page !== this.#before + 1) stat.jumps++;
    this.#before = page;
    this.#depth(page, parent, depth);
    const table = type !== LEAF_INDEX;
    const cell = this.#cell;
    const cells = this.#cells;
    cells.begin(bytes, view, start, header, type, page, parent, cell);
    const { count, pointers } = cells;
    const { thorough } = this.options;
    this.#rows.beginPage(page, parent);
    const { usable } = file.header;
    const content = contentOf(view, start, header);
    const space = this.#space;
    for (let slot = 0; slot < count && !this.#stopped; slot++) {
      const at = view.getUint16(pointers + 2 * slot);
      const whole =
        at >= content && at <= usable - 4 && cell.parse(bytes, start + at, start + usable, type);
      if (whole && thorough) space.add(at, cell.size);
      else if (!whole && !cells.open(cell, slot)) continue;
      stat.keys++;
      if (table) {
        if (!this.#wanted(cell)) continue;
        if (thorough) {
          this.#rows.rowid(cell, slot, false);
          const { local, payload } = cell;
          if (payload === local && this.#rows.isUsual(bytes, cell.at, payload)) continue;
        }
      } else if (thorough && cell.payload === cell.local) {
        if (this.#rows.isNext(bytes, view, cell.at, cell.payload)) continue;
      }
      this.#record(cell, bytes, view, page, slot);
    }
    this.#rows.detach();
    if (thorough) cells.account(stat, cell);
    file.pages.unpin(pin);
  }

  /** All leaves at one depth. */
  #depth(page: number, parent: number, depth: number): void {
    if (this.#leafDepth === 0) {
      this.#leafDepth = depth;
      this.stat.height = depth;
    } else if (depth !== this.#leafDepth) {
      const code = 'depth';
      const said = { page, parent, expected: this.#leafDepth, actual: depth };
      this.check.finding(code, 'the leaf lies deeper or higher than the others', said);
    }
  }

  *#interior(page: number, parent: number, depth: number, header: number, type: number): Steps {
    const { stat } = this;
    this.check.reclaim(page, KIND.interior);
    stat.interior++;
    const { bytes, view, cell, cells } = this.#copy(depth);
    cells.begin(bytes, view, 0, header, type, page, parent, cell);
    const { thorough, bounds } = this.options;
    for (let slot = 0; slot < cells.count && !this.#stopped; slot++) {
      if (!cells.open(cell, slot)) continue;
      // The cell is needed again once its child is read, which uses none of this level.
      const { child } = cell;
      const table = type === INTERIOR_TABLE;
      if (!(table && bounds && before(cell, bounds.from)))
        yield* this.#page(child, page, depth + 1);
      if (this.#stopped) break;
      if (table) {
        if (thorough) this.#rows.rowid(cell, slot, true, page, parent);
        if (bounds && !before(cell, bounds.to)) return;
        continue;
      }
      stat.keys++;
      this.#rows.beginPage(page, parent);
      this.#record(cell, bytes, view, page, slot);
      this.#rows.detach();
    }
    if (this.#stopped) return;
    const right = view.getUint32(header + RIGHT_CHILD_AT);
    if (thorough) cells.account(stat, cell);
    yield* this.#page(right, page, depth + 1);
  }

  #copy(depth: number): Level {
    const { pages, header } = this.file;
    let level = this.#levels[depth];
    if (level === undefined) {
      const bytes = new Uint8Array(pages.pageSize);
      const view = new DataView(bytes.buffer);
      level = { bytes, view, cell: new Cell(header.usable), cells: this.#pageCells() };
      this.#levels[depth] = level;
    }
    level.bytes.set(pages.bytes.subarray(pages.start, pages.start + pages.pageSize));
    return level;
  }

  #wanted(cell: Cell): boolean {
    const { bounds } = this.options;
    if (!bounds) return true;
    const rowid = BigInt(rowidOf(cell.rowHigh, cell.rowLow));
    if (rowid > bounds.to) this.#stopped = true;
    return rowid >= bounds.from && rowid <= bounds.to;
  }

  /** The record of a cell: its chain, its header, its values' order; and whoever wants it. */
  #record(cell: Cell, bytes: Uint8Array, view: DataView, page: number, slot: number): void {
    const { thorough, onRecord, parts, pointers } = this.options;
    let whole = true;
    // A chain that leads astray takes no page from the tree where all that is readable is wanted.
    if (cell.payload > cell.local && !parts) {
      const expected = this.#payloads.count(cell);
      const owner = { page, slot };
      const done = this.#payloads.claim(cell, owner, this.check, pointers);
      this.stat.overflow += done;
      whole = done >= expected;
    }
    const record = this.#reader.read(cell, bytes, view, whole, this.#rows.needsAll || !!onRecord);
    // Nothing is wrong with a long one, but where its row is wanted.
    if (record.long && !onRecord) this.#tellLong(record, page, slot);
    else if (thorough || onRecord) this.#rows.record(record, cell, slot, page);
    if (onRecord && !this.#stopped && (record.whole || (parts && record.takePart()))) {
      if (onRecord(record, cell, page, slot)) this.#stopped = true;
    }
    this.#rows.keep(record);
  }

  #tellLong({ fault }: SqliteRecord, page: number, slot: number): void {
    const what = `the record of cell ${slot} is not compared with others: ${fault}`;
    this.check.finding('not-evaluated', what, { page, severity: 'info' });
  }
}

/** The rowid of the cell is less than `bound`. */
function before(cell: Cell, bound: bigint): boolean {
  return BigInt(rowidOf(cell.rowHigh, cell.rowLow)) < bound;
}
