/** The hardened table. See FORMAT.md, and docs/formats/sstable-v2.md for the whole of it. */
import { bytesValue } from '../../bytes/value.ts';
import { type Detection, NOT_THIS, type Probe } from '../../format.ts';
import { numberOrDigits } from '../../wal/dump.ts';
import type { TableDialect } from '../model.ts';
import { v2Encoder } from './encode.ts';
import { isFooterMagic, isTableMagic } from './frames.ts';
import { COUNTS, FOOTER_BYTES, FOOTER_MAGIC_AGAIN_AT, TABLE_NAME } from './layout.ts';
import { layoutV2 } from './layout-spans.ts';
import { openV2 } from './open.ts';
import { scanV2 } from './scan.ts';
import { V2Table } from './table.ts';

export const v2: TableDialect = {
  id: 'v2',
  family: 'sstable',
  title: 'hardened table: every byte checksummed in its place, two footers, blocked Bloom filter',
  source: 'docs/formats/sstable-v2.md',
  hasSeq: true,
  hasTimestamp: true,
  fileName: TABLE_NAME,
  unchecked: [
    'a table replaced as a whole by an older one of the same name checks: its manifest tells',
  ],
  detect,
  scan: scanV2,
  open: openV2,
  layout: layoutV2,
  async describe(source, context) {
    const { look, footer, properties, filter } = await V2Table.load(source, context);
    const header = look?.intact ? look.header : undefined;
    return {
      ...(header && { fileId: numberOrDigits(String(header.fileId)) }),
      ...(header && { blockBytes: header.blockBytes, filterBits: header.filterBits }),
      ...(filter && { filter: { lines: filter.lines, probes: filter.probes } }),
      footer: footer ? { copy: footer.copy, dataEnd: footer.dataEnd } : null,
      ...(properties && {
        properties: {
          ...Object.fromEntries(COUNTS.map((name, i) => [name, properties.counts[i]])),
          first_key: bytesValue(properties.firstKey),
          last_key: bytesValue(properties.lastKey),
        },
      }),
    };
  },
  encoder: v2Encoder,
};

function detect({ head, tail }: Probe): Detection {
  if (isTableMagic(head)) return { confidence: 'certain', reason: 'magic "DDIASST2"' };
  const at = (tail?.length ?? 0) - (FOOTER_BYTES - FOOTER_MAGIC_AGAIN_AT);
  if (tail && at >= 0 && isFooterMagic(tail, at)) {
    return { confidence: 'likely', reason: 'a footer with magic "DDIASSF2"' };
  }
  return NOT_THIS;
}
