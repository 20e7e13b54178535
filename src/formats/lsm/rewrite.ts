/**
 * Every entry that can be read of a store, with its number, into a new one of ours: deletions and
 * older values too, so that nothing that is still there is lost.
 */

import { DdiaError } from '../../shared/errors.ts';
import { turn } from '../../shared/turns.ts';
import type { Finding, RepairOutput, ScanContext } from '../format.ts';
import { keyText } from '../key-text.ts';
import { type EntryBlock, isDeletion, TYPE } from '../sstable/entry-block.ts';
import { compareEntries, EntryCopy } from '../sstable/entry-copy.ts';
import type { ColumnFamily, Database } from './model.ts';
import { StoreWriter } from './store-writer.ts';
import { orderOf, walkFamily } from './walk.ts';

const BREATH_MASK = 0xffff;

export interface Rewritten {
  tables: number;
  entries: number;
  rangeDeletions: number;
  /** Entries of types that a store of ours does not have. */
  leftOut: number;
}

export interface RewriteVisitor {
  tell(finding: Finding): void;
  /**
   * An entry that the engine has no type for: a merge operand, a place in a blob file. Absent: it
   * is kept as it is.
   */
  leftOut?(block: EntryBlock, index: number): void;
}

/**
 * `reached`: no number up to this one is given again. Throws `unknown-order` where the keys are in
 * another order than that of bytes.
 */
export async function rewriteStore(
  database: Database,
  family: ColumnFamily,
  context: ScanContext,
  output: RepairOutput,
  visitor: RewriteVisitor,
  reached = 0,
): Promise<Rewritten> {
  const { tell } = visitor;
  if (orderOf(family) === -1) {
    const what = `the keys of column family ${family.name} descend, those of a store of ours ascend`;
    throw new DdiaError('unknown-order', what, 'as lines of JSON: --to ndjson');
  }
  const walk = { range: {}, reverse: false, context, tell };
  const { merge, cover } = await walkFamily(database, family, walk);
  const writer = new StoreWriter(output, cover.ranges);
  const entries = new Entries(writer, visitor);
  try {
    for (let n = 1; ; n++) {
      const cursor = merge.ready() ?? (await merge.next());
      if (!cursor) break;
      entries.add(cursor.block, cursor.index);
      if ((n & BREATH_MASK) !== 0) continue;
      await turn(context);
    }
  } finally {
    merge.close();
  }
  writer.finish(Math.max(reached, entries.reached));
  return {
    tables: writer.tables.length,
    entries: writer.entries,
    rangeDeletions: cover.ranges.length,
    leftOut: entries.leftOut,
  };
}

class Entries {
  leftOut = 0;
  reached = 0;
  readonly #last = new EntryCopy();
  #any = false;

  constructor(
    readonly writer: StoreWriter,
    readonly visitor: RewriteVisitor,
  ) {}

  add(block: EntryBlock, index: number): void {
    const behind = this.#any ? compareEntries(this.#last.block, 0, block, index) : -1;
    // A log that was flushed holds what a table has too.
    if (behind === 0) return;
    if (behind > 0) {
      this.#unsorted(block, index);
      return;
    }
    this.#last.takeKey(block, index);
    this.#any = true;
    const seq = block.seqHigh[index]! * 0x1_0000_0000 + block.seqLow[index]!;
    this.reached = Math.max(this.reached, seq);
    const type = block.types[index]!;
    const { leftOut } = this.visitor;
    if (type === TYPE.put || !leftOut) this.writer.add(block, index);
    else if (isDeletion(type)) this.writer.add(block, index, TYPE.delete);
    else this.#leaveOut(block, index);
  }

  #leaveOut(block: EntryBlock, index: number): void {
    this.leftOut++;
    this.visitor.leftOut?.(block, index);
  }

  #unsorted(block: EntryBlock, index: number): void {
    const { file, offset, length } = block;
    const message = `the keys of the table do not ascend: ${keyText(block.key(index))} is left out`;
    const code = 'unsorted-keys';
    this.visitor.tell({ code, severity: 'error', file, offset, length, message });
    this.#leaveOut(block, index);
  }
}
