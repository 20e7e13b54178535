/**
 * Index content against table content. Both are gone through once in their own order; sums of a
 * hash of each entry are equal where both hold the same entries, whatever their order. Only where
 * they are not, a second pass finds which differ.
 */
import { Check } from '../../check.ts';
import type { SqlValue, Steps } from '../../model.ts';
import { EntryHash } from '../entry-hash.ts';
import type { SqliteFile } from '../file.ts';
import type { SqliteRecord } from '../record-reader.ts';
import type { SqliteTree } from '../schema.ts';
import { SqliteWalk } from '../walk.ts';
import type { ComputedIndex } from './computed-index.ts';
import { type BadRow, Unevaluable } from './table-images.ts';

/** Entries that are held at a time to find those that differ. */
const HELD_MAX = 4_000_000;
/** Rows and entries that are named. */
const NAMED_MAX = 100;

interface Sums {
  count: number;
  first: number;
  second: number;
}

function same(a: Sums, b: Sums): boolean {
  return a.count === b.count && a.first === b.first && a.second === b.second;
}

export class IndexCheck {
  readonly #hash: EntryHash;
  /** Columns of an entry; without `computed`, those that are (-2) are left out on both sides. */
  readonly #stored: readonly number[];
  #bads = 0;

  constructor(
    readonly file: SqliteFile,
    readonly check: Check,
    readonly index: SqliteTree,
    readonly table: SqliteTree,
    readonly computed?: ComputedIndex,
  ) {
    this.#hash = new EntryHash(file.header.encoding);
    this.#stored = index.stored.map((column) => {
      const of = table.table!.columns[column];
      return of?.generated === 'VIRTUAL' || (of && of.default === undefined) ? -2 : column;
    });
  }

  *run(): Steps {
    const { index, computed } = this;
    const entries = yield* this.#sum(this.#entries(() => {}, this.#ordered));
    if (computed || !index.partial) {
      const rows = yield* this.#sum(this.#wanted(() => {}, false));
      if (same(rows, entries) || (yield* this.#isStale())) return;
      this.#told(rows, entries);
    }
    yield* this.#differences(Math.max(1, Math.ceil(entries.count / HELD_MAX)));
  }

  /** No entry is damaged: an older version of SQLite computed them, which is told. */
  *#isStale(): Generator<number, boolean> {
    const { index, computed, check } = this;
    if (!computed?.older) return false;
    this.#hash.rounded = true;
    const entries = yield* this.#sum(this.#entries(() => {}));
    const rows = yield* this.#sum(this.#wanted(() => {}, true));
    // Left on, so that of others those alone are named that differ in more.
    if (!same(rows, entries)) return false;
    const what = `index ${index.name} has texts of floats as SQLite ${computed.older} makes them`;
    const diagnosis = 'REINDEX it before a version from 3.53 on, which makes others, reads by it';
    check.finding('index-stale', what, { page: index.root, severity: 'info', diagnosis });
    return true;
  }

  #told(rows: Sums, entries: Sums): void {
    const { index, table } = this;
    const what = `index ${index.name} does not hold what table ${table.name} does`;
    const expected = `${rows.count} entries`;
    const actual = entries.count === rows.count ? 'as many, others' : `${entries.count}`;
    const diagnosis = this.computed?.stale;
    this.check.finding('index-mismatch', what, { page: index.root, expected, actual, diagnosis });
  }

  *#sum(walk: (sums: Sums) => Steps): Generator<number, Sums> {
    const sums = { count: 0, first: 0, second: 0 };
    yield* walk(sums);
    return sums;
  }

  #add(sums: Sums): void {
    sums.count++;
    sums.first = (sums.first + this.#hash.first) >>> 0;
    sums.second = (sums.second + this.#hash.second) >>> 0;
  }

  /** Findings about order, where only the computed index knows it. */
  get #ordered(): Check | undefined {
    if (!this.computed || this.index.order) return undefined;
    return new Check(this.file, this.file.pageCount, ({ code, message, page }) => {
      if (code !== 'key-order' && code !== 'key-duplicate') return;
      const what = message.slice(message.indexOf(': ') + 2);
      this.check.finding(code, what, { page });
    });
  }

  /** Every entry of the index. */
  #entries(visit: (page: number) => void, ordered?: Check): (sums: Sums) => Steps {
    const { index, computed } = this;
    const tree = computed && ordered ? { ...index, order: computed.order } : index;
    return (sums) =>
      this.#walk(
        tree,
        (record, page) => {
          this.#entry(record);
          this.#add(sums);
          visit(page);
          return false;
        },
        ordered,
      );
  }

  #entry({ header, bytes, view }: SqliteRecord): void {
    const stored = this.#stored;
    const hash = this.#hash;
    hash.begin();
    for (let i = 0; i < header.columns; i++) {
      if (this.computed || stored[i] !== -2) hash.stored(header, i, bytes, view);
    }
  }

  /** The entries that the index should have. */
  #wanted(
    visit: (rowid: number | bigint, page: number) => void,
    named: boolean,
  ): (sums: Sums) => Steps {
    const { computed } = this;
    if (!computed) return this.#rows(visit);
    const seen = (record: SqliteRecord, rowid: number | bigint, page: number, sums: Sums) => {
      this.#entry(record);
      this.#add(sums);
      visit(rowid, page);
    };
    return (sums) =>
      computed.entries(
        (record, rowid, page) => seen(record, rowid, page, sums),
        (row) => this.#bad(row, named),
        named,
      );
  }

  /** SQLite refuses to compute the entry of a row, so it cannot be one that it wrote. */
  #bad({ rowid, page, why }: BadRow, named: boolean): void {
    if (named) return;
    if (++this.#bads > NAMED_MAX) throw new Unevaluable(`of too many rows: ${why}`);
    const row = this.table.rowid ? `row ${rowid}` : 'a row';
    const what = `${row} of ${this.table.name} has no entry in index ${this.index.name}: ${why}`;
    this.check.finding('index-mismatch', what, { page });
  }

  /** The entry that the index should have for every row, where none of it is computed. */
  #rows(visit: (rowid: number | bigint, page: number) => void): (sums: Sums) => Steps {
    const { table } = this;
    const stored = this.#stored;
    const hash = this.#hash;
    const places = stored.map((column) =>
      column === -1 || column === table.table!.rowidColumn ? -1 : table.stored.indexOf(column),
    );
    const defaults = stored.map((column) => table.table!.columns[column]?.default ?? null);
    return (sums) =>
      this.#walk(table, (record, page, rowid) => {
        const { header, bytes, view } = record;
        hash.begin();
        places.forEach((place, i) => {
          if (stored[i] === -2) return;
          if (place === -1) hash.value(rowid);
          else if (place < header.columns) hash.stored(header, place, bytes, view);
          else hash.value(defaults[i] as SqlValue);
        });
        this.#add(sums);
        visit(rowid, page);
        return false;
      });
  }

  #walk(
    tree: SqliteTree,
    visit: (record: SqliteRecord, page: number, rowid: number | bigint) => boolean,
    ordered?: Check,
  ): Steps {
    const { file } = this;
    const check = ordered ?? new Check(file, file.pageCount, () => {});
    return new SqliteWalk(file, tree, check, {
      thorough: false,
      onRecord: (record, cell, page) => visit(record, page, file.rowid(cell)),
    }).run();
  }

  /** Which entries have no row, and which rows no entry; a part of them at a time. */
  *#differences(parts: number): Steps {
    const { index, table, computed } = this;
    const hash = this.#hash;
    let named = 0;
    const tell = (what: string, page: number) => {
      if (++named <= NAMED_MAX) this.check.finding('index-mismatch', what, { page });
    };
    const sums = { count: 0, first: 0, second: 0 };
    for (let part = 0; part < parts; part++) {
      const held = new Map<number, { count: number; page: number }>();
      yield* this.#entries((page) => {
        if (hash.first % parts !== part) return;
        const one = held.get(hash.key);
        if (one) one.count++;
        else held.set(hash.key, { count: 1, page });
      })(sums);
      yield* this.#wanted((rowid, page) => {
        if (hash.first % parts !== part) return;
        const one = held.get(hash.key);
        if (one && one.count > 0) one.count--;
        else if (computed || !index.partial) {
          const row = table.rowid ? `row ${rowid}` : 'a row';
          tell(`${row} of ${table.name} is missing from index ${index.name}`, page);
        }
      }, true)(sums);
      for (const { count, page } of held.values()) {
        if (count > 0) tell(`index ${index.name} has an entry without such a row`, page);
      }
    }
  }
}
