/**
 * A table as its footer, metaindex, properties and index describe it. Whatever of these is damaged
 * is told and left out; what follows from the rest is used.
 */
import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import type { ByteSource, ScanContext } from '../../format.ts';
import type { KeyOrder } from '../entry-block.ts';
import type { TableDamage } from '../model.ts';
import { BlockDecoder, plainEntries } from './block.ts';
import * as names from './constants.ts';
import { blockFilters, fullFilter, type KeyFilter } from './filter.ts';
import { type Footer, type Handle, readFooter } from './footer.ts';
import { handleOf } from './handle.ts';
import { type IndexStyle, IndexTable, readIndexBlock } from './index-block.ts';
import { GLOBAL_SEQNO, Properties } from './properties.ts';
import { type CheckSpec, checksumFault, type MetaBlock, readMetaBlock } from './source-blocks.ts';
import { Unpacker } from './unpack.ts';

/** A block that is not data: its role and where it lies. */
export interface MetaPlace extends Handle {
  role: string;
  damage?: string | undefined;
}

const ORDERS: Readonly<Record<string, KeyOrder>> = {
  'leveldb.BytewiseComparator': 1,
  'leveldb.BytewiseComparator.u64ts': 1,
  'rocksdb.ReverseBytewiseComparator': -1,
  'rocksdb.ReverseBytewiseComparator.u64ts': -1,
};

export class BlockTable {
  footer: Footer | undefined;
  readonly properties = new Properties();
  readonly damage: TableDamage[] = [];
  readonly metas: MetaPlace[] = [];
  readonly unpacker: Unpacker;
  readonly decoder = new BlockDecoder();
  check: CheckSpec = { checksum: names.CHECKSUM.crc32c, base: 0 };
  style: IndexStyle = { deltaValues: false, userKeys: false, firstKeys: false, timestampBytes: 0 };
  /** Data blocks by the index; undefined where it cannot be read. */
  index: IndexTable | undefined;
  indexType = 0;
  order: KeyOrder = 1;
  comparator = 'leveldb.BytewiseComparator';
  rangeDeletions: Handle | undefined;
  /** A filter for the table, or one for each of its partitions. */
  filter: KeyFilter | undefined;
  filterName = '';
  partitions: IndexTable | undefined;
  /** The properties were read, or there are none to be read (LevelDB). */
  propertiesSound = false;
  /** The index over the filter's partitions. */
  partitioned: Handle | undefined;
  /** Things that were met and are not understood, for people. */
  readonly notices: string[] = [];

  private constructor(
    readonly source: ByteSource,
    readonly context: ScanContext,
    readonly rocksdb: boolean,
  ) {
    this.unpacker = new Unpacker(rocksdb, context.limits.recordBytes);
  }

  static async load(
    source: ByteSource,
    context: ScanContext,
    rocksdb: boolean,
  ): Promise<BlockTable> {
    const table = new BlockTable(source, context, rocksdb);
    await table.#load();
    return table;
  }

  /** Where the blocks end. */
  get blocksEnd(): number {
    return this.footer?.offset ?? this.source.size ?? 0;
  }

  async #load(): Promise<void> {
    const { source, rocksdb } = this;
    const { footer, faults } = await readFooter(source, rocksdb);
    for (const { code, offset, length, message } of faults) {
      this.tell(code, offset, length, message, 'write the footer anew');
    }
    this.footer = footer;
    this.propertiesSound = !rocksdb;
    if (!footer) return;
    this.check = { checksum: footer.checksum, base: footer.base };
    let index = footer.index;
    if (footer.metaindex) index = (await this.#metaindex(footer.metaindex)) ?? index;
    this.#adopt(footer);
    if (index) await this.#index(index);
    if (this.partitioned) await this.#filterPartitions();
  }

  /** Reads the metaindex and what it names. Returns the index's handle, if that is there. */
  async #metaindex(handle: Handle): Promise<Handle | undefined> {
    const block = await this.#meta('metaindex', handle);
    if (!block) return undefined;
    const found: { name: string; handle: Handle }[] = [];
    const fault = plainEntries(
      block.bytes,
      block.view,
      0,
      block.bytes.length,
      (key, start, end) => {
        const name = Buffer.from(key).toString('latin1');
        const at = handleOf(block.bytes, start, end, this.blocksEnd);
        if (at) found.push({ name, handle: at });
        else {
          const message = `the metaindex entry ${JSON.stringify(name)} is no handle of a block`;
          this.tell('block-format', handle.offset, handle.size + 5, message, 'write it anew');
        }
      },
    );
    if (fault) this.#faulty('metaindex', handle, 'block-format', fault.fault);
    let index: Handle | undefined;
    for (const { name, handle: at } of found) {
      if (name === names.INDEX) index = at;
      else await this.#named(name, at);
    }
    return index;
  }

  async #named(name: string, handle: Handle): Promise<void> {
    if (name === names.PROPERTIES || name === names.PROPERTIES_OLD) await this.#properties(handle);
    else if (name === names.DICTIONARY) {
      const block = await this.#meta('dictionary', handle);
      if (block && !this.unpacker.useDictionary(block.bytes)) {
        this.#faulty('dictionary', handle, 'block-format', 'its tables cannot be read');
      }
    } else if (name === names.RANGE_DELETIONS) {
      this.rangeDeletions = handle;
      this.metas.push({ role: 'range_deletions', ...handle });
    } else if (name.startsWith(names.FULL_FILTER) || name.startsWith(names.FILTER)) {
      const block = await this.#meta('filter', handle);
      if (!block) return;
      this.filterName = name;
      this.filter = name.startsWith(names.FILTER)
        ? blockFilters(block.bytes, this.rocksdb)
        : fullFilter(block.bytes);
      if (!this.filter.understood) this.notices.push(`filter ${name}: ${this.filter.kind}`);
    } else if (name.startsWith(names.PARTITIONED_FILTER)) {
      this.filterName = name;
      this.partitioned = handle;
    } else {
      await this.#meta(name.replaceAll(/[^a-zA-Z0-9_.-]/g, '_'), handle);
      this.notices.push(`meta block ${JSON.stringify(name)} is not understood`);
    }
  }

  async #properties(handle: Handle): Promise<void> {
    const block = await this.#meta('properties', handle, true);
    if (!block) return;
    const { bytes, view } = block;
    let globalAt = -1;
    const fault = plainEntries(bytes, view, 0, bytes.length, (key, start, end) => {
      const name = Buffer.from(key).toString('latin1');
      if (name === GLOBAL_SEQNO && end - start === 8) globalAt = start;
      this.properties.add(name, bytes.slice(start, end));
    });
    if (fault) this.#faulty('properties', handle, 'block-format', fault.fault);
    if (!block.fault) {
      this.propertiesSound = fault === undefined;
      return;
    }
    // An ingested file has its global sequence number put in later, past the checksum.
    if (globalAt >= 0 && block.compression === 0) {
      const stored = await bytesAt(this.source, handle.offset, handle.size + names.TRAILER_BYTES);
      stored.fill(0, globalAt, globalAt + 8);
      const again = checksumFault(
        this.check,
        stored,
        viewOf(stored),
        0,
        handle.size,
        handle.offset,
      );
      if (again === undefined) {
        this.propertiesSound = fault === undefined;
        return;
      }
    }
    this.#faulty('properties', handle, block.fault.code, block.fault.message);
  }

  /** What footer and properties say about how keys and index are to be read. */
  #adopt(footer: Footer): void {
    const { properties } = this;
    const flag = (name: string): boolean | undefined => {
      const value = properties.number(name);
      return value === undefined ? undefined : value !== 0;
    };
    this.indexType = properties.fixed32('rocksdb.block.based.table.index.type') ?? 0;
    // Damaged properties are not believed: what the version usually writes is tried first.
    const recent = footer.version >= 4;
    const sound = this.propertiesSound;
    this.style = {
      deltaValues: sound ? (flag('rocksdb.index.value.is.delta.encoded') ?? false) : recent,
      userKeys: sound ? (flag('rocksdb.index.key.is.user.key') ?? false) : recent,
      firstKeys: this.indexType === names.FIRST_KEY,
      timestampBytes: 0,
    };
    if (names.INDEX_TYPES[this.indexType] === undefined) {
      this.notices.push(`index type ${this.indexType} is not known`);
    }
    const comparator = properties.text('rocksdb.comparator');
    if (comparator !== undefined) {
      this.comparator = comparator;
      this.order = ORDERS[comparator] ?? 0;
      if (this.order === 0) {
        this.notices.push(
          `comparator ${comparator} is not known: the order of keys is not checked`,
        );
      }
    }
    const persisted = flag('rocksdb.user.defined.timestamps.persisted') ?? true;
    if (this.comparator.endsWith('.u64ts') && persisted) {
      this.decoder.timestampBytes = 8;
      this.style.timestampBytes = 8;
    }
    const version = properties.fixed32('rocksdb.external_sst_file.version') ?? 0;
    const global = properties.fixed64(GLOBAL_SEQNO);
    if (version >= 2 && global) {
      this.decoder.globalHigh = global.high;
      this.decoder.globalLow = global.low;
    }
  }

  async #index(handle: Handle): Promise<void> {
    const known = this.propertiesSound;
    const twoLevel = known && this.indexType === names.TWO_LEVEL;
    const block = await this.#meta(twoLevel ? 'top_index' : 'index', handle);
    if (!block) return;
    const top = this.#readTop(block, handle, twoLevel);
    // Damaged bytes may have parsed all the same: what they say is not believed.
    if (!top || block.fault) return;
    // The first data block lies at 0: an index that begins elsewhere is one of indexes.
    const partitioned = known ? twoLevel : top.count > 0 && top.offsets[0] !== 0;
    if (!partitioned) {
      this.index = top;
      return;
    }
    this.indexType = names.TWO_LEVEL;
    const all = new IndexTable();
    for (let i = 0; i < top.count; i++) {
      const at = { offset: top.offsets[i]!, size: top.sizes[i]! };
      const part = await this.#meta('index', at);
      if (!part || part.fault) return;
      const { bytes, view } = part;
      const wrong = readIndexBlock(bytes, view, 0, bytes.length, this.style, this.blocksEnd, all);
      if (!wrong) continue;
      this.#faulty('index', at, 'block-format', wrong.fault);
      return;
    }
    this.index = all;
  }

  /** The index that the footer points to, in the style of the properties or in one that fits. */
  #readTop(block: MetaBlock, handle: Handle, twoLevel: boolean): IndexTable | undefined {
    const { bytes, view } = block;
    const other = { ...this.style, deltaValues: false, userKeys: false };
    const styles = this.propertiesSound ? [this.style] : [this.style, other];
    let fault = '';
    for (const style of styles) {
      const top = new IndexTable();
      const own = twoLevel ? { ...style, firstKeys: false } : style;
      const wrong = readIndexBlock(bytes, view, 0, bytes.length, own, this.blocksEnd, top);
      if (!wrong) {
        this.style = style;
        return top;
      }
      fault ||= wrong.fault;
    }
    this.#faulty('index', handle, 'block-format', fault);
    return undefined;
  }

  async #filterPartitions(): Promise<void> {
    const handle = this.partitioned!;
    const block = await this.#meta('top_filter', handle);
    if (!block || block.fault) return;
    const parts = new IndexTable();
    const style = { ...this.style, firstKeys: false };
    const { bytes, view } = block;
    const fault = readIndexBlock(bytes, view, 0, bytes.length, style, this.blocksEnd, parts);
    if (fault) {
      this.#faulty('top_filter', handle, 'block-format', fault.fault);
      return;
    }
    this.partitions = parts;
  }

  /**
   * The filter of a partition; undefined where it is damaged. Told as damage once, by `checkAll`.
   */
  async partition(number: number, tell: boolean): Promise<KeyFilter | undefined> {
    const parts = this.partitions!;
    const at = { offset: parts.offsets[number]!, size: parts.sizes[number]! };
    if (tell) {
      const block = await this.#meta('filter', at);
      return block && !block.fault ? fullFilter(block.bytes) : undefined;
    }
    const block = await readMetaBlock(this.source, at, this.check, this.unpacker);
    return block.fault ? undefined : fullFilter(block.bytes);
  }

  /** Reads a block, notes its place, tells what is wrong. `quiet`: the caller tells. */
  async #meta(role: string, handle: Handle, quiet = false): Promise<MetaBlock | undefined> {
    if (handle.size > this.context.limits.recordBytes) {
      const message = `a block of ${handle.size} bytes, the limit is ${this.context.limits.recordBytes}`;
      this.metas.push({ role, ...handle });
      this.#faulty(role, handle, 'block-format', message);
      return undefined;
    }
    const known = this.metas.some(({ offset }) => offset === handle.offset);
    if (!known) this.metas.push({ role, ...handle });
    const block = await readMetaBlock(this.source, handle, this.check, this.unpacker);
    if (block.fault && !(quiet && block.readable))
      this.#faulty(role, handle, block.fault.code, block.fault.message);
    return block.readable ? block : undefined;
  }

  #faulty(role: string, { offset, size }: Handle, code: string, message: string): void {
    const place = this.metas.find((one) => one.offset === offset);
    if (place) place.damage ??= code;
    const whole = size + names.TRAILER_BYTES;
    this.tell(code, offset, whole, `${role} block: ${message}`, 'write it anew');
  }

  tell(code: string, offset: number, length: number, message: string, repair: string): void {
    const file = this.source.name;
    this.damage.push({
      code,
      severity: 'error',
      file,
      offset,
      length,
      message,
      repair,
      lost: false,
    });
  }
}
