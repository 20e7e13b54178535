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
}

export interface SqlEngine {
  /** It took too long, or broke off, and does nothing any more. */
  readonly ended: boolean;
  /**
   * What `work` makes of an image, within the bounds of memory and time that it has; an Error tells
   * that it was too much.
   */
  use<T>(image: Uint8Array, work: (database: SqlImage) => T): T;
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

/** It can also ask for work that takes years, which nothing ends but the end of the script. */
const WORK_MILLISECONDS = 10_000;

const require = createRequire(import.meta.url);
let started: Promise<SqlEngine | undefined> | undefined;

/**
 * The one that there is, or another if that came to its end. Undefined where it is not installed,
 * or does not run. Never rejects.
 */
export async function fetchSqlEngine(): Promise<SqlEngine | undefined> {
  if ((await started)?.ended) started = undefined;
  started ??= startSqlEngine();
  return started;
}

export async function startSqlEngine(
  milliseconds = WORK_MILLISECONDS,
): Promise<SqlEngine | undefined> {
  try {
    // It keeps what it once made.
    delete require.cache[require.resolve(SQL_PACKAGE)];
    const start = require(SQL_PACKAGE) as (settings: object) => Promise<SqlJs>;
    // Its functions beyond those of SQLite are left out: a program may have its own of such a name.
    return engineOf(await start({ useOldExtensionFunctions: false }), milliseconds);
  } catch {
    return undefined;
  }
}

function engineOf({ Database }: SqlJs, timeout: number): SqlEngine {
  const first = new Database();
  first.exec(`PRAGMA hard_heap_limit=${HEAP_BYTES}`);
  first.close();
  const vm = require('node:vm') as typeof import('node:vm');
  const script = new vm.Script('work()');
  const context = vm.createContext({ work: undefined });
  /** WebAssembly that was cut short leaves a memory that makes no sense. */
  let ended = '';
  return {
    get ended() {
      return ended !== '';
    },
    use<T>(image: Uint8Array, work: (database: SqlImage) => T): T {
      if (ended !== '') throw new Error(ended);
      context['work'] = () => {
        const database = new Database(image);
        try {
          return work({
            run: (sql) => database.exec(sql).at(-1)?.values ?? [],
            bytes: () => database.export(),
          });
        } finally {
          database.close();
        }
      };
      try {
        return script.runInContext(context, { timeout }) as T;
      } catch (error) {
        const { name, code, message } = error as NodeJS.ErrnoException;
        if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
          ended = `SQLite was stopped after ${timeout / 1000} s`;
        } else if (name === 'RuntimeError') ended = `SQLite broke off: ${message}`;
        throw ended === '' ? error : new Error(ended);
      }
    },
  };
}
