/** Constraints that take an expression: CHECK, and those of columns that are not stored. */
import type { SqlEngine, SqlImage } from '../../../../shared/sql-engine.ts';
import type { Check } from '../../check.ts';
import type { Steps } from '../../model.ts';
import { affinityOf } from '../affinity.ts';
import type { SqliteFile } from '../file.ts';
import type { SqliteTree } from '../schema.ts';
import { STRICT_TYPES } from '../types.ts';
import type { RowBatch } from './batch.ts';
import { type BadRow, TableImages, Unevaluable } from './table-images.ts';

/** More than an image has complaints. */
const COMPLAINTS = 1_000_000;
/** Rows that are named. */
const NAMED_MAX = 100;

export function hasConstraints({ table, root }: SqliteTree): boolean {
  if (!table || root < 2) return false;
  return (
    table.checks ||
    table.columns.some(({ generated, notNull, type }) => {
      const typed = table.strict ? type !== 'ANY' : affinityOf(type, false) !== 'BLOB';
      return generated === 'VIRTUAL' && (notNull || typed);
    })
  );
}

export class ConstraintCheck {
  readonly #images: TableImages;
  /** SQLite's complaints that are told, and the codes of the findings. */
  readonly #codes: ReadonlyMap<string, string>;
  #named = 0;
  #more = 0;

  /** Throws Unevaluable. */
  constructor(
    engine: SqlEngine,
    readonly file: SqliteFile,
    readonly check: Check,
    readonly tree: SqliteTree,
  ) {
    this.#images = new TableImages(engine, file, tree, []);
    this.#images.probe(`PRAGMA quick_check(${COMPLAINTS})`);
    this.#codes = complaintsOf(tree);
  }

  *run(): Steps {
    yield* this.#images.run(
      (batch, from, to) => this.#judge(batch, from, to),
      (row) => this.#bad(row),
    );
    if (this.#more === 0) return;
    const what = `${this.#more} rows of ${this.tree.name} more are not what the table asks for`;
    this.check.finding('check-failed', what, { page: this.tree.root });
  }

  /** Complaints do not say of which row they are: they are asked for of less and less rows. */
  #judge(batch: RowBatch, from: number, to: number): void {
    const complaints = this.#images.image(from, to, (image) => this.#complaints(image));
    if (complaints.length === 0) return;
    if (this.#named >= NAMED_MAX) this.#more += complaints.length;
    else if (to - from === 1) {
      const row = { rowid: batch.rowids[from]!, page: batch.pages[from]! };
      for (const complaint of complaints) this.#tell(this.#codes.get(complaint)!, complaint, row);
    } else {
      const half = (from + to) >> 1;
      this.#judge(batch, from, half);
      this.#judge(batch, half, to);
    }
  }

  #complaints(image: SqlImage): string[] {
    const rows = image.run(`PRAGMA quick_check(${COMPLAINTS})`);
    return rows.map(([what]) => String(what)).filter((what) => this.#codes.has(what));
  }

  #bad(row: BadRow): void {
    if (this.#named >= NAMED_MAX) throw new Unevaluable(`of too many rows: ${row.why}`);
    this.#tell('check-failed', `its constraints cannot be evaluated: ${row.why}`, row);
  }

  #tell(code: string, what: string, { rowid, page }: Omit<BadRow, 'why'>): void {
    this.#named++;
    const { tree } = this;
    const row = tree.rowid ? `row ${rowid} of ${tree.name}` : `a row of ${tree.name}`;
    this.check.finding(code, `${row}: ${what}`, { page });
  }
}

/** All else that it says of an image has to do with the image. */
function complaintsOf({ name, table }: SqliteTree): Map<string, string> {
  const codes = new Map([[`CHECK constraint failed in ${name}`, 'check-failed']]);
  for (const column of table!.columns) {
    if (column.generated !== 'VIRTUAL') continue;
    const where = `in ${name}.${column.name}`;
    const strict = Object.keys(STRICT_TYPES).map((type) => `non-${type}`);
    const kinds = ['NULL', 'NUMERIC', 'TEXT', ...strict];
    for (const kind of kinds) codes.set(`${kind} value ${where}`, 'value-type');
  }
  return codes;
}
