/**
 * Walks tables whose ranges follow one another as if they were one: of a whole level one table is
 * open at a time.
 */
import { DdiaError } from '../../shared/errors.ts';
import type { ByteSource, Finding, ScanContext } from '../format.ts';
import { EntryBlock } from '../sstable/entry-block.ts';
import { findingOf, type OpenTable } from '../sstable/model.ts';
import { type KeyRange, TableCursor } from '../sstable/range.ts';
import type { Database, TableFile } from './model.ts';

/** Stands on one entry at a time; `next` before the first. */
export interface EntryCursor {
  readonly block: EntryBlock;
  readonly index: number;
  /** Level in the tree; -1 for what is in the logs. */
  readonly level: number;
  readonly atHand: boolean;
  stepWithin(): boolean;
  next(): Promise<boolean>;
  close(): void;
}

/** What is asked of the tables. */
export interface Walk {
  readonly range: KeyRange;
  readonly reverse: boolean;
  /** Set where the range is one key: tables whose filter knows better are left out. */
  readonly key?: Uint8Array | undefined;
  readonly context: ScanContext;
  readonly tell: (finding: Finding) => void;
}

const NOTHING = new EntryBlock();

export interface OpenedTable {
  source: ByteSource;
  table: OpenTable;
}

/** Undefined, and told: it is not there, or cannot be opened. */
export async function openTableFile(
  database: Database,
  file: TableFile,
  context: ScanContext,
  tell: (finding: Finding) => void,
): Promise<OpenedTable | undefined> {
  const { set, sstable } = database;
  const name = file.name;
  if (name === undefined) {
    tell(missingTable(database, file));
    return undefined;
  }
  let source: ByteSource;
  try {
    source = set.open(name);
  } catch (error) {
    if (!(error instanceof DdiaError)) throw error;
    const { message } = error;
    tell({ code: 'missing-file', severity: 'error', file: name, offset: 0, length: 0, message });
    return undefined;
  }
  return { source, table: await sstable.open(source, context) };
}

export function missingTable(database: Database, file: TableFile): Finding {
  const { number, level, offset, length } = file;
  return {
    code: 'missing-file',
    severity: 'error',
    file: database.manifest ?? 'CURRENT',
    offset,
    length,
    message: `table ${number} of level ${level} is live, and is not there`,
  };
}

export class FilesCursor implements EntryCursor {
  #at = -1;
  #source: ByteSource | undefined;
  #cursor: TableCursor | undefined;

  /** `files` in the order in which they are walked. */
  constructor(
    readonly database: Database,
    readonly files: readonly TableFile[],
    readonly level: number,
    readonly walk: Walk,
  ) {}

  get block(): EntryBlock {
    return this.#cursor?.block ?? NOTHING;
  }

  get index(): number {
    return this.#cursor?.index ?? -1;
  }

  get atHand(): boolean {
    return this.#cursor?.atHand ?? false;
  }

  stepWithin(): boolean {
    return this.#cursor!.stepWithin();
  }

  async next(): Promise<boolean> {
    for (;;) {
      if (this.#cursor && (await this.#cursor.next())) return true;
      this.close();
      if (++this.#at >= this.files.length) return false;
      await this.#open(this.files[this.#at]!);
    }
  }

  async #open(file: TableFile): Promise<void> {
    const { range, reverse, key, context, tell } = this.walk;
    context.signal?.throwIfAborted();
    const opened = await openTableFile(this.database, file, context, tell);
    if (!opened) return;
    const { source, table } = opened;
    this.#source = source;
    for (const damage of table.damage) tell(findingOf(damage));
    if (key && (await table.mayContain(key)) === false) return;
    this.#cursor = new TableCursor(table, range, reverse, (damage) => tell(findingOf(damage)));
  }

  close(): void {
    this.#source?.close?.();
    this.#source = undefined;
    this.#cursor = undefined;
  }
}

/** What the logs hold. */
export class MemoryCursor implements EntryCursor {
  readonly level = -1;
  readonly #cursor: TableCursor;

  constructor(table: OpenTable, { range, reverse, tell }: Walk) {
    this.#cursor = new TableCursor(table, range, reverse, (damage) => tell(findingOf(damage)));
  }

  get block(): EntryBlock {
    return this.#cursor.block;
  }

  get index(): number {
    return this.#cursor.index;
  }

  get atHand(): boolean {
    return this.#cursor.atHand;
  }

  stepWithin(): boolean {
    return this.#cursor.stepWithin();
  }

  next(): Promise<boolean> {
    return this.#cursor.next();
  }

  close(): void {}
}
