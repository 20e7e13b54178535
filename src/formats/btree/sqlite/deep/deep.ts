/** What fsck does with --deep: indexes against their tables, and constraints of every row. */
import { SQL_PACKAGE, type SqlEngine } from '../../../../shared/sql-engine.ts';
import type { Check } from '../../check.ts';
import type { Steps } from '../../model.ts';
import type { SqliteFile } from '../file.ts';
import type { SqliteTree } from '../schema.ts';
import { ComputedIndex, isComputed } from './computed-index.ts';
import { ConstraintCheck, hasConstraints } from './constraints.ts';
import { IndexCheck } from './index-check.ts';
import { checkSchema } from './schema-check.ts';
import { Unevaluable } from './table-images.ts';

const MISSING = `the package ${SQL_PACKAGE}, which is not installed`;

export function* checkDeep(file: SqliteFile, check: Check, engine: SqlEngine | undefined): Steps {
  if (engine) yield* checkSchema(file, check, engine);
  else {
    const what = `the schema was not read by SQLite's own parser: it takes ${MISSING}`;
    check.finding('not-evaluated', what, { page: 1, severity: 'info' });
  }
  for (const index of file.trees) {
    if (index.kind !== 'index' || index.root < 1) continue;
    const table = file.schema.families.get(index.of ?? '')?.table;
    if (!table?.table || index.stored.length === 0) continue;
    yield* checkIndex(file, check, index, table, engine);
  }
  for (const table of file.trees) {
    if (table.kind !== 'table') continue;
    if (table.table?.withoutRowid && !table.order) tellOrder(check, table);
    if (!hasConstraints(table)) continue;
    try {
      yield* new ConstraintCheck(engineOr(engine), file, check, table).run();
    } catch (error) {
      notEvaluated(check, table, 'constraints of table', error);
    }
  }
}

function* checkIndex(
  file: SqliteFile,
  check: Check,
  index: SqliteTree,
  table: SqliteTree,
  engine: SqlEngine | undefined,
): Steps {
  if (!isComputed(index, table)) {
    if (!index.order) tellOrder(check, index);
    yield* new IndexCheck(file, check, index, table).run();
    return;
  }
  try {
    const computed = new ComputedIndex(engineOr(engine), file, index, table);
    yield* new IndexCheck(file, check, index, table, computed).run();
  } catch (error) {
    notEvaluated(check, index, 'expressions of index', error);
    yield* new IndexCheck(file, check, index, table).run();
  }
}

function engineOr(engine: SqlEngine | undefined): SqlEngine {
  if (engine) return engine;
  throw new Unevaluable(`they take ${MISSING}`);
}

function tellOrder(check: Check, { kind, name, root }: SqliteTree): void {
  const what = `the order of ${kind} ${name} was not checked: the application defines a collation`;
  check.finding('not-evaluated', what, { page: root, severity: 'info' });
}

/** What is not checked is said by name; it is no damage. */
function notEvaluated(check: Check, tree: SqliteTree, what: string, error: unknown): void {
  if (!(error instanceof Unevaluable)) throw error;
  const message = `the ${what} ${tree.name} were not evaluated: ${error.message}`;
  check.finding('not-evaluated', message, { page: Math.max(1, tree.root), severity: 'info' });
}
