/** Opens a table of LevelDB or RocksDB at its index; without one, at the blocks that are found. */
import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import type { ByteSource, ScanContext } from '../../format.ts';
import type { EntryBlock } from '../entry-block.ts';
import type { OpenTable, TableDamage } from '../model.ts';
import { TRAILER_BYTES } from './constants.ts';
import type { Handle } from './footer.ts';
import { IndexTable } from './index-block.ts';
import { TableScan } from './scan.ts';
import { checksumFault, readMetaBlock } from './source-blocks.ts';
import { BlockTable } from './table.ts';

export async function openBlockTable(
  source: ByteSource,
  context: ScanContext,
  rocksdb: boolean,
): Promise<OpenTable> {
  const table = await BlockTable.load(source, context, rocksdb);
  if (table.index) return new IndexedTable(table, table.index, table.damage);
  const found = new IndexTable();
  const damage: TableDamage[] = [];
  const scan = new TableScan(
    table,
    { ...context, depth: 'read' },
    {
      block(block) {
        if (block.rangeDeletions || block.count === 0) return;
        const last = block.key(block.count - 1);
        found.add(block.offset, block.length - TRAILER_BYTES, last, last.length);
      },
      damage: (one) => damage.push(one),
    },
  );
  await scan.run();
  return new IndexedTable(table, found, damage);
}

class IndexedTable implements OpenTable {
  #buffer = new Uint8Array(64 * 1024);

  constructor(
    readonly table: BlockTable,
    readonly index: IndexTable,
    readonly damage: TableDamage[],
  ) {}

  get order(): 1 | -1 | 0 {
    return this.table.order;
  }

  get blocks(): number {
    return this.index.count;
  }

  seek(key: Uint8Array): number {
    return this.index.seek(key, this.order === -1 ? -1 : 1);
  }

  async read(number: number, into: EntryBlock): Promise<TableDamage[]> {
    const { table, index } = this;
    const { source, unpacker, decoder } = table;
    const offset = index.offsets[number]!;
    const size = index.sizes[number]!;
    const length = size + TRAILER_BYTES;
    into.file = source.name;
    into.order = table.order;
    into.number = number;
    into.offset = offset;
    into.length = length;
    into.count = 0;
    const lost = (code: string, message: string): TableDamage[] => {
      const { name: file } = source;
      const what = `data block ${number}: ${message}`;
      return [{ code, severity: 'error', file, offset, length, message: what, lost: true }];
    };
    if (size > table.context.limits.recordBytes) {
      return lost(
        'block-format',
        `${size} bytes, the limit is ${table.context.limits.recordBytes}`,
      );
    }
    if (length > this.#buffer.length) this.#buffer = new Uint8Array(2 * length);
    const bytes = this.#buffer;
    let done = 0;
    while (done < length) {
      const pending = source.read(bytes, done, length - done, offset + done);
      const got = typeof pending === 'number' ? pending : await pending;
      if (got <= 0) return lost('block-format', 'cut while it was read');
      done += got;
    }
    const view = viewOf(bytes);
    const fault = checksumFault(table.check, bytes, view, 0, size, offset);
    if (fault !== undefined) return lost('block-checksum', fault);
    into.compression = unpacker.name(bytes[size]!) ?? '';
    if (!unpacker.unpack(bytes, view, 0, size, bytes[size]!))
      return lost('block-format', unpacker.fault);
    const { bytes: raw, view: rawView, start, end } = unpacker;
    into.rawBytes = end - start;
    if (decoder.decode(raw, rawView, start, end, into)) {
      this.#own(into, raw, start, end);
      return [];
    }
    into.count = 0;
    return lost('block-format', decoder.shape.fault);
  }

  #raw = new Uint8Array(0);
  #keys = new Uint8Array(0);

  /** The block stays as it is while others are read: of each table one, but they are many. */
  #own(into: EntryBlock, raw: Uint8Array, start: number, end: number): void {
    if (end > this.#raw.length) this.#raw = new Uint8Array(2 * end);
    this.#raw.set(raw.subarray(start, end), start);
    into.valueBytes = this.#raw;
    const keysEnd = into.count > 0 ? into.keyEnd[into.count - 1]! : 0;
    if (keysEnd > this.#keys.length) this.#keys = new Uint8Array(2 * keysEnd);
    this.#keys.set(into.keyBytes.subarray(0, keysEnd));
    into.keyBytes = this.#keys;
  }

  async mayContain(key: Uint8Array): Promise<boolean | undefined> {
    const { table, index } = this;
    const whole = table.properties.text('rocksdb.block.based.table.whole.key.filtering');
    if (whole === '0') return undefined;
    const view = viewOf(key);
    if (table.partitions) {
      const part = table.partitions.seek(key, this.order === -1 ? -1 : 1);
      if (part >= table.partitions.count) return undefined;
      const filter = await table.partition(part, false);
      return filter?.understood ? filter.mayContain(key, view, 0, key.length, 0) : undefined;
    }
    if (!table.filter?.understood) return undefined;
    const number = this.seek(key);
    if (number >= index.count) return false;
    return table.filter.mayContain(key, view, 0, key.length, index.offsets[number]!);
  }

  async readRangeDeletions(into: EntryBlock): Promise<boolean> {
    const { table } = this;
    const { rangeDeletions: handle, source, check, unpacker, decoder } = table;
    if (!handle) return false;
    const block = await readMetaBlock(source, handle, check, unpacker);
    if (block.fault || !block.readable) {
      this.#lostRanges(handle, block.fault?.message ?? 'cannot be unpacked');
      return false;
    }
    into.file = source.name;
    const { bytes, view } = block;
    if (decoder.decode(bytes, view, 0, bytes.length, into)) return into.count > 0;
    into.count = 0;
    this.#lostRanges(handle, decoder.shape.fault);
    return false;
  }

  /** What range deletions took away shows through where they cannot be read: that is told. */
  #lostRanges({ offset, size }: Handle, message: string): void {
    const { name: file } = this.table.source;
    const length = size + TRAILER_BYTES;
    if (this.damage.some((one) => one.offset === offset && one.length === length)) return;
    const what = `range deletions: ${message}`;
    const code = 'block-checksum';
    this.damage.push({ code, severity: 'error', file, offset, length, message: what, lost: true });
  }
}

/** The bytes of one block as they lie in the file, trailer included. */
export function storedBlock(source: ByteSource, offset: number, size: number): Promise<Uint8Array> {
  return bytesAt(source, offset, size + TRAILER_BYTES);
}
