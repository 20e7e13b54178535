/** Of bytes in which no frame is found: which blocks they were, as far as footer and index tell. */
import * as names from './layout.ts';
import type { V2Table } from './table.ts';

export interface Lost {
  /** `data`, `index`, …; empty where nobody knows. */
  role: string;
  offset: number;
  length: number;
  /** How many entries were in it, where that is known. */
  entries?: number | undefined;
  /** How many data blocks. */
  blocks?: number | undefined;
}

export function lostPieces(table: V2Table, from: number, end: number): Lost[] {
  const { footer } = table;
  if (!footer) return [{ role: '', offset: from, length: end - from }];
  const pieces: Lost[] = [];
  let at = from;
  const take = (to: number, lost: Pick<Lost, 'role' | 'entries' | 'blocks'>): void => {
    const until = Math.min(to, end);
    if (until <= at) return;
    pieces.push({ ...lost, offset: at, length: until - at });
    at = until;
  };
  dataPieces(table, from, take);
  const places = [
    { role: 'range_deletions', ...footer.ranges },
    { role: 'filter', ...footer.filter },
    { role: 'index', ...footer.index },
    {
      role: 'footer',
      offset: footer.properties.offset - names.FOOTER_BYTES,
      bytes: names.FOOTER_BYTES,
    },
    { role: 'properties', ...footer.properties },
    { role: 'footer', offset: footer.fileBytes - names.FOOTER_BYTES, bytes: names.FOOTER_BYTES },
  ];
  for (const { role, offset, bytes } of places) {
    if (bytes === 0 || offset + bytes <= at) continue;
    take(offset, { role: '' });
    take(offset + bytes, { role });
  }
  take(end, { role: '' });
  return pieces;
}

function dataPieces(
  table: V2Table,
  from: number,
  take: (to: number, lost: Pick<Lost, 'role' | 'entries' | 'blocks'>) => void,
): void {
  const { footer, index } = table;
  const dataEnd = footer!.dataEnd;
  if (from >= dataEnd) return;
  if (index) {
    for (let i = 0; i < index.count; i++) {
      const end = index.offset(i) + index.size(i);
      if (end <= from || end > dataEnd) continue;
      take(end, { role: 'data', entries: index.entries(i), blocks: 1 });
    }
  }
  take(dataEnd, { role: 'data' });
}
