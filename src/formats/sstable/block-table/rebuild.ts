/**
 * A table of LevelDB or RocksDB written anew for its own software: intact data blocks are copied as
 * they are; filter, properties, index, metaindex and footer are made of what is in them.
 */
import { viewOf } from '../../bytes/read-fully.ts';
import type { ByteSource, ScanContext } from '../../format.ts';
import type { EntryBlock } from '../entry-block.ts';
import { TYPE } from '../entry-block.ts';
import type { TableTarget } from '../model.ts';
import { BlockBuilder } from './block-builder.ts';
import { blockChecksum, contextOf } from './checksum.ts';
import * as names from './constants.ts';
import { FilterBuilder } from './filter-builder.ts';
import { storedBlock } from './open.ts';
import { TableScan } from './scan.ts';
import { BlockTable } from './table.ts';
import { putVarint } from './varint.ts';

export async function rebuildBlockTable(
  source: ByteSource,
  context: ScanContext,
  target: TableTarget,
  rocksdb: boolean,
): Promise<void> {
  const table = await BlockTable.load(source, context, rocksdb);
  await new Rebuild(table, source, context, target).run();
}

interface Kept {
  offset: number;
  size: number;
  lastKey: Uint8Array;
}

class Rebuild {
  #at = 0;
  readonly #kept: Kept[] = [];
  readonly #filter: FilterBuilder;
  readonly #counts = { entries: 0, deletions: 0, merges: 0, ranges: 0, keys: 0, values: 0 };
  #ranges: { offset: number; size: number } | undefined;

  constructor(
    readonly table: BlockTable,
    readonly source: ByteSource,
    readonly context: ScanContext,
    readonly target: TableTarget,
  ) {
    this.#filter = new FilterBuilder(table);
  }

  async run(): Promise<void> {
    const { table, context } = this;
    await new TableScan(
      table,
      { ...context, depth: 'read' },
      {
        block: (block) => this.#take(block),
        damage() {},
      },
    ).run();
    const index = new BlockBuilder(1);
    for (const { offset, size, lastKey } of this.#kept) {
      const handle = await this.#copy(offset, size);
      index.add(lastKey, handleBytes(handle));
    }
    const dataBytes = this.#at;
    const metaindex = new Map<string, { offset: number; size: number }>();
    const filter = this.#filter.finish();
    if (filter) metaindex.set(this.#filter.name, this.#write(filter));
    const dictionary = table.metas.find(({ role }) => role === 'dictionary');
    if (dictionary) {
      metaindex.set(names.DICTIONARY, await this.#copy(dictionary.offset, dictionary.size));
    }
    if (this.#ranges) {
      metaindex.set(
        names.RANGE_DELETIONS,
        await this.#copy(this.#ranges.offset, this.#ranges.size),
      );
    }
    const indexBytes = index.finish();
    const indexHandle = this.#write(indexBytes);
    if (table.rocksdb) {
      const properties = this.#properties(dataBytes, indexBytes.length, filter?.length ?? 0);
      metaindex.set(names.PROPERTIES, this.#write(properties));
    }
    if ((table.footer?.version ?? 0) >= names.VERSION_CONTEXT)
      metaindex.set(names.INDEX, indexHandle);
    const meta = new BlockBuilder(table.rocksdb ? 1 : 16);
    for (const name of [...metaindex.keys()].sort()) {
      meta.add(Buffer.from(name, 'latin1'), handleBytes(metaindex.get(name)!));
    }
    this.#footer(this.#write(meta.finish()), indexHandle);
  }

  #take(block: EntryBlock): void {
    this.#count(block);
    const { offset, length, count } = block;
    if (block.rangeDeletions) {
      this.#ranges = { offset, size: length - names.TRAILER_BYTES };
      return;
    }
    if (count === 0) return;
    // The key as it is stored, number and type included: they lie behind it in the decoder's
    // buffer.
    const { keyBytes, keyStart, keyEnd } = block;
    const behind = 8 + this.table.decoder.timestampBytes;
    const lastKey = keyBytes.slice(keyStart[count - 1], keyEnd[count - 1]! + behind);
    const at = this.#kept.reduce((sum, { size }) => sum + size + names.TRAILER_BYTES, 0);
    this.#kept.push({ offset, size: length - names.TRAILER_BYTES, lastKey });
    this.#filter.block(block, at);
  }

  #count(block: EntryBlock): void {
    const counts = this.#counts;
    const { types, keyStart, keyEnd, valueStart, valueEnd } = block;
    for (let i = 0; i < block.count; i++) {
      const type = types[i]!;
      if (type === TYPE.merge) counts.merges++;
      if (type === TYPE.delete || type === TYPE.singleDelete || type === TYPE.rangeDelete)
        counts.deletions++;
      if (type === TYPE.rangeDelete) counts.ranges++;
      counts.keys += keyEnd[i]! - keyStart[i]! + 8 + this.table.decoder.timestampBytes;
      if (valueStart[i]! >= 0) counts.values += valueEnd[i]! - valueStart[i]!;
    }
    counts.entries += block.count;
  }

  /** A block as it lies in the old file. */
  async #copy(offset: number, size: number): Promise<{ offset: number; size: number }> {
    const bytes = await storedBlock(this.source, offset, size);
    return this.#put(bytes, size);
  }

  /** A block that is not compressed. */
  #write(content: Uint8Array): { offset: number; size: number } {
    const bytes = new Uint8Array(content.length + names.TRAILER_BYTES);
    bytes.set(content);
    return this.#put(bytes, content.length);
  }

  #put(bytes: Uint8Array, size: number): { offset: number; size: number } {
    const { checksum, base } = this.table.check;
    const view = viewOf(bytes);
    const plain = blockChecksum(checksum, bytes, view, 0, size);
    view.setUint32(size + 1, plain + contextOf(base, this.#at), true);
    const handle = { offset: this.#at, size };
    this.target.write(bytes, 0, bytes.length);
    this.#at += bytes.length;
    return handle;
  }

  /** The old ones with what was counted anew. */
  #properties(dataBytes: number, indexBytes: number, filterBytes: number): Uint8Array {
    const { entries, deletions, merges, ranges, keys, values } = this.#counts;
    const all = new Map(this.table.properties.raw);
    const set = (name: string, value: number): void => {
      const bytes: number[] = [];
      putVarint(bytes, value);
      all.set(`rocksdb.${name}`, Uint8Array.from(bytes));
    };
    set('num.entries', entries);
    set('num.data.blocks', this.#kept.length);
    set('deleted.keys', deletions);
    set('merge.operands', merges);
    set('num.range-deletions', ranges);
    set('raw.key.size', keys);
    set('raw.value.size', values);
    set('data.size', dataBytes);
    set('index.size', indexBytes);
    set('filter.size', filterBytes);
    set('index.key.is.user.key', 0);
    set('index.value.is.delta.encoded', 0);
    all.delete('rocksdb.index.partitions');
    all.delete('rocksdb.top-level.index.size');
    all.delete('rocksdb.tail.start.offset');
    all.set('rocksdb.block.based.table.index.type', new Uint8Array(4));
    const text = (name: string, value: string): void => {
      if (!all.has(name)) all.set(name, Buffer.from(value));
    };
    text('rocksdb.comparator', this.table.comparator);
    text('rocksdb.block.based.table.whole.key.filtering', '1');
    text('rocksdb.block.based.table.prefix.filtering', '0');
    const block = new BlockBuilder(Number.POSITIVE_INFINITY);
    for (const name of [...all.keys()].sort())
      block.add(Buffer.from(name, 'latin1'), all.get(name)!);
    return block.finish();
  }

  #footer(
    metaindex: { offset: number; size: number },
    index: { offset: number; size: number },
  ): void {
    const { table } = this;
    const { rocksdb, footer, check } = table;
    const length = rocksdb ? names.ROCKSDB_FOOTER_BYTES : names.LEVELDB_FOOTER_BYTES;
    const bytes = new Uint8Array(length);
    const view = viewOf(bytes);
    const version = footer?.version ?? names.VERSION_MIN;
    const start = rocksdb ? 1 : 0;
    if (rocksdb) {
      bytes[0] = check.checksum;
      view.setUint32(1 + names.HANDLES_BYTES, version, true);
    }
    const [low, high] = rocksdb ? names.ROCKSDB_MAGIC : names.LEVELDB_MAGIC;
    view.setUint32(length - 8, low, true);
    view.setUint32(length - 4, high, true);
    if (rocksdb && version >= names.VERSION_CONTEXT) {
      view.setUint32(1, names.EXTENDED_MAGIC, true);
      view.setUint32(9, check.base, true);
      view.setUint32(13, metaindex.size, true);
      const plain = blockChecksum(check.checksum, bytes, view, 0, length - 1);
      view.setUint32(5, plain + contextOf(check.base, this.#at), true);
    } else bytes.set([...handleBytes(metaindex), ...handleBytes(index)], start);
    this.target.write(bytes, 0, length);
  }
}

function handleBytes({ offset, size }: { offset: number; size: number }): Uint8Array {
  const bytes: number[] = [];
  putVarint(bytes, offset);
  putVarint(bytes, size);
  return Uint8Array.from(bytes);
}
