/** Reads a table of LevelDB or RocksDB block by block, as its index names them. */
import { explainFlips } from '../../../shared/bit-flip.ts';
import { crc32c } from '../../../shared/crc32.ts';
import { Window } from '../../bytes/window.ts';
import type { ByteSource } from '../../format.ts';
import { EntryBlock } from '../entry-block.ts';
import type { TableDamage, TableScanContext, TableVisitor } from '../model.ts';
import { blockChecksum } from './checksum.ts';
import { CHECKSUM, CRC_MASK_DELTA, TRAILER_BYTES } from './constants.ts';
import { FullCheck } from './full-check.ts';
import type { IndexTable } from './index-block.ts';
import { salvageBlocks } from './salvage.ts';
import { checksumFault, readMetaBlock } from './source-blocks.ts';
import { BlockTable } from './table.ts';
import { tellTail } from './tail.ts';

/** The least an entry takes in a block: three lengths and the internal part of a key. */
const ENTRY_BYTES_MIN = 4;
/** Flipped bits are looked for in so many blocks: each costs a pass over it. */
const DIAGNOSES_MAX = 100;

export async function scanBlockTable(
  source: ByteSource,
  context: TableScanContext,
  visitor: TableVisitor,
  rocksdb: boolean,
): Promise<void> {
  const table = await BlockTable.load(source, context, rocksdb);
  await new TableScan(table, context, visitor).run();
}

export class TableScan {
  readonly block = new EntryBlock();
  readonly #window: Window;
  readonly #full: FullCheck | undefined;
  #stopped = false;
  #yielded = 0;
  #records = 0;
  #diagnoses = DIAGNOSES_MAX;
  /** Stretches of the file that no data block covers, in order: pairs of begin and end. */
  readonly gaps: number[] = [];

  constructor(
    readonly table: BlockTable,
    readonly context: TableScanContext,
    readonly visitor: TableVisitor,
  ) {
    this.#window = new Window(table.source, context);
    this.block.file = table.source.name;
    this.block.order = table.order;
    const tell = (damage: TableDamage): void => this.tell(damage);
    if (context.depth === 'full') this.#full = new FullCheck(table, tell);
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  async run(): Promise<void> {
    const { table } = this;
    const { source, unpacker, properties } = table;
    if (this.context.depth !== 'quick')
      await unpacker.prepare(properties.text('rocksdb.compression'), source.size ?? 0);
    if (this.context.part !== undefined) return this.#part(this.context.part);
    const { turns } = this.context;
    if (turns?.blocksOnly && !table.index) return;
    const end = table.index ? await this.#blocks(table.index, 0, 0) : await salvageBlocks(this);
    if (this.#stopped || turns?.blocksOnly) return;
    await this.#rangeDeletions();
    this.#full?.end();
    await tellTail(this, end);
  }

  /** The blocks that the index names, from one on; `end`: where the one before ends. */
  async #blocks(index: IndexTable, first: number, end: number): Promise<number> {
    const { turns } = this.context;
    let { second } = this.context;
    let stretch = -1;
    let mine = true;
    for (let i = first; i < index.count && !this.#stopped; i++) {
      const offset = index.offsets[i]!;
      const size = index.sizes[i]!;
      if (second && i > 0 && offset >= second.joint) {
        const rest = await second.ask();
        second = undefined;
        if (rest) {
          if (rest.counts) this.#full?.add(rest.counts);
          this.visitor.rest?.(rest);
          return rest.end;
        }
      }
      if (offset < end) {
        this.#outOfOrder(offset, size, end);
        continue;
      }
      if (offset > end) this.gaps.push(end, offset);
      if (turns && Math.floor(offset / turns.stretchBytes) !== stretch) {
        stretch = Math.floor(offset / turns.stretchBytes);
        mine = await turns.turn(stretch);
      }
      const pending = mine && this.data(offset, size, i, i);
      if (pending) await pending;
      end = offset + size + TRAILER_BYTES;
    }
    return end;
  }

  /** The blocks behind the joint, and the one before for comparison. */
  async #part(joint: number): Promise<void> {
    const { index, notices } = this.table;
    let first = 1;
    while (index && first < index.count && index.offsets[first]! < joint) first++;
    if (!index || first >= index.count) return;
    const known = notices.length;
    const before = first - 1;
    const offset = index.offsets[before]!;
    const size = index.sizes[before]!;
    const pending = this.data(offset, size, before, before);
    if (pending) await pending;
    this.#full?.countFromHere();
    this.#yielded = 0;
    this.#records = 0;
    const end = await this.#blocks(index, first, offset + size + TRAILER_BYTES);
    // A filter that is not understood is told of by the one that reads all.
    if (this.#stopped || this.gaps.length > 0 || notices.length > known) return;
    const { counts } = this.#full ?? {};
    this.visitor.rest?.({ records: this.#records, blocks: this.#yielded, end, counts });
  }

  /**
   * One data block. `place`: its number in the index; -1: there is none. Blocks are small and many:
   * a promise comes back only where there is something to wait for.
   */
  data(offset: number, size: number, number: number, place: number): Promise<void> | undefined {
    const { block } = this;
    const length = size + TRAILER_BYTES;
    block.number = number;
    block.offset = offset;
    block.length = length;
    block.count = 0;
    const window = this.#window;
    if (size > this.context.limits.recordBytes) {
      const most = this.context.limits.recordBytes;
      this.#lose('block-format', `a block of ${size} bytes, the limit is ${most}`);
      return undefined;
    }
    if (offset >= window.base && offset + length <= window.end) {
      return this.#inWindow(offset, size, place);
    }
    return this.#filled(offset, size, place);
  }

  async #filled(offset: number, size: number, place: number): Promise<void> {
    await this.#window.fill(offset, size + TRAILER_BYTES);
    await this.#inWindow(offset, size, place);
  }

  #inWindow(offset: number, size: number, place: number): Promise<void> | undefined {
    const { bytes, view, base, end: windowEnd } = this.#window;
    const start = offset - base;
    const end = start + size;
    if (offset + size + TRAILER_BYTES > windowEnd) {
      this.#lose('block-format', 'cut while it was read');
      return undefined;
    }
    const fault = checksumFault(this.table.check, bytes, view, start, end, offset);
    if (fault !== undefined) {
      this.#lose('block-checksum', fault, this.#diagnose(bytes, view, start, end));
      return undefined;
    }
    return this.#unpacked(bytes, view, start, end, place);
  }

  #unpacked(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    place: number,
  ): Promise<void> | undefined {
    const { table, block, context } = this;
    const { unpacker, decoder } = table;
    const type = bytes[end]!;
    block.compression = unpacker.name(type) ?? `type ${type}`;
    block.rawBytes = end - start;
    if (context.depth === 'quick') {
      if (type === 0 && !decoder.check(bytes, view, start, end)) {
        this.#lose('block-format', this.#shapeFault(start));
      } else this.#yield();
      return undefined;
    }
    if (!unpacker.unpack(bytes, view, start, end, type)) {
      this.#lose('block-format', unpacker.fault);
      return undefined;
    }
    const { bytes: raw, view: rawView, start: from, end: to } = unpacker;
    block.rawBytes = to - from;
    const whole = decoder.decode(raw, rawView, from, to, block);
    if (!whole) {
      block.count = 0;
      this.#lose('block-format', this.#shapeFault(from));
      return undefined;
    }
    if (this.#full) {
      if (!decoder.shape.checkRestarts(raw, rawView, from)) this.#odd(this.#shapeFault(from));
      const pending = this.#full.block(block, place);
      if (pending) return pending.then(() => this.#yield());
    }
    this.#yield();
    return undefined;
  }

  #shapeFault(from: number): string {
    const { fault, faultAt } = this.table.decoder.shape;
    return `at ${faultAt - from} in the block: ${fault}`;
  }

  #yield(): void {
    this.#yielded++;
    this.#records += this.block.count;
    this.visitor.block(this.block);
    if (this.visitor.done?.()) this.#stopped = true;
  }

  /** The entries of the block are lost. */
  #lose(code: string, message: string, diagnosis?: string): void {
    const { file, offset, length, number } = this.block;
    this.#full?.lost();
    const raw = this.table.properties.text('rocksdb.compression') === 'NoCompression';
    const most = raw ? Math.floor(length / ENTRY_BYTES_MIN) : Number.POSITIVE_INFINITY;
    this.tell({
      code,
      severity: 'error',
      file,
      offset,
      length,
      message: `data block ${number}: ${message}`,
      ...(diagnosis && { diagnosis }),
      repair: 'drop the block, keep its bytes in quarantine',
      lost: true,
      entriesAtMost: most,
    });
  }

  /** Something is wrong with a block whose entries can be read all the same. */
  #odd(message: string): void {
    const { file, offset, length, number } = this.block;
    const repair = 'write the block anew';
    const what = `data block ${number}: ${message}`;
    this.tell({
      code: 'block-format',
      severity: 'error',
      file,
      offset,
      length,
      message: what,
      repair,
      lost: false,
    });
  }

  #outOfOrder(offset: number, size: number, end: number): void {
    const { name: file } = this.table.source;
    const message = `the index points to ${offset} +${size}, which the blocks up to ${end} hold already`;
    const repair = 'write the index anew';
    this.tell({
      code: 'index-mismatch',
      severity: 'error',
      file,
      offset,
      length: size + TRAILER_BYTES,
      message,
      repair,
      lost: false,
    });
  }

  /** The one flipped bit that explains a CRC, if there is one. */
  #diagnose(bytes: Uint8Array, view: DataView, start: number, end: number): string | undefined {
    const { checksum, base } = this.table.check;
    if (checksum !== CHECKSUM.crc32c || base !== 0 || this.#diagnoses-- <= 0) return undefined;
    const unmask = (masked: number): number => {
      const rotated = (masked - CRC_MASK_DELTA) >>> 0;
      return (rotated >>> 17) | (rotated << 15);
    };
    const stored = unmask(view.getUint32(end + 1, true));
    const computed = unmask(blockChecksum(checksum, bytes, view, start, end));
    const flips = explainFlips(crc32c, stored, computed, end + 1 - start);
    if (flips?.kind !== 'one') return undefined;
    const at = this.block.offset + (end - start) - flips.at.byteFromEnd;
    return `bit ${flips.at.bit} of the byte at ${at} is flipped`;
  }

  async #rangeDeletions(): Promise<void> {
    const { table, block } = this;
    const { rangeDeletions: handle, source, check, unpacker } = table;
    if (!handle) return;
    const read = await readMetaBlock(source, handle, check, unpacker);
    block.number = table.index?.count ?? block.number + 1;
    block.offset = handle.offset;
    block.length = handle.size + TRAILER_BYTES;
    block.count = 0;
    const whole =
      read.readable &&
      !read.fault &&
      table.decoder.decode(read.bytes, read.view, 0, read.bytes.length, block);
    if (!whole) {
      const place = table.metas.find(({ role }) => role === 'range_deletions');
      const { code, message } = read.fault ?? {
        code: 'block-format',
        message: this.#shapeFault(0),
      };
      if (place) place.damage = code;
      const { file, offset, length } = block;
      const what = `range deletions: ${message}: what they deleted shows again`;
      this.tell({ code, severity: 'error', file, offset, length, message: what, lost: true });
      this.#full?.lost();
      return;
    }
    block.rangeDeletions = true;
    block.rawBytes = read.bytes.length;
    block.compression = unpacker.name(read.compression) ?? '';
    for (let i = 0; i < block.count; i++)
      if (block.valueStart[i]! < 0) block.valueStart[i] = block.valueEnd[i]!;
    this.#full?.count(block);
    this.#yield();
    block.rangeDeletions = false;
  }

  tell(damage: TableDamage): void {
    this.visitor.damage(damage);
    if (this.visitor.done?.()) this.#stopped = true;
  }
}
