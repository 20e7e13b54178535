/** The hardened table. See FORMAT.md. */
import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import { type Detection, NOT_THIS, type Probe } from '../../format.ts';
import type { TableDialect } from '../model.ts';
import { blockLength, readBlockHeader, readFooters, readTableHeader } from './blocks.ts';
import { v2Encoder } from './encode.ts';
import * as wire from './layout.ts';
import { layoutV2 } from './layout-spans.ts';
import { openV2 } from './open.ts';
import { scanV2 } from './scan.ts';

const FILE_NAME = /\.sst2$/;

export const v2: TableDialect = {
  id: 'v2',
  family: 'sstable',
  title: 'hardened table: checksummed blocks that know their place, index, filter, footer twice',
  source: 'FORMAT.md',
  hasSeq: true,
  hasTimestamp: false,
  fileName: FILE_NAME,
  unchecked: ['a change that somebody made on purpose: a CRC is no signature'],
  detect,
  scan: scanV2,
  open: openV2,
  layout: layoutV2,
  async describe(source, context) {
    const header = await readTableHeader(source);
    const { footer, first, second } = await readFooters(source);
    const described: Record<string, unknown> = {
      tableId: header.tableId ?? null,
      blockBytes: header.blockBytes,
      footers: Number(first) + Number(second),
      ...(footer && { allBlocks: footer.blocks, indexAt: footer.indexAt }),
    };
    if (!footer) return described;
    const table = await openV2(source, context);
    const place = (table as { metas?: { kind: number; offset: number }[] }).metas?.find(
      ({ kind }) => kind === wire.KIND.properties,
    );
    if (!place) return described;
    const head = await bytesAt(source, place.offset, wire.BLOCK_HEADER_BYTES);
    const block = readBlockHeader(head, viewOf(head), 0);
    if (block?.compression !== 0 || blockLength(block) > context.limits.recordBytes)
      return described;
    const bytes = await bytesAt(source, place.offset + wire.BLOCK_HEADER_BYTES, block.storedBytes);
    try {
      described['properties'] = JSON.parse(Buffer.from(bytes).toString('utf8'));
    } catch {
      described['properties'] = 'damaged';
    }
    return described;
  },
  encoder: v2Encoder,
};

function detect(probe: Probe): Detection {
  const { head, tail, name } = probe;
  const starts = (bytes: Uint8Array, at: number, magic: Uint8Array) =>
    magic.every((byte, i) => bytes[at + i] === byte);
  if (starts(head, 0, wire.MAGIC))
    return { confidence: 'certain', reason: 'magic "DDIASST", version 2' };
  if (
    tail &&
    tail.length >= wire.FOOTER_BYTES &&
    starts(tail, tail.length - wire.FOOTER_BYTES, wire.FOOTER_MAGIC)
  ) {
    return {
      confidence: 'certain',
      reason: 'a footer "DDIASSTF" at the end; the header is damaged',
    };
  }
  for (
    let p = wire.HEADER_BYTES;
    p + wire.BLOCK_HEADER_BYTES <= head.length;
    p += wire.UNIT_BYTES
  ) {
    if (readBlockHeader(head, viewOf(head), p)) {
      return {
        confidence: 'certain',
        reason: `a block of a hardened table at ${p}; the header is damaged`,
      };
    }
  }
  return FILE_NAME.test(name)
    ? { confidence: 'likely', reason: `named like a table (${name})` }
    : NOT_THIS;
}
