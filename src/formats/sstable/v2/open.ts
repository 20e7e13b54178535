/** Opens a hardened table at its index; without one, at the blocks that a scan finds. */
import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import type { ByteSource, ScanContext } from '../../format.ts';
import { compareBytes, type EntryBlock } from '../entry-block.ts';
import type { OpenTable, TableDamage } from '../model.ts';
import { type BlockHeader, blockLength, readBlockHeader, readFooters, unpack } from './blocks.ts';
import { FilterReader } from './filter.ts';
import { type IndexedBlock, readIndex } from './index-payload.ts';
import * as wire from './layout.ts';
import { PayloadReader } from './payload.ts';
import { scanV2 } from './scan.ts';

interface WholeBlock {
  header: BlockHeader;
  bytes: Uint8Array;
}

/** A block and its payload, unpacked; undefined where anything about it is wrong. */
async function wholeBlock(
  source: ByteSource,
  offset: number,
  context: ScanContext,
): Promise<WholeBlock | undefined> {
  const head = await bytesAt(source, offset, wire.BLOCK_HEADER_BYTES);
  const header = readBlockHeader(head, viewOf(head), 0);
  if (!header) return undefined;
  const { storedBytes, rawBytes, payloadCrc } = header;
  if (Math.max(storedBytes, rawBytes) > context.limits.recordBytes) return undefined;
  const stored = await bytesAt(source, offset + wire.BLOCK_HEADER_BYTES, storedBytes);
  if (stored.length < storedBytes) return undefined;
  if (wire.crcOf(stored, 0, storedBytes) !== payloadCrc) return undefined;
  const bytes = unpack(header, stored, 0, storedBytes);
  return bytes && { header, bytes };
}

export async function openV2(source: ByteSource, context: ScanContext): Promise<OpenTable> {
  const { footer } = await readFooters(source);
  const damage: TableDamage[] = [];
  let index: IndexedBlock[] | undefined;
  if (footer) {
    const block = await wholeBlock(source, footer.indexAt, context);
    if (block?.header.kind === wire.KIND.index && block.header.tableId === footer.tableId) {
      index = readIndex(block.bytes, block.header.entries, footer.indexAt);
    }
  }
  const metas: { kind: number; offset: number }[] = [];
  if (index && footer) {
    // Behind the data: range deletions, filter and properties, up to the index.
    let at = wire.HEADER_BYTES;
    const last = index.at(-1);
    if (last) {
      const head = await bytesAt(source, last.offset, wire.BLOCK_HEADER_BYTES);
      const header = readBlockHeader(head, viewOf(head), 0);
      at = header ? last.offset + blockLength(header) : footer.indexAt;
    }
    while (at < footer.indexAt) {
      const head = await bytesAt(source, at, wire.BLOCK_HEADER_BYTES);
      const header = readBlockHeader(head, viewOf(head), 0);
      if (!header) break;
      metas.push({ kind: header.kind, offset: at });
      at += blockLength(header);
    }
  } else {
    index = [];
    const found = index;
    await scanV2(
      source,
      { ...context, depth: 'read' },
      {
        block({ offset, count, rangeDeletions, ...rest }) {
          if (rangeDeletions) metas.push({ kind: wire.KIND.ranges, offset });
          else if (count > 0)
            found.push({ offset, entries: count, ...ends(rest as EntryBlock, count) });
        },
        damage: (one) => damage.push(one),
      },
    );
  }
  return new V2Table(source, context, index, metas, damage);
}

function ends(block: EntryBlock, count: number): { first: Uint8Array; last: Uint8Array } {
  const { keyBytes, keyStart, keyEnd } = block;
  return {
    first: keyBytes.slice(keyStart[0], keyEnd[0]),
    last: keyBytes.slice(keyStart[count - 1], keyEnd[count - 1]),
  };
}

class V2Table implements OpenTable {
  readonly order = 1;
  readonly #reader = new PayloadReader();
  #filter: FilterReader | null | undefined;

  constructor(
    readonly source: ByteSource,
    readonly context: ScanContext,
    readonly index: readonly IndexedBlock[],
    readonly metas: readonly { kind: number; offset: number }[],
    readonly damage: readonly TableDamage[],
  ) {}

  get blocks(): number {
    return this.index.length;
  }

  seek(key: Uint8Array): number {
    let low = 0;
    let high = this.index.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { last } = this.index[middle]!;
      if (compareBytes(last, 0, last.length, key, 0, key.length) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  async read(number: number, into: EntryBlock): Promise<TableDamage[]> {
    const { source, context } = this;
    const { offset } = this.index[number]!;
    into.file = source.name;
    into.number = number;
    into.offset = offset;
    into.count = 0;
    const block = await wholeBlock(source, offset, context);
    if (block) {
      const { header, bytes } = block;
      into.length = blockLength(header);
      into.rawBytes = header.rawBytes;
      into.compression = wire.COMPRESSION_NAMES[header.compression] ?? '';
      const view = viewOf(bytes);
      const kept = this.#reader.read(bytes, view, 0, bytes.length, header.entries, into);
      if (kept && header.kind === wire.KIND.data) return [];
      into.count = 0;
    }
    const message = `data block ${number}: its checksum does not hold, or it is no block of entries`;
    const { name: file } = source;
    return [
      { code: 'block-checksum', severity: 'error', file, offset, length: 0, message, lost: true },
    ];
  }

  async mayContain(key: Uint8Array): Promise<boolean | undefined> {
    if (this.#filter === undefined) {
      const place = this.metas.find(({ kind }) => kind === wire.KIND.filter);
      const block = place && (await wholeBlock(this.source, place.offset, this.context));
      this.#filter = (block && FilterReader.of(block.bytes)) ?? null;
    }
    return this.#filter?.mayContain(viewOf(key), 0, key.length);
  }

  async readRangeDeletions(into: EntryBlock): Promise<boolean> {
    const place = this.metas.find(({ kind }) => kind === wire.KIND.ranges);
    const block = place && (await wholeBlock(this.source, place.offset, this.context));
    if (!block) return false;
    const { header, bytes } = block;
    into.file = this.source.name;
    return this.#reader.read(bytes, viewOf(bytes), 0, bytes.length, header.entries, into);
  }
}
