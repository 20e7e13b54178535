/** The newest entry of a key over some tables: by filter, index, and one block of each. */
import type { ScanContext } from '../format.ts';
import { compareBytes, EntryBlock, isDeletion, TYPE } from './entry-block.ts';
import { EntryCopy } from './entry-copy.ts';
import type { OpenTable, TableDamage, TableOpened } from './model.ts';
import { keyRange, TableCursor } from './range.ts';
import { openSeekable } from './seekable.ts';

export interface LookedUp {
  /** The newest entry, or all of them, the newest first. */
  entries: EntryCopy[];
  /** The newest is no deletion, and no range deletion above it takes it away. */
  live: boolean;
  notices: string[];
}

interface Covering {
  seqHigh: number;
  seqLow: number;
  file: string;
}

export async function lookUp(
  input: TableOpened,
  key: Uint8Array,
  all: boolean,
  context: ScanContext,
  onDamage: (damage: TableDamage) => void,
): Promise<LookedUp> {
  const found: { copy: EntryCopy; table: number }[] = [];
  let covering: Covering | undefined;
  for (const [index, file] of input.files.entries()) {
    const source = await openSeekable(input, file, context.limits);
    try {
      const table = await input.dialect.open(source, context);
      for (const damage of table.damage) onDamage(damage);
      covering = newest(covering, await coveringOf(table, key, file.name));
      if ((await table.mayContain(key)) === false) continue;
      const cursor = new TableCursor(table, keyRange(key), false, onDamage);
      while (await cursor.next()) {
        found.push({ copy: new EntryCopy().take(cursor.block, cursor.index), table: index });
      }
    } finally {
      source.close?.();
    }
  }
  found.sort((a, b) => newerFirst(a.copy.block, b.copy.block) || b.table - a.table);
  const notices: string[] = [];
  const first = found[0]?.copy.block;
  let live = first !== undefined && !isDeletion(first.types[0]!);
  if (first && covering && above(covering, first)) {
    live = false;
    const seq = (BigInt(covering.seqHigh) << 32n) | BigInt(covering.seqLow);
    notices.push(`deleted: a range deletion of ${covering.file} with seq ${seq} covers the key`);
  }
  const type = first?.types[0];
  if (type === TYPE.merge) {
    const operands = found.findIndex(({ copy }) => copy.block.types[0] !== TYPE.merge);
    const count = operands < 0 ? found.length : operands;
    notices.push(`${count} merge operands, left as they are: how they combine is the writer's`);
    all = true;
  }
  if (type === TYPE.blobIndex) notices.push('the value lies in a blob file: this is where');
  const entries = (all ? found : found.slice(0, 1)).map(({ copy }) => copy);
  return { entries, live, notices };
}

function newerFirst(a: EntryBlock, b: EntryBlock): number {
  return (
    b.seqHigh[0]! - a.seqHigh[0]! ||
    b.seqLow[0]! - a.seqLow[0]! ||
    (b.timestamps?.[0] ?? 0) - (a.timestamps?.[0] ?? 0)
  );
}

function newest(a: Covering | undefined, b: Covering | undefined): Covering | undefined {
  if (!a || !b) return a ?? b;
  return isAbove(b, a) ? b : a;
}

function isAbove(a: Covering, b: Covering): boolean {
  return a.seqHigh > b.seqHigh || (a.seqHigh === b.seqHigh && a.seqLow > b.seqLow);
}

function above({ seqHigh, seqLow }: Covering, block: EntryBlock): boolean {
  const high = block.seqHigh[0]!;
  return seqHigh > high || (seqHigh === high && seqLow > block.seqLow[0]!);
}

/** The newest range deletion of a table that covers the key. */
async function coveringOf(
  table: OpenTable,
  key: Uint8Array,
  file: string,
): Promise<Covering | undefined> {
  const block = new EntryBlock();
  if (!(await table.readRangeDeletions?.(block))) return undefined;
  let best: Covering | undefined;
  for (let i = 0; i < block.count; i++) {
    if (block.compareKey(i, key) > 0) continue;
    const { valueBytes, valueStart, valueEnd } = block;
    const end = compareBytes(key, 0, key.length, valueBytes, valueStart[i]!, valueEnd[i]!);
    if (end >= 0) continue;
    best = newest(best, { seqHigh: block.seqHigh[i]!, seqLow: block.seqLow[i]!, file });
  }
  return best;
}
