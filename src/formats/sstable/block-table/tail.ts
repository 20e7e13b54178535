/** What lies beside the data blocks: every byte of the file belongs to something, or is told. */
import { bytesAt } from '../../bytes/read-fully.ts';
import { TRAILER_BYTES } from './constants.ts';
import type { TableScan } from './scan.ts';
import type { MetaPlace } from './table.ts';

/** Gaps are looked at byte by byte up to this length. */
const LOOKED_AT_BYTES_MAX = 1024 * 1024;

/** `dataEnd`: where the last data block ends. */
export async function tellTail(scan: TableScan, dataEnd: number): Promise<void> {
  const { table, visitor, context } = scan;
  const { source, footer, partitions } = table;
  const size = source.size ?? 0;
  if (partitions) {
    // Those that were loaded on the way are there already.
    for (let i = 0; i < partitions.count; i++) {
      const place = { role: 'filter', offset: partitions.offsets[i]!, size: partitions.sizes[i]! };
      if (table.metas.some(({ offset }) => offset === place.offset)) continue;
      table.metas.push(place);
      if (context.depth !== 'read') await table.partition(i, true);
    }
  }
  for (const damage of table.damage) scan.tell(damage);
  if (context.depth !== 'read') for (const notice of table.notices) tellNotice(scan, notice);
  const places = [...table.metas].sort((a, b) => a.offset - b.offset);
  if (footer) {
    const damage = table.damage.find(({ offset }) => offset >= footer.offset)?.code;
    const place = { role: 'footer', offset: footer.offset, size: footer.length - TRAILER_BYTES };
    places.push({ ...place, damage });
  }
  const gaps = [...scan.gaps, dataEnd, size];
  for (let i = 0; i < gaps.length; i += 2) await fillGap(scan, gaps[i]!, gaps[i + 1]!, places);
  if (!footer && dataEnd < size) visitor.frame?.('footer', dataEnd, 0, 'bad-footer');
}

async function fillGap(
  scan: TableScan,
  from: number,
  to: number,
  places: readonly MetaPlace[],
): Promise<void> {
  let at = from;
  for (const { role, offset, size, damage } of places) {
    const end = offset + size + TRAILER_BYTES;
    if (end <= at || offset >= to) continue;
    if (offset > at) await unclaimed(scan, at, offset);
    // Range deletions were told as entries, or as lost.
    if (role !== 'range_deletions') {
      scan.visitor.frame?.(
        role,
        Math.max(at, offset),
        Math.min(end, to) - Math.max(at, offset),
        damage,
      );
    }
    at = end;
  }
  if (at < to) await unclaimed(scan, at, to);
}

/** Zeros align blocks to pages; anything else is nobody's. */
async function unclaimed(scan: TableScan, from: number, to: number): Promise<void> {
  const { source, footer } = scan.table;
  const length = to - from;
  const bytes = await bytesAt(source, from, Math.min(length, LOOKED_AT_BYTES_MAX));
  if (scan.table.rocksdb && bytes.length === length && bytes.every((byte) => byte === 0)) {
    scan.visitor.frame?.('padding', from, length);
    return;
  }
  // Where the footer is damaged, what it should have named is told with it.
  const index = scan.table.index !== undefined;
  const last =
    !footer && !index
      ? 'no footer says what these bytes are'
      : 'neither index nor metaindex names these bytes';
  scan.tell({
    code: footer || index ? 'unaccounted' : 'bad-footer',
    severity: 'error',
    file: source.name,
    offset: from,
    length,
    message: `${length} bytes between blocks: ${last}`,
    repair: 'leave them out, keep them in quarantine',
    lost: true,
  });
}

function tellNotice(scan: TableScan, message: string): void {
  const { source } = scan.table;
  scan.tell({
    code: 'not-understood',
    severity: 'info',
    file: source.name,
    offset: 0,
    length: 0,
    message,
    lost: false,
  });
}
