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
import { entriesOf } from './definitions.ts';
import { type ImageEntry, ImageWriter } from './image.ts';

const MALFORMED = /^malformed database schema/;
/** What is looked at together: an image takes some time whatever is in it. */
const ENTRIES = 40;
const TEXT_LENGTH = 20_000;

export function* checkSchema(file: SqliteFile, check: Check, engine: SqlEngine): Steps {
  const { encoding, schemaFormat } = file.header;
  const none = new RowBatch();
  const complaint = (entries: readonly ImageEntry[]): string | undefined => {
    let image: Uint8Array;
    try {
      image = new ImageWriter(entries, true, encoding, schemaFormat).image(none, 0, 0);
    } catch (error) {
      if (error instanceof RangeError) return undefined; // too long for one
      throw error;
    }
    try {
      engine.use(image, (database) => database.run(`SELECT count(*) FROM ${SCHEMA_NAME}`));
    } catch (error) {
      const { message } = error as Error;
      return MALFORMED.test(message) ? message : undefined;
    }
    return undefined;
  };
  for (const several of portions(groups(file.schema))) {
    yield check.visited;
    if (several.length > 1 && complaint(treesFirst(several.flat())) === undefined) continue;
    for (const one of several) {
      const what = complaint(one);
      if (what) check.finding('schema-bad', `SQLite does not read it: ${what}`, { page: 1 });
    }
  }
}

function* portions(groups: Iterable<ImageEntry[]>): Generator<ImageEntry[][]> {
  let several: ImageEntry[][] = [];
  let count = 0;
  let length = 0;
  for (const group of groups) {
    const own = group.reduce((sum, { sql }) => sum + (sql?.length ?? 0), 0);
    if (several.length > 0 && (count + group.length > ENTRIES || length + own > TEXT_LENGTH)) {
      yield several;
      several = [];
      count = 0;
      length = 0;
    }
    several.push(group);
    count += group.length;
    length += own;
  }
  if (several.length > 0) yield several;
}

function treesFirst(entries: ImageEntry[]): ImageEntry[] {
  const isTree = ({ type }: ImageEntry) => type === 'table' || type === 'index';
  return [...entries.filter(isTree), ...entries.filter((one) => !isTree(one))];
}

/** What refers to each other. */
function* groups(schema: Schema): Generator<ImageEntry[]> {
  const { families, others } = schema;
  const triggers = new Map<string, ImageEntry[]>();
  for (const other of others) {
    if (other.type !== 'trigger') continue;
    const of = other.table.toLowerCase();
    if (!triggers.get(of)?.push(other)) triggers.set(of, [other]);
  }
  const taken = (name: string) => {
    const own = triggers.get(name.toLowerCase()) ?? [];
    triggers.delete(name.toLowerCase());
    return own;
  };
  for (const family of families.values()) {
    const { sql, name } = family.table;
    if (sql !== undefined) yield [...entriesOf(family, true), ...taken(name)];
  }
  for (const other of others) {
    if (other.type !== 'trigger') yield [other, ...taken(other.name)];
  }
  // Those of nothing that is there.
  yield* triggers.values();
}
