/** Opens a hardened table at its index; without one, at the blocks that are found. */
import { viewOf } from '../../bytes/read-fully.ts';
import type { ByteSource, ScanContext } from '../../format.ts';
import type { EntryBlock } from '../entry-block.ts';
import type { OpenTable, TableDamage } from '../model.ts';
import { BlockHead, bodyCrcOf, EntryDecoder } from './block.ts';
import type { Place } from './frames.ts';
import { IndexTable } from './index-table.ts';
import * as names from './layout.ts';
import { V2Scan } from './scan.ts';
import { unpacked, V2Table } from './table.ts';

const NONE: Place = { offset: 0, bytes: 0 };

export async function openV2(source: ByteSource, context: ScanContext): Promise<OpenTable> {
  const table = await V2Table.load(source, context);
  const { index, footer } = table;
  if (index && footer) return new IndexedTable(table, index, footer.ranges, []);
  const found = new IndexTable();
  let ranges = footer?.ranges ?? NONE;
  const damage: TableDamage[] = [];
  await new V2Scan(
    table,
    { ...context, depth: 'read' },
    {
      block(block) {
        if (block.rangeDeletions) ranges = { offset: block.offset, bytes: block.length };
        if (block.rangeDeletions || block.count === 0) return;
        found.add(block.offset, block.length, block.count, block.key(block.count - 1));
      },
      damage: (one) => damage.push(one),
    },
  ).run();
  return new IndexedTable(table, found, ranges, damage);
}

class IndexedTable implements OpenTable {
  readonly order = 1;
  #buffer = new Uint8Array(16 * 1024);
  readonly #decoder = new EntryDecoder();
  readonly #head = new BlockHead();

  constructor(
    readonly table: V2Table,
    readonly index: IndexTable,
    readonly ranges: Place,
    readonly damage: TableDamage[],
  ) {}

  get identity(): number | undefined {
    return this.table.fileCrc;
  }

  get blocks(): number {
    return this.index.count;
  }

  seek(key: Uint8Array): number {
    return this.index.seek(key);
  }

  async read(number: number, into: EntryBlock): Promise<TableDamage[]> {
    const { index } = this;
    into.number = number;
    into.rangeDeletions = false;
    const fault = await this.#readAt(index.offset(number), index.size(number), into);
    if (!fault) return [];
    const { file, offset, length } = into;
    into.count = 0;
    const message = `data block ${number}: ${fault.message}`;
    const entriesAtMost = index.entries(number);
    const { code } = fault;
    return [{ code, severity: 'error', file, offset, length, message, lost: true, entriesAtMost }];
  }

  async #readAt(
    offset: number,
    length: number,
    into: EntryBlock,
  ): Promise<{ code: string; message: string } | undefined> {
    const { table } = this;
    const { source, context, fileCrc = 0 } = table;
    into.file = source.name;
    into.offset = offset;
    into.length = length;
    into.count = 0;
    if (length > context.limits.recordBytes) {
      const message = `${length} bytes, the limit is ${context.limits.recordBytes}`;
      return { code: 'block-format', message };
    }
    if (length > this.#buffer.length) this.#buffer = new Uint8Array(2 * length);
    const bytes = this.#buffer;
    for (let done = 0; done < length; ) {
      const pending = source.read(bytes, done, length - done, offset + done);
      const got = typeof pending === 'number' ? pending : await pending;
      if (got <= 0) return { code: 'block-format', message: 'cut while it was read' };
      done += got;
    }
    const view = viewOf(bytes);
    const head = this.#head;
    const holds =
      head.read(bytes, view, 0, fileCrc, offset) &&
      names.aligned(names.HEAD_BYTES + head.storedBytes) === length &&
      bodyCrcOf(bytes, view, 0, length, fileCrc, offset) === head.bodyCrc;
    if (!holds) return { code: 'block-checksum', message: 'its checksum does not hold' };
    const raw = unpacked(head, bytes, 0);
    if (!raw) return { code: 'block-format', message: 'its payload does not unpack' };
    into.rawBytes = head.rawBytes;
    into.compression = names.COMPRESSION_NAMES[head.compression] ?? '';
    const rawView = viewOf(raw);
    if (this.#decoder.decode(raw, rawView, 0, raw.length, head.entries, into)) return undefined;
    return { code: 'block-format', message: this.#decoder.fault };
  }

  async mayContain(key: Uint8Array): Promise<boolean | undefined> {
    return this.table.filter?.mayContain(key);
  }

  async readRangeDeletions(into: EntryBlock): Promise<boolean> {
    const { ranges } = this;
    if (ranges.bytes === 0) return false;
    const fault = await this.#readAt(ranges.offset, ranges.bytes, into);
    if (!fault) return into.count > 0;
    into.count = 0;
    const { file, offset, length } = into;
    const message = `range deletions: ${fault.message}: what they deleted shows`;
    const { code } = fault;
    this.damage.push({ code, severity: 'error', file, offset, length, message, lost: true });
    return false;
  }
}
