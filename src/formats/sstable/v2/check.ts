/** What verify compares while the data blocks go by: index, filter, counts, footers. */
import { compareBytes, type EntryBlock, isDeletion, TYPE } from '../entry-block.ts';
import type { TableDamage } from '../model.ts';
import { shown } from '../order.ts';
import { hashKey } from './hash.ts';
import { COUNTS, PLACES } from './layout.ts';
import type { V2Table } from './table.ts';

export class TableCheck {
  readonly #counts = Object.fromEntries(COUNTS.map((name) => [name, 0])) as Record<
    (typeof COUNTS)[number],
    number
  >;
  #seqFirst = Number.POSITIVE_INFINITY;
  #lastKey: Uint8Array = new Uint8Array(0);
  #firstKey: Uint8Array | undefined;
  /** Entries of some block are lost: sums say nothing. */
  lost = false;
  readonly seen = new Map<string, { offset: number; bytes: number }>();

  constructor(
    readonly table: V2Table,
    readonly tell: (damage: TableDamage) => void,
  ) {}

  /** Data block `number` with its place; its entries if they were decoded. */
  place(number: number, offset: number, bytes: number, entries: number): void {
    const { index } = this.table;
    if (!index) return;
    if (number >= index.count) {
      this.#index(offset, bytes, `data block ${number} is not in the index`);
      return;
    }
    const same = index.offset(number) === offset && index.size(number) === bytes;
    if (same && index.entries(number) === entries) return;
    const told = `${index.offset(number)} +${index.size(number)} with ${index.entries(number)} entries`;
    const what = `the index has block ${number} at ${told}; it is at ${offset} +${bytes} with ${entries}`;
    this.#index(offset, bytes, what);
  }

  block(block: EntryBlock): void {
    const { index, filter } = this.table;
    const { count, keyBytes, keyStart, keyEnd, valueStart, valueEnd, types, number } = block;
    if (count === 0) return;
    const counts = this.#counts;
    let before = this.#lastKey;
    let [from, to] = [0, before.length];
    let first = this.#firstKey === undefined;
    if (first) this.#firstKey = block.key(0).slice();
    for (let i = 0; i < count; i++) {
      const [start, end] = [keyStart[i]!, keyEnd[i]!];
      const type = types[i]!;
      this.#seq(block, i);
      if (isDeletion(type)) counts.deletions++;
      else if (type === TYPE.merge) counts.merges++;
      counts.key_bytes += end - start;
      if (valueStart[i]! >= 0) counts.value_bytes += valueEnd[i]! - valueStart[i]!;
      if (first || compareBytes(before, from, to, keyBytes, start, end) !== 0) {
        counts.keys++;
        if (filter && !filter.mayHold(hashKey(keyBytes, start, end))) this.#miss(block, i);
      }
      first = false;
      before = keyBytes;
      [from, to] = [start, end];
    }
    counts.entries += count;
    this.#lastKey = block.key(count - 1).slice();
    if (!index || number >= index.count) return;
    const last = index.lastKey(number);
    if (compareBytes(last, 0, last.length, this.#lastKey, 0, this.#lastKey.length) === 0) return;
    const what = `the index says that block ${number} ends with ${shown(last)}; it ends with ${shown(this.#lastKey)}`;
    this.#index(block.offset, block.length, what);
  }

  ranges(block: EntryBlock): void {
    this.#counts.range_deletions += block.count;
    for (let i = 0; i < block.count; i++) this.#seq(block, i);
  }

  #seq(block: EntryBlock, i: number): void {
    const seq = block.seqHigh[i]! * 0x1_0000_0000 + block.seqLow[i]!;
    if (seq > this.#counts.seq_last) this.#counts.seq_last = seq;
    if (seq < this.#seqFirst) this.#seqFirst = seq;
  }

  /** `blocks`: data blocks that went by. */
  end(blocks: number, dataEnd: number, full: boolean): void {
    const { footer, index, look } = this.table;
    if (!footer) return;
    const says = (what: string, told: number, found: number): void => {
      if (told !== found) this.#footer(`${what} is ${told}, found was ${found}`);
    };
    for (const name of PLACES) {
      const found = this.seen.get(name);
      if (!found) continue;
      says(`the offset of ${name}`, footer[name].offset, found.offset);
      says(`the size of ${name}`, footer[name].bytes, found.bytes);
    }
    if (look?.intact) {
      says('block_bytes', footer.blockBytes, look.header.blockBytes);
      says('restart_every', footer.restartEvery, look.header.restartEvery);
      says('filter_bits', footer.filterBits, look.header.filterBits);
      if (footer.fileId !== look.header.fileId) this.#footer('file_id is not that of the header');
    }
    if (this.lost) return;
    says('data_blocks', footer.dataBlocks, blocks);
    says('data_end', footer.dataEnd, dataEnd);
    if (index && index.count > blocks) {
      const { offset, bytes } = footer.index;
      this.#index(offset, bytes, `the index has ${index.count} blocks, ${blocks} are there`);
    }
    if (full) this.#sums();
  }

  #sums(): void {
    const { footer, properties, source } = this.table;
    const counts = this.#counts;
    counts.seq_first = Number.isFinite(this.#seqFirst) ? this.#seqFirst : 0;
    if (footer && footer.entries !== counts.entries) {
      this.#footer(`entries is ${footer.entries}, counted were ${counts.entries}`);
    }
    if (!properties || !footer) return;
    const { offset, bytes: length } = footer.properties;
    const mismatch = (message: string): void =>
      this.tell({
        code: 'count-mismatch',
        severity: 'error',
        file: source.name,
        offset,
        length,
        message,
        repair: 'write the properties anew',
        lost: false,
      });
    COUNTS.forEach((name, i) => {
      const told = properties.counts[i]!;
      if (told !== counts[name]) mismatch(`property ${name} is ${told}, counted ${counts[name]}`);
    });
    for (const [name, told, found] of [
      ['first_key', properties.firstKey, this.#firstKey ?? new Uint8Array(0)],
      ['last_key', properties.lastKey, this.#lastKey],
    ] as const) {
      if (compareBytes(told, 0, told.length, found, 0, found.length) === 0) continue;
      mismatch(`property ${name} is ${shown(told)}, found was ${shown(found)}`);
    }
  }

  #footer(message: string): void {
    const { source, footerAt: offset } = this.table;
    const repair = 'write the footers anew';
    const where = { file: source.name, offset, length: 128 };
    this.tell({ code: 'bad-footer', severity: 'error', ...where, message, repair, lost: false });
  }

  #index(offset: number, length: number, what: string): void {
    const message = `${what}: a search in the index misses keys`;
    const where = { file: this.table.source.name, offset, length };
    const repair = 'write the index anew';
    this.tell({
      code: 'index-mismatch',
      severity: 'error',
      ...where,
      message,
      repair,
      lost: false,
    });
  }

  #miss(block: EntryBlock, i: number): void {
    const { file, offset, length, number } = block;
    this.tell({
      code: 'filter-miss',
      severity: 'error',
      file,
      offset,
      length,
      message: `the filter says that ${shown(block.key(i))} of block ${number} is not in the table: a look-up misses it`,
      repair: 'write the filter anew',
      lost: false,
    });
  }
}
