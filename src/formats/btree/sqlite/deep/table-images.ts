/**
 * What SQLite makes of rows of a table: the entries of an index that has computed columns or leaves
 * rows out, and complaints about constraints. Rows go into images of small databases, see
 * image.ts; whatever there is to evaluate is evaluated there.
 */
import type { SqlEngine, SqlImage } from '../../../../shared/sql-engine.ts';
import { Check } from '../../check.ts';
import type { Steps } from '../../model.ts';
import type { SqliteFile } from '../file.ts';
import type { SqliteTree } from '../schema.ts';
import { SqliteWalk } from '../walk.ts';
import { ROW_BYTES_MAX, RowBatch } from './batch.ts';
import { entriesOf } from './definitions.ts';
import { type ImageEntry, ImageWriter } from './image.ts';

/** Why something cannot be evaluated, in words; damage of a row is none of it. */
export class Unevaluable extends Error {}

/** A row that SQLite cannot evaluate. */
export interface BadRow {
  rowid: number | bigint;
  page: number;
  why: string;
}

const SETTINGS =
  'PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY; ' +
  'PRAGMA trusted_schema=OFF; PRAGMA cache_size=-32768';

/** What is told by these has to do with us, and not with the row. */
const LIMITS = /out of memory|too big|disk.* full|SQLite was stopped|SQLite broke off/i;
/** Rows of the first image; then more as long as one takes little time. */
const ROWS_FIRST = 16;
const QUICK_MILLISECONDS = 200;
const SLOW_MILLISECONDS = 5000;

export class TableImages {
  /** Trees of an image beside its schema. */
  readonly entries: number;
  readonly #writer: ImageWriter;
  readonly #batch = new RowBatch();
  readonly #lossy: boolean;
  #rowsMax = ROWS_FIRST;

  /** Throws Unevaluable. `more`: definitions beside the table's. */
  constructor(
    readonly engine: SqlEngine,
    readonly file: SqliteFile,
    readonly table: SqliteTree,
    more: readonly ImageEntry[],
  ) {
    const { encoding, schemaFormat } = file.header;
    const family = file.schema.families.get(table.name) ?? { table, indexes: [] };
    const entries = [...entriesOf(family, false), ...more];
    // Bytes of it that are no text are not what the file has.
    this.#lossy = entries.some(({ sql }) => sql?.includes('\ufffd'));
    this.entries = entries.length;
    try {
      this.#writer = new ImageWriter(entries, table.rowid, encoding, schemaFormat);
    } catch (error) {
      throw new Unevaluable((error as Error).message);
    }
  }

  /** The table has floats, as far as it was read. */
  get floats(): boolean {
    return this.#batch.floats;
  }

  /** Runs `sql` on an image without rows. Throws Unevaluable. */
  probe(sql: string): unknown[][] {
    try {
      const rows = this.image(0, 0, (image) => image.run(sql));
      if (!this.#lossy) return rows;
    } catch (error) {
      throw new Unevaluable((error as Error).message);
    }
    throw new Unevaluable('its definition is no text');
  }

  /**
   * All rows of the table, batch by batch: `evaluate` looks at images of them, and is asked again
   * for a part of the rows if it throws. Rows that it throws at alone are told to `bad`.
   */
  *run(
    evaluate: (batch: RowBatch, from: number, to: number) => void,
    bad: (row: BadRow) => void,
  ): Steps {
    const { file, table } = this;
    const batch = this.#batch;
    const { localMax } = this.#writer;
    batch.clear();
    const flush = () => {
      const start = performance.now();
      this.#part(0, batch.count, evaluate, bad);
      const took = performance.now() - start;
      if (took > SLOW_MILLISECONDS) {
        throw new Unevaluable(`${batch.count} rows took ${Math.round(took)} ms`);
      }
      if (took < QUICK_MILLISECONDS) this.#rowsMax *= 4;
      else if (this.#rowsMax > ROWS_FIRST) this.#rowsMax /= 2;
      batch.clear();
    };
    const check = new Check(file, file.pageCount, () => {});
    yield* new SqliteWalk(file, table, check, {
      thorough: false,
      onRecord: (record, cell, page) => {
        if (record.length > ROW_BYTES_MAX) {
          throw new Unevaluable(`a row has ${record.length} bytes, more than ${ROW_BYTES_MAX}`);
        }
        const { rowid } = table;
        if (batch.count >= this.#rowsMax || !batch.fits(record.length, localMax, rowid)) flush();
        batch.add(record, file.rowid(cell), page, localMax);
        return false;
      },
    }).run();
    if (batch.count > 0) flush();
  }

  #part(
    from: number,
    to: number,
    evaluate: (batch: RowBatch, from: number, to: number) => void,
    bad: (row: BadRow) => void,
  ): void {
    const batch = this.#batch;
    try {
      evaluate(batch, from, to);
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof Unevaluable || LIMITS.test(message)) throw new Unevaluable(message);
      if (to - from === 1) {
        bad({ rowid: batch.rowids[from]!, page: batch.pages[from]!, why: message });
        return;
      }
      const half = (from + to) >> 1;
      this.#part(from, half, evaluate, bad);
      this.#part(half, to, evaluate, bad);
    }
  }

  /** What `use` makes of an image of some rows of the batch. */
  image<T>(from: number, to: number, use: (image: SqlImage) => T): T {
    return this.engine.use(this.#writer.image(this.#batch, from, to), (image) => {
      image.run(SETTINGS);
      return use(image);
    });
  }
}
