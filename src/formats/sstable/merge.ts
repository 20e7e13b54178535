/**
 * Merges tables: the entries of all of them in internal order, with one block of each in memory.
 * Ties (the same key and sequence number, or layouts without sequence numbers) are broken by the
 * timestamp, the later first, then by the order of the inputs, the last first: a higher number is
 * newer.
 */
import type { ByteSource, ScanContext } from '../format.ts';
import { readingAhead } from './ahead.ts';
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
  #started = false;

  constructor(
    readonly inputs: readonly MergeInput[],
    range: KeyRange,
    readonly reverse: boolean,
    onDamage: (damage: TableDamage) => void,
  ) {
    for (const [index, { table }] of inputs.entries()) {
      for (const damage of table.damage) onDamage(damage);
      this.#heap.push(new TableCursor(table, range, reverse, onDamage, index));
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
      b.rank - a.rank;
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
      const moved = heap[i]!;
      heap[i] = heap[first]!;
      heap[first] = moved;
      i = first;
    }
  }
}

/** Opens every file of some paths, in order. `ahead`: they are going to be read whole. */
export async function openInputs(
  paths: readonly TableOpened[],
  context: ScanContext,
  ahead = false,
): Promise<MergeInput[]> {
  const inputs: MergeInput[] = [];
  const count = paths.reduce((sum, { files }) => sum + files.length, 0);
  for (const input of paths) {
    for (const file of input.files) {
      const seekable = await openSeekable(input, file, context.limits);
      const source = ahead ? readingAhead(seekable, count) : seekable;
      const { dialect } = input;
      inputs.push({ dialect, source, table: await dialect.open(source, context) });
    }
  }
  return inputs;
}
