/** A table against its entry in the MANIFEST: size, range of keys, sequence numbers. */
import type { Finding, ScanContext } from '../format.ts';
import { keyText } from '../key-text.ts';
import { EntryBlock } from '../sstable/entry-block.ts';
import { keysOf } from '../sstable/facts.ts';
import { orderIfKnown } from './check-levels.ts';
import type { ColumnFamily, Database, TableFile } from './model.ts';
import { openTableFile } from './table-cursor.ts';

export async function checkTable(
  database: Database,
  family: ColumnFamily,
  file: TableFile,
  context: ScanContext,
  tell: (finding: Finding) => void,
): Promise<void> {
  const opened = await openTableFile(database, file, context, tell);
  const name = file.name;
  if (!opened || name === undefined) return;
  const { source, table } = opened;
  try {
    const size = source.size ?? 0;
    const place = { file: name, offset: 0, length: size };
    if (size !== file.size) {
      const message = `${size} bytes, the MANIFEST says ${file.size}`;
      tell({ code: 'size-mismatch', severity: 'error', ...place, message });
    }
    if (!file.smallest || !file.largest || typeof orderIfKnown(family) === 'string') return;
    // Damage at the ends is told by the table's own verification, and makes them unknown.
    let damaged = table.damage.length > 0;
    const { first, last } = await keysOf(table, () => {
      damaged = true;
    });
    if (damaged || !first || !last) return;
    // A range deletion is cut to the table's range when it is read, not in the file; ours are.
    const exact =
      database.software === 'v2' || !(await table.readRangeDeletions?.(new EntryBlock()));
    const order = orderIfKnown(family) as 1 | -1;
    const begin = Buffer.compare(first, file.smallest.userKey) * order;
    const end = Buffer.compare(last, file.largest.userKey) * order;
    if (!exact || (begin === 0 && end === 0)) return;
    const said = `${keyText(file.smallest.userKey)} to ${keyText(file.largest.userKey)}`;
    const message = `keys ${keyText(first)} to ${keyText(last)}, the MANIFEST says ${said}`;
    tell({ code: 'range-mismatch', severity: 'error', ...place, message });
  } finally {
    source.close?.();
  }
}
