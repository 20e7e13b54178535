/** What a CREATE TABLE or CREATE INDEX of the schema says that a reader of the file must know. */
import type { SqlValue } from '../model.ts';
import { affinityOf, defaultOf } from './affinity.ts';
import type { Collation } from './compare.ts';
import {
  type CreatedIndex,
  collationOf,
  createdIndex,
  type IndexColumn,
  indexColumns,
  named,
} from './create-index.ts';
import { SqlError, type Token, TokenReader, tokensOf } from './tokens.ts';

export interface Column {
  name: string;
  type: string;
  notNull: boolean;
  /** Undefined: one that the application defines. */
  collation: Collation | undefined;
  /** Of rows that were written before the column was added; undefined: an expression. */
  default: SqlValue | undefined;
  /** A virtual column is computed, and not in the record. */
  generated: '' | 'VIRTUAL' | 'STORED';
}

export interface CreatedTable {
  kind: 'table';
  name: string;
  columns: Column[];
  withoutRowid: boolean;
  strict: boolean;
  primaryKey: IndexColumn[];
  /** The highest rowid that was ever given is kept in sqlite_sequence. */
  autoincrement: boolean;
  /** Position of the column that is another name of the rowid; -1: none. */
  rowidColumn: number;
  /** There is a CHECK constraint, of a column or of the table. */
  checks: boolean;
  /** Constraints that have an index, in the order of their numbers. */
  uniques: IndexColumn[][];
}

export interface CreatedOther {
  kind: 'other';
}

export type Created = CreatedTable | CreatedIndex | CreatedOther;

/** Throws SqlError for what SQLite would not take either. */
export function parseCreate(sql: string): Created {
  const reader = new TokenReader(tokensOf(sql));
  reader.expect('CREATE');
  if (reader.take('UNIQUE', 'INDEX')) return createdIndex(reader, true);
  if (reader.take('INDEX')) return createdIndex(reader, false);
  if (reader.take('TEMP') || reader.take('TEMPORARY')) return { kind: 'other' };
  if (reader.take('TABLE')) return new TableParser(reader).parse();
  if (reader.is('VIEW') || reader.is('TRIGGER') || reader.is('VIRTUAL', 'TABLE')) {
    return { kind: 'other' };
  }
  throw new SqlError('neither table, index, view nor trigger is created');
}

/** Words that end the type of a column. */
const CONSTRAINTS = [
  'CONSTRAINT',
  'PRIMARY',
  'NOT',
  'NULL',
  'UNIQUE',
  'CHECK',
  'DEFAULT',
  'COLLATE',
  'REFERENCES',
  'GENERATED',
  'AS',
  'DEFERRABLE',
  'ON',
];

class TableParser {
  readonly #table: CreatedTable = {
    kind: 'table',
    name: '',
    columns: [],
    withoutRowid: false,
    strict: false,
    primaryKey: [],
    autoincrement: false,
    rowidColumn: -1,
    checks: false,
    uniques: [],
  };
  /** INTEGER PRIMARY KEY DESC makes no other name of the rowid: a quirk that had to stay. */
  #descendingInline = false;
  /** Their values depend on the type, and on what stands behind the columns. */
  readonly #defaults: { column: Column; tokens: Token[] }[] = [];

  constructor(readonly reader: TokenReader) {}

  parse(): CreatedTable {
    const { reader } = this;
    const table = this.#table;
    table.name = named(reader);
    if (reader.take('AS')) return table;
    reader.expect('(');
    do {
      const constraint = ['CONSTRAINT', 'PRIMARY', 'UNIQUE', 'CHECK', 'FOREIGN'];
      if (table.columns.length > 0 && constraint.some((word) => reader.is(word))) break;
      this.#column();
    } while (reader.take(','));
    while (!reader.take(')')) {
      reader.take(',');
      this.#tableConstraint();
    }
    this.#options();
    for (const { column, tokens } of this.#defaults) {
      column.default = defaultOf(tokens, affinityOf(column.type, table.strict));
    }
    this.#alias();
    return table;
  }

  #options(): void {
    const { reader } = this;
    while (!reader.done && !reader.take(';')) {
      if (reader.take('WITHOUT', 'ROWID')) this.#table.withoutRowid = true;
      else if (reader.take('STRICT')) this.#table.strict = true;
      else reader.expect('WITHOUT ROWID or STRICT');
      reader.take(',');
    }
  }

  #column(): void {
    const { reader } = this;
    const name = reader.name();
    const type: string[] = [];
    while (reader.peek && !reader.is(',') && !reader.is(')')) {
      if (CONSTRAINTS.some((word) => reader.is(word))) break;
      if (reader.is('(')) reader.parentheses();
      else type.push(reader.name());
    }
    const column: Column = {
      name,
      type: type.join(' ').toUpperCase(),
      notNull: false,
      collation: 'BINARY',
      default: null,
      generated: '',
    };
    this.#table.columns.push(column);
    while (reader.peek && !reader.is(',') && !reader.is(')')) this.#columnConstraint(column);
  }

  #columnConstraint(column: Column): void {
    const { reader } = this;
    const table = this.#table;
    const own: IndexColumn[] = [
      { name: column.name, quoted: false, collation: undefined, descending: false },
    ];
    if (reader.take('CONSTRAINT')) reader.name();
    else if (reader.take('PRIMARY', 'KEY')) {
      this.#descendingInline = this.#order();
      own[0]!.descending = this.#descendingInline;
      this.#conflict();
      if (reader.take('AUTOINCREMENT')) table.autoincrement = true;
      table.primaryKey = own;
      table.uniques.push(own);
    } else if (reader.take('NOT', 'NULL')) {
      column.notNull = true;
      this.#conflict();
    } else if (reader.take('NULL')) this.#conflict();
    else if (reader.take('UNIQUE')) {
      this.#conflict();
      table.uniques.push(own);
    } else if (reader.take('CHECK')) this.#check();
    else if (reader.take('DEFAULT')) this.#defaults.push({ column, tokens: this.#default() });
    else if (reader.take('COLLATE')) column.collation = collationOf(reader.name());
    else if (reader.take('REFERENCES')) this.#references();
    else if (reader.take('GENERATED', 'ALWAYS', 'AS') || reader.take('AS')) {
      reader.parentheses();
      column.generated = reader.take('STORED') ? 'STORED' : 'VIRTUAL';
      reader.take('VIRTUAL');
    } else this.#deferrable();
  }

  #order(): boolean {
    const { reader } = this;
    if (reader.take('DESC')) return true;
    reader.take('ASC');
    return false;
  }

  #conflict(): void {
    if (this.reader.take('ON', 'CONFLICT')) this.reader.name();
  }

  #check(): void {
    this.reader.parentheses();
    this.#conflict();
    this.#table.checks = true;
  }

  #deferrable(): void {
    const { reader } = this;
    reader.take('NOT');
    reader.expect('DEFERRABLE');
    if (reader.take('INITIALLY')) reader.name();
  }

  #default(): Token[] {
    const { reader } = this;
    if (reader.is('(')) return reader.parentheses();
    const sign = reader.is('-') || reader.is('+') ? [reader.any()] : [];
    return [...sign, reader.any()];
  }

  #references(): void {
    const { reader } = this;
    reader.name();
    if (reader.is('(')) reader.parentheses();
    for (;;) {
      if (reader.take('ON', 'DELETE') || reader.take('ON', 'UPDATE')) {
        if (!reader.take('SET', 'NULL') && !reader.take('SET', 'DEFAULT')) {
          if (!reader.take('NO', 'ACTION')) reader.name();
        }
      } else if (reader.take('MATCH')) reader.name();
      else if (reader.is('DEFERRABLE') || reader.is('NOT', 'DEFERRABLE')) this.#deferrable();
      else return;
    }
  }

  #tableConstraint(): void {
    const { reader } = this;
    const table = this.#table;
    if (reader.take('CONSTRAINT')) reader.name();
    if (reader.take('PRIMARY', 'KEY')) {
      const inside = reader.parentheses();
      const [last] = inside.slice(-1);
      if (last?.text.toUpperCase() === 'AUTOINCREMENT') {
        inside.pop();
        table.autoincrement = true;
      }
      table.primaryKey = indexColumns(inside);
      table.uniques.push(table.primaryKey);
      this.#conflict();
    } else if (reader.take('UNIQUE')) {
      table.uniques.push(indexColumns(reader.parentheses()));
      this.#conflict();
    } else if (reader.take('CHECK')) {
      this.#check();
    } else {
      reader.expect('FOREIGN', 'KEY');
      reader.parentheses();
      reader.expect('REFERENCES');
      this.#references();
    }
  }

  /** The rowid's other name; keys of WITHOUT ROWID tables are never NULL; equal indexes are one. */
  #alias(): void {
    const table = this.#table;
    const { primaryKey, columns } = table;
    const find = (name: string | undefined) =>
      columns.findIndex((one) => one.name.toLowerCase() === name?.toLowerCase());
    const [key] = primaryKey;
    if (!table.withoutRowid && primaryKey.length === 1 && !this.#descendingInline) {
      const at = find(key!.name);
      if (at >= 0 && columns[at]!.type === 'INTEGER') {
        table.rowidColumn = at;
        table.uniques = table.uniques.filter((one) => one !== primaryKey);
      }
    }
    if (table.withoutRowid) {
      if (primaryKey.length === 0) throw new SqlError('WITHOUT ROWID, and no primary key');
      for (const { name } of primaryKey) {
        const at = find(name);
        if (at >= 0) columns[at]!.notNull = true;
      }
    }
    const seen = new Set<string>();
    table.uniques = table.uniques.filter((unique) => {
      const same = unique.map(({ name, collation }) => {
        const own = columns[find(name)]?.collation;
        return `${name?.toLowerCase()} ${collation ?? own}`;
      });
      const text = same.join(',');
      return !seen.has(text) && seen.add(text);
    });
  }
}
