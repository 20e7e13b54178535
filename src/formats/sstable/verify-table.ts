/** One table of a verification: what the dialect tells of it, and the order of its keys. */
import type { FileEntry, ScanContext } from '../format.ts';
import type { Depth, RestOfTable, TableDamage, TableOpened, TableScanContext } from './model.ts';
import { OrderChecker } from './order.ts';
import { openSeekable } from './seekable.ts';

export interface TableTotals {
  files: number;
  bytes: number;
  records: number;
  blocks: number;
}

export function totalsOf(files: readonly FileEntry[]): TableTotals {
  return { files: files.length, bytes: 0, records: 0, blocks: 0 };
}

export function addTotals(to: TableTotals, more: TableTotals): void {
  to.files += more.files;
  to.bytes += more.bytes;
  to.records += more.records;
  to.blocks += more.blocks;
}

export interface ScannedTable {
  totals: TableTotals;
  /** What another thread has read of it, or, where a part was asked for, what was read here. */
  rest: RestOfTable | undefined;
}

export async function scanTable(
  input: TableOpened,
  file: FileEntry,
  context: ScanContext & Pick<TableScanContext, 'second' | 'part'>,
  tell: (damage: TableDamage) => void,
  done: () => boolean = () => false,
): Promise<ScannedTable> {
  const depth: Depth = context.quick ? 'quick' : 'full';
  const scanned: ScannedTable = { totals: totalsOf([file]), rest: undefined };
  const { totals } = scanned;
  const source = await openSeekable(input, file, context.limits);
  totals.bytes = source.size ?? 0;
  try {
    const order = new OrderChecker(tell);
    await input.dialect.scan(
      source,
      { ...context, depth },
      {
        block(block) {
          if (!context.quick) totals.records += block.count;
          if (block.rangeDeletions) return;
          totals.blocks++;
          order.block(block);
        },
        damage: tell,
        done,
        rest(rest) {
          scanned.rest = rest;
          totals.records += context.quick ? 0 : rest.records;
          totals.blocks += rest.blocks;
        },
      },
    );
  } finally {
    source.close?.();
  }
  return scanned;
}
