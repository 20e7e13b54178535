/**
 * The statements of the schema, read by SQLite's own parser: ours knows as much of them as it takes
 * to read the rows. A database with one that is malformed cannot be opened.
 */
import type { SqlEngine } from '../../../../shared/sql-engine.ts';
import type { Check } from '../../check.ts';
import type { Steps } from '../../model.ts';
import type { SqliteFile } from '../file.ts';
import { SCHEMA_NAME } from '../layout.ts';
import type { Schema } from '../schema.ts';
import { RowBatch } from './batch.ts';
import { familyOf } from './definitions.ts';
import { type ImageEntry, ImageWriter } from './image.ts';

const MALFORMED = /^malformed database schema/;

export function* checkSchema(file: SqliteFile, check: Check, engine: SqlEngine): Steps {
  const { encoding, schemaFormat } = file.header;
  const none = new RowBatch();
  for (const entries of groups(file.schema)) {
    yield check.visited;
    let image: Uint8Array;
    try {
      image = new ImageWriter(entries, true, encoding, schemaFormat).image(none, 0, 0);
    } catch {
      continue; // too long for one
    }
    try {
      engine.use(image, (database) => database.run(`SELECT count(*) FROM ${SCHEMA_NAME}`));
    } catch (error) {
      const { message } = error as Error;
      if (!MALFORMED.test(message)) continue;
      check.finding('schema-bad', `SQLite does not read it: ${message}`, { page: 1 });
    }
  }
}

/** What refers to each other: an image has one group, since each has to be small. */
function* groups(schema: Schema): Generator<ImageEntry[]> {
  const { trees, others } = schema;
  const triggers = new Map<string, ImageEntry[]>();
  for (const other of others) {
    if (other.type !== 'trigger') continue;
    const of = other.table.toLowerCase();
    triggers.set(of, [...(triggers.get(of) ?? []), other]);
  }
  const taken = (name: string) => {
    const own = triggers.get(name.toLowerCase()) ?? [];
    triggers.delete(name.toLowerCase());
    return own;
  };
  for (const table of trees) {
    if (table.kind !== 'table' || table.sql === undefined) continue;
    yield [...familyOf(trees, table), ...taken(table.name)];
  }
  for (const other of others) {
    if (other.type !== 'trigger') yield [other, ...taken(other.name)];
  }
  // Those of nothing that is there.
  yield* triggers.values();
}
