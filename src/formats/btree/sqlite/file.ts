/** An open SQLite database: its header, its log if there is one, the trees of its schema. */
import { fetchSqlEngine, type SqlEngine } from '../../../shared/sql-engine.ts';
import { MemorySource } from '../../bytes/memory-source.ts';
import type { ByteSource, Span } from '../../format.ts';
import { Check, finding, keepLost } from '../check.ts';
import {
  type BtreeFile,
  type BtreeFinding,
  BtreeRow,
  type CheckOptions,
  KIND,
  type PageView,
  type Range,
  type RowVisitor,
  type Steps,
  type TreeInfo,
  type TreeNode,
} from '../model.ts';
import { PageCache } from '../page-cache.ts';
import type { Beside } from './beside.ts';
import { Cell, rowidOf } from './cell.ts';
import { pointersAt } from './cell-count.ts';
import { checkDeep } from './deep/deep.ts';
import { describePage, nodeOf } from './describe.ts';
import { checkFreelist } from './freelist.ts';
import { checkHeader, type Header, likelyHeader, pageSizeOf, readHeader } from './header.ts';
import {
  ENCODINGS,
  HEADER_BYTES,
  INTERIOR_INDEX,
  isBtreePage,
  isTablePage,
  LARGEST_ROOT_AT,
  LEAF_INDEX,
  LEAF_TABLE,
  PAGE_COUNT_AT,
  PTR_ROOT,
} from './layout.ts';
import { Payloads } from './payload.ts';
import { lockPage, PointerMap } from './pointer-map.ts';
import { type Decode, decoderOf, exactDecoderOf } from './record.ts';
import { RecordReader } from './record-reader.ts';
import { fillRow, rangeOfRows, rowFilter } from './rows.ts';
import { type Schema, type SchemaRow, type SqliteTree, schemaOf, schemaTree } from './schema.ts';
import { PageSpace } from './space.ts';
import { spansOfPage } from './spans.ts';
import { SqliteWalk } from './walk.ts';

/** A schema of more rows than this is cut off. */
const SCHEMA_ROWS_MAX = 200_000;

export class SqliteFile implements BtreeFile {
  readonly name: string;
  readonly size: number;
  readonly firstPage = 1;
  readonly pages: PageCache;
  readonly header: Header;
  readonly decode: ReturnType<typeof decoderOf>;
  /** Of rows, where no byte of a text is to be lost. */
  readonly decodeExactly: Decode;
  readonly space = new PageSpace();
  readonly notes: BtreeFinding[] = [];
  readonly schema: Schema;
  readonly payloads: Payloads;
  /** Whole pages in the file, or in the database that log or journal make of it. */
  readonly filePages: number;
  readonly pageCount: number;
  /** What was met on the way to the rows of the schema. */
  readonly #lost: BtreeFinding[] = [];
  #head: Uint8Array;
  /** What a deep check evaluates expressions with, if it is there. */
  #engine: SqlEngine | undefined;

  constructor(
    readonly source: ByteSource,
    readonly pageSize: number,
    readonly recordBytesMax: number,
    readonly beside?: Beside,
  ) {
    this.name = source.name;
    this.size = source.size ?? 0;
    this.pages = new PageCache(source, this.size, pageSize, 1, beside);
    this.#head = new Uint8Array(HEADER_BYTES);
    const head = new DataView(this.#head.buffer);
    if (this.pages.load(1)) {
      const { bytes, start } = this.pages;
      this.#head.set(bytes.subarray(start, start + HEADER_BYTES));
      this.header = likelyHeader(head, bytes, start, pageSize);
    } else this.header = readHeader(head, pageSize);
    this.filePages = beside?.pageCount ?? Math.floor(this.size / pageSize);
    const { pageCount, countValid } = this.header;
    const stated = countValid && pageCount > 0 ? pageCount : this.filePages;
    this.pageCount = Math.min(stated, this.filePages);
    this.decode = decoderOf(this.header.encoding);
    this.decodeExactly = exactDecoderOf(this.header.encoding);
    this.payloads = new Payloads(this.pages, this.header.usable, this.pageCount);
    const schema = schemaOf(this.#schemaRows(), this.pageCount, this.header.schemaFormat);
    this.schema = { ...schema, trees: schema.trees.map((tree) => this.#seen(tree)) };
  }

  get trees(): readonly SqliteTree[] {
    return this.schema.trees;
  }

  get facts(): Record<string, unknown> {
    const { header, beside } = this;
    return {
      encoding: ENCODINGS[header.encoding],
      reserved: header.reserved,
      autoVacuum: header.largestRoot === 0 ? 'none' : header.incremental ? 'incremental' : 'full',
      freePages: header.freeCount,
      ...beside?.facts,
    };
  }

  recordReader(): RecordReader {
    return new RecordReader(this.payloads, this.recordBytesMax);
  }

  /** A file without a byte is a database that nothing was ever put in. */
  get #isNew(): boolean {
    return this.size === 0 && !this.beside;
  }

  #schemaRows(): SchemaRow[] {
    const rows: SchemaRow[] = [];
    if (this.#isNew) return rows;
    const check = new Check(this, this.pageCount, (one) => keepLost(this.#lost, one));
    const walk = new SqliteWalk(this, schemaTree(), check, {
      thorough: false,
      onRecord: ({ header, bytes, view }, _cell, page) => {
        const value = (i: number) =>
          i < header.columns ? header.value(i, bytes, view, this.decode) : null;
        const [type, name, table, root, sql] = [0, 1, 2, 3, 4].map(value);
        rows.push({ page, type: type!, name: name!, table: table!, root: root!, sql: sql! });
        return rows.length >= SCHEMA_ROWS_MAX;
      },
    });
    for (const _ of walk.run()) if (rows.length >= SCHEMA_ROWS_MAX) break;
    return rows;
  }

  /** A table whose statement cannot be read: its root tells whether its rows have a rowid. */
  #seen(tree: SqliteTree): SqliteTree {
    if (tree.kind !== 'table' || tree.table || !this.pages.load(tree.root)) return tree;
    const type = this.pages.bytes[this.pages.start]!;
    return isBtreePage(type) && !isTablePage(type) ? { ...tree, rowid: false } : tree;
  }

  /** A database in memory, read as this one is. */
  another(bytes: Uint8Array): SqliteFile {
    const source = new MemorySource(this.name, bytes);
    return new SqliteFile(
      source,
      pageSizeOf(new DataView(bytes.buffer, bytes.byteOffset)),
      this.recordBytesMax,
    );
  }

  lost(onFinding: (finding: BtreeFinding) => void): void {
    for (const one of this.#lost) onFinding(one);
    for (const { page, what, lost } of this.schema.faults) {
      if (lost) onFinding(finding(this, 'schema-bad', what, { page }));
    }
  }

  async prepare({ deep }: CheckOptions): Promise<void> {
    if (deep) this.#engine = await fetchSqlEngine();
  }

  *check(check: Check, options: CheckOptions): Steps {
    if (this.#isNew) return;
    const { header, pageSize, pageCount } = this;
    const view = new DataView(this.#head.buffer);
    checkHeader(this.#head, view, header, (what, said) => check.finding('meta-bad', what, said));
    this.#checkLength(check);
    const lock = lockPage(pageSize);
    if (lock <= pageCount) check.claim(lock, KIND.lock);
    const pointers = header.largestRoot > 0 ? this.#pointerMap(check) : undefined;
    for (const { page, what } of this.schema.faults) {
      check.finding('schema-bad', what, { page });
    }
    for (const tree of this.trees) {
      if (tree.root > 1) pointers?.expect(tree.root, PTR_ROOT, 0);
      yield* new SqliteWalk(this, tree, check, {
        pointers,
        thorough: true,
        types: options.deep,
      }).run();
    }
    if (check.reached(1)) check.reclaim(1, KIND.meta);
    yield* checkFreelist(this, check, pointers);
    if (pointers) yield* pointers.check(check);
    this.#checkRoots(check);
    for (let page = 1; page <= pageCount; page++) {
      if (check.reached(page)) continue;
      const what = 'the page belongs to nobody: neither a tree nor the free list leads to it';
      check.finding('page-leaked', what, { page, severity: 'warning' });
    }
    if (options.deep) yield* checkDeep(this, check, this.#engine);
  }

  #pointerMap(check: Check): PointerMap {
    const map = new PointerMap(this.pages, this.header.usable, this.pageCount);
    map.claimPages(check);
    return map;
  }

  #checkLength(check: Check): void {
    const { header, filePages, pageSize, size } = this;
    const { pageCount, countValid } = header;
    if (countValid && pageCount > filePages) {
      check.finding('file-short', 'the file has fewer pages than its header says', {
        page: 1,
        at: PAGE_COUNT_AT,
        length: 4,
        expected: pageCount,
        actual: filePages,
      });
    }
    const inFile = Math.floor(size / pageSize);
    const rest = size - Math.min(this.pageCount, inFile) * pageSize;
    if (this.beside || rest <= 0) return;
    // SQLite ignores them, and leaves some behind itself where it grows a file in chunks.
    const said = { at: size - rest, length: rest, severity: 'info' as const };
    check.finding('file-tail', `${rest} bytes behind the last page of the database`, said);
  }

  #checkRoots(check: Check): void {
    const { largestRoot } = this.header;
    if (largestRoot === 0) return;
    const most = Math.max(1, ...this.trees.map(({ root }) => root));
    if (most === largestRoot) return;
    const said = { page: 1, at: LARGEST_ROOT_AT, length: 4, expected: most, actual: largestRoot };
    check.finding('meta-bad', 'the largest root page is not that of the schema', said);
  }

  *rows(tree: TreeInfo, range: Range, visitor: RowVisitor): Steps {
    if (this.#isNew) return;
    const of = tree as SqliteTree;
    const check = new Check(this, this.pageCount, (finding) => visitor.finding(finding));
    const row = new BtreeRow();
    row.tree = tree.name;
    const wanted = rowFilter(range);
    yield* new SqliteWalk(this, of, check, {
      thorough: false,
      bounds: of.rowid ? rangeOfRows(range) : undefined,
      parts: visitor.parts,
      onRecord: (record, cell, page, slot) => {
        fillRow(row, this, of, record, cell, page, slot);
        if (wanted(row)) visitor.row(row);
        return visitor.done();
      },
    }).run();
  }

  isStray(page: number): boolean {
    const { pages } = this;
    return pages.load(page) && pages.view.getUint32(pages.start) > this.pageCount;
  }

  loose(page: number, visitor: RowVisitor): void {
    const { pages, header } = this;
    if (page < 1 || page > this.pageCount || !pages.load(page)) return;
    const { bytes, view, start } = pages;
    const at = page === 1 ? HEADER_BYTES : 0;
    const type = bytes[start + at]!;
    // Inner pages of an index, or of a table WITHOUT ROWID, hold entries too.
    if (type !== LEAF_TABLE && type !== LEAF_INDEX && type !== INTERIOR_INDEX) return;
    const pin = pages.pin();
    const cell = new Cell(header.usable);
    const reader = this.recordReader();
    const row = new BtreeRow();
    const tree = { ...schemaTree(), rowid: type === LEAF_TABLE, table: undefined, name: '' };
    const first = at + pointersAt(type);
    const count = Math.min(view.getUint16(start + at + 3), Math.floor(header.usable / 4));
    for (let slot = 0; slot < count && !visitor.done(); slot++) {
      const place = view.getUint16(start + first + 2 * slot);
      if (place < at + 8 || place > header.usable - 4) continue;
      if (!cell.parse(bytes, start + place, start + header.usable, type)) continue;
      const record = reader.read(cell, bytes, view, true, true);
      if (!record.whole && !(visitor.parts && record.takePart())) continue;
      fillRow(row, this, tree, record, cell, page, slot);
      row.offset = (page - 1) * this.pageSize + place;
      visitor.row(row);
    }
    pages.unpin(pin);
  }

  rowid(cell: Cell): number | bigint {
    return rowidOf(cell.rowHigh, cell.rowLow);
  }

  describe(page: number, kind: number): PageView {
    return describePage(this, page, kind);
  }

  node(page: number): TreeNode {
    return nodeOf(this, page);
  }

  spans(page: number, kind: number): Span {
    return spansOfPage(this, page, kind);
  }

  close(): void {
    this.source.close?.();
    this.beside?.source.close?.();
  }
}
