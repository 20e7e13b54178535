/**
 * Merges tables: the entries of all of them in internal order, with one block of each in memory.
 * Ties (the same key and sequence number, or layouts without sequence numbers) are broken by the
 * timestamp, the later first, then by the order of the inputs, the last first: a higher number is
 * newer.
 */
import type { ByteSource, ScanContext } from '../format.ts';
import { compareEntries } from './entry-copy.ts';
import type { OpenTable, TableDamage, TableDialect, TableOpened } from './model.ts';
import { type KeyRange, TableCursor } from './range.ts';
import { openSeekable } from './seekable.ts';

export interface MergeInput {
  dialect: TableDialect;
  source: ByteSource;
  table: OpenTable;
}

export class MergedTables {
  /** A heap: the cursor with the first entry on top. */
  readonly #heap: TableCursor[] = [];
  readonly #rank = new Map<TableCursor, number>();
  #started = false;

  constructor(
    readonly inputs: readonly MergeInput[],
    range: KeyRange,
    readonly reverse: boolean,
    onDamage: (damage: TableDamage) => void,
  ) {
    for (const [index, { table }] of inputs.entries()) {
      for (const damage of table.damage) onDamage(damage);
      const cursor = new TableCursor(table, range, reverse, onDamage);
      this.#rank.set(cursor, index);
      this.#heap.push(cursor);
    }
  }

  /** Opens the tables of a path. */
  static async open(
    input: TableOpened,
    range: KeyRange,
    reverse: boolean,
    context: ScanContext,
    onDamage: (damage: TableDamage) => void,
  ): Promise<MergedTables> {
    return new MergedTables(await openInputs([input], context), range, reverse, onDamage);
  }

  close(): void {
    for (const { source } of this.inputs) source.close?.();
  }

  /** Which input the entry under a cursor comes from. */
  inputOf(cursor: TableCursor): number {
    return this.#rank.get(cursor)!;
  }

  /** The next entry if it is at hand without reading; undefined otherwise. */
  ready(): TableCursor | undefined {
    const top = this.#heap[0];
    if (!this.#started || !top?.atHand || !top.stepWithin()) return undefined;
    if (this.#heap.length > 1) this.#sift(0);
    return this.#heap[0];
  }

  /** The next entry; undefined: that was all. */
  async next(): Promise<TableCursor | undefined> {
    if (!this.#started) {
      this.#started = true;
      const cursors = this.#heap.splice(0);
      for (const cursor of cursors) if (await cursor.next()) this.#heap.push(cursor);
      for (let i = (this.#heap.length >>> 1) - 1; i >= 0; i--) this.#sift(i);
      return this.#heap[0];
    }
    const top = this.#heap[0];
    if (!top) return undefined;
    if (!(await top.next())) {
      const last = this.#heap.pop()!;
      if (this.#heap.length === 0) return undefined;
      this.#heap[0] = last === top ? this.#heap[0]! : last;
    }
    this.#sift(0);
    return this.#heap[0];
  }

  #before(a: TableCursor, b: TableCursor): boolean {
    const order = compareEntries(a.block, a.index, b.block, b.index);
    if (order !== 0) return this.reverse ? order > 0 : order < 0;
    const newer =
      (b.block.timestamps?.[b.index] ?? 0) - (a.block.timestamps?.[a.index] ?? 0) ||
      this.#rank.get(b)! - this.#rank.get(a)!;
    return this.reverse ? newer > 0 : newer < 0;
  }

  #sift(from: number): void {
    const heap = this.#heap;
    let i = from;
    for (;;) {
      let first = i;
      const left = 2 * i + 1;
      if (left < heap.length && this.#before(heap[left]!, heap[first]!)) first = left;
      if (left + 1 < heap.length && this.#before(heap[left + 1]!, heap[first]!)) first = left + 1;
      if (first === i) return;
      [heap[i], heap[first]] = [heap[first]!, heap[i]!];
      i = first;
    }
  }
}

/** Opens every file of some paths, in order. */
export async function openInputs(
  paths: readonly TableOpened[],
  context: ScanContext,
): Promise<MergeInput[]> {
  const inputs: MergeInput[] = [];
  for (const input of paths) {
    for (const file of input.files) {
      const source = await openSeekable(input, file, context.limits);
      const { dialect } = input;
      inputs.push({ dialect, source, table: await dialect.open(source, context) });
    }
  }
  return inputs;
}
