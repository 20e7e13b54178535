/**
 * SQLite itself, compiled to WebAssembly (sql.js, an optional dependency): for what takes SQL to
 * know. It is given images of databases in memory, and never opens a file.
 */
import { createRequire } from 'node:module';

/** A database in memory. */
export interface SqlImage {
  /** The rows that the last statement gives. Throws an Error with SQLite's message. */
  run(sql: string): unknown[][];
  /** The database as it is now; nothing can be run behind it. */
  bytes(): Uint8Array;
  close(): void;
}

export interface SqlEngine {
  readonly version: string;
  open(image: Uint8Array): SqlImage;
}

interface SqlJs {
  Database: new (
    bytes?: Uint8Array,
  ) => {
    exec(sql: string): { values: unknown[][] }[];
    export(): Uint8Array;
    close(): void;
  };
}

export const SQL_PACKAGE = 'sql.js';

/** What it may take in all: an expression can ask for a text of a gigabyte. */
const HEAP_BYTES = 256 * 1024 * 1024;

const require = createRequire(import.meta.url);
let fetching: Promise<SqlEngine | undefined> | undefined;

/** Undefined where it is not installed, or does not run. Never rejects. */
export function fetchSqlEngine(): Promise<SqlEngine | undefined> {
  fetching ??= fetchIt();
  return fetching;
}

async function fetchIt(): Promise<SqlEngine | undefined> {
  try {
    const start = require(SQL_PACKAGE) as (settings: object) => Promise<SqlJs>;
    // Its functions beyond those of SQLite are left out: a program may have its own of such a name.
    return engineOf(await start({ useOldExtensionFunctions: false }));
  } catch {
    return undefined;
  }
}

function engineOf({ Database }: SqlJs): SqlEngine {
  const first = new Database();
  const [version] = first.exec('SELECT sqlite_version()');
  first.exec(`PRAGMA hard_heap_limit=${HEAP_BYTES}`);
  first.close();
  let ended = '';
  /** WebAssembly that was cut short leaves a memory that makes no sense. */
  const guarded = <T>(work: () => T): T => {
    if (ended !== '') throw new Error(ended);
    try {
      return work();
    } catch (error) {
      const { name, message } = error as Error;
      if (name === 'RuntimeError') ended = `SQLite broke off: ${message}`;
      throw error;
    }
  };
  return {
    version: String(version?.values[0]?.[0]),
    open: (image) => {
      const database = guarded(() => new Database(image));
      return {
        run: (sql) => guarded(() => database.exec(sql).at(-1)?.values ?? []),
        bytes: () => guarded(() => database.export()),
        close: () => {
          if (ended === '') database.close();
        },
      };
    },
  };
}
