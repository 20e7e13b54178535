/**
 * The entries that an index should have, as SQLite makes them: it rebuilds the index in an image of
 * the table's rows.
 */
import type { SqlEngine } from '../../../../shared/sql-engine.ts';
import { Check } from '../../check.ts';
import type { Steps } from '../../model.ts';
import { affinityOf } from '../affinity.ts';
import type { KeyColumn } from '../compare.ts';
import { collationOf } from '../create-index.ts';
import type { SqliteFile } from '../file.ts';
import type { SqliteRecord } from '../record-reader.ts';
import type { SqliteTree } from '../schema.ts';
import { tokensOf } from '../tokens.ts';
import { SqliteWalk } from '../walk.ts';
import type { RowBatch } from './batch.ts';
import { indexEntry, quoted } from './definitions.ts';
import { TABLE_PAGE } from './image.ts';
import { type BadRow, TableImages, Unevaluable } from './table-images.ts';

/** The index cannot be told from its table's records alone. */
export function isComputed(index: SqliteTree, table: SqliteTree): boolean {
  const columns = table.table?.columns ?? [];
  return (
    index.partial === true ||
    index.stored.some((column) => {
      if (column === -2) return true;
      const of = columns[column];
      return of !== undefined && (of.generated === 'VIRTUAL' || of.default === undefined);
    })
  );
}

/** 3.53.0 makes another text of a float than the versions before. */
const FLOAT_TEXT_CHANGED = 3_053_000;

export class ComputedIndex {
  /** The order of its columns, which is that of what they are computed from. */
  readonly order: readonly KeyColumn[];
  readonly #images: TableImages;
  readonly #root: number;
  readonly #rebuild: string;

  /** Throws Unevaluable. */
  constructor(
    engine: SqlEngine,
    readonly file: SqliteFile,
    readonly index: SqliteTree,
    readonly table: SqliteTree,
  ) {
    const entry = indexEntry(index, table);
    this.#images = new TableImages(engine, file, table, [entry]);
    this.#root = TABLE_PAGE + this.#images.entries - 1;
    this.#rebuild = `REINDEX main.${quoted(entry.name)}`;
    const columns = this.#images.probe(
      `${this.#rebuild}; PRAGMA main.index_xinfo(${quoted(entry.name)})`,
    );
    this.order = columns.map(([, , , descending, name]) => {
      const collation = collationOf(String(name));
      if (!collation) throw new Unevaluable(`a collation of the application: ${name}`);
      return { collation, descending: descending === 1 };
    });
  }

  /** The version that wrote the file last, if it made other texts of floats than are made now. */
  get older(): string | undefined {
    const { writer } = this.file.header;
    if (writer === 0 || writer >= FLOAT_TEXT_CHANGED) return undefined;
    return `3.${Math.floor(writer / 1000) % 1000}.${writer % 1000}`;
  }

  /**
   * What may be the matter with entries that differ, though nothing is damaged: they are computed
   * of such texts, as their length is. https://www.sqlite.org/staleexpridx.html
   * Known once entries() has ended.
   */
  get stale(): string | undefined {
    if (!this.older || !this.#images.floats || !this.#mayHaveFloats) return undefined;
    return `SQLite ${this.older} wrote last: until 3.53 it made a text of a float with 15 digits, now with 17. Where that explains the differences, REINDEX ends them`;
  }

  /** A column of the definition is computed itself, or has other values than texts. */
  get #mayHaveFloats(): boolean {
    const { columns, strict } = this.table.table!;
    const words = new Set(tokensOf(this.index.sql ?? '').map(({ text }) => text.toLowerCase()));
    return columns.some(({ name, generated, type }) => {
      const texts = generated === '' && affinityOf(type, strict) === 'TEXT';
      return !texts && words.has(name.toLowerCase());
    });
  }

  /** Each entry, with the rowid and the page of its row where that is wanted. */
  *entries(
    visit: (record: SqliteRecord, rowid: number | bigint, page: number) => void,
    bad: (row: BadRow) => void,
    wanted: boolean,
  ): Steps {
    yield* this.#images.run((batch, from, to) => {
      const made = this.#images.image(from, to, (image) => {
        image.run(this.#rebuild);
        return image.bytes();
      });
      this.#read(made, batch, from, to, visit, wanted);
    }, bad);
  }

  #read(
    image: Uint8Array,
    batch: RowBatch,
    from: number,
    to: number,
    visit: (record: SqliteRecord, rowid: number | bigint, page: number) => void,
    wanted: boolean,
  ): void {
    const made = this.file.another(image);
    const tree = made.trees.find(({ root }) => root === this.#root);
    if (!tree) throw new Unevaluable('SQLite did not rebuild it');
    const pages = new Map<number | bigint, number>();
    if (wanted) for (let i = from; i < to; i++) pages.set(batch.rowids[i]!, batch.pages[i]!);
    const { rowid } = this.table;
    const walk = new SqliteWalk(made, tree, new Check(made, made.pageCount, () => {}), {
      thorough: false,
      onRecord: (record) => {
        const { header, bytes, view } = record;
        const last = header.columns - 1;
        const key = rowid && wanted ? header.value(last, bytes, view, made.decode) : 0;
        const row = typeof key === 'bigint' ? key : Number(key);
        visit(record, row, pages.get(row) ?? batch.pages[from]!);
        return false;
      },
    });
    for (const _ of walk.run()) {
      // A tree of a few pages.
    }
  }
}
