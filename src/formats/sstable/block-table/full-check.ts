/** What verify compares while the data blocks go by: index, filter, counts. */

import { viewOf } from '../../bytes/read-fully.ts';
import { compareBytes, type EntryBlock, TYPE } from '../entry-block.ts';
import type { TableDamage } from '../model.ts';
import { shown } from '../order.ts';
import { INTERNAL_BYTES } from './block.ts';
import type { KeyFilter } from './filter.ts';
import { type PrefixRule, prefixEnd, prefixRule } from './prefix.ts';
import type { BlockTable } from './table.ts';

type Tell = (damage: TableDamage) => void;

type Counts = Record<'entries' | 'deletions' | 'merges' | 'ranges' | 'keys' | 'values', number>;

export class FullCheck {
  readonly #counts: Counts = {
    entries: 0,
    deletions: 0,
    merges: 0,
    ranges: 0,
    keys: 0,
    values: 0,
  };
  #blocks = 0;
  #lost = false;
  /** Of the block before: its separator's number. */
  #before = -1;
  #keyView: DataView = new DataView(new ArrayBuffer(0));
  #keyBytes: Uint8Array = new Uint8Array(0);
  #partition = 0;
  #part: KeyFilter | undefined;
  #loaded = -1;
  /** Whether the filter holds keys, and what it holds of their beginnings. */
  readonly #whole: boolean;
  readonly #prefix: PrefixRule | undefined;

  constructor(
    readonly table: BlockTable,
    readonly tell: Tell,
  ) {
    const whole = table.properties.text('rocksdb.block.based.table.whole.key.filtering');
    this.#whole = whole !== '0';
    this.#prefix = prefixRule(table.properties);
    if (!this.#whole && (table.filter || table.partitions)) {
      if (table.partitions) table.notices.push('the filter’s parts hold prefixes: not checked');
      else if (!this.#prefix) table.notices.push('the filter holds prefixes only: not checked');
    }
  }

  /** From here on all is counted anew: the block before was for comparison only. */
  countFromHere(): void {
    for (const name of Object.keys(this.#counts) as (keyof Counts)[]) this.#counts[name] = 0;
    this.#blocks = 0;
  }

  get counts(): Readonly<Record<string, number>> {
    return { ...this.#counts, blocks: this.#blocks };
  }

  /** Takes over what was counted elsewhere. */
  add({ blocks = 0, ...counts }: Readonly<Record<string, number>>): void {
    for (const name of Object.keys(this.#counts) as (keyof Counts)[])
      this.#counts[name] += counts[name] ?? 0;
    this.#blocks += blocks;
  }

  lost(): void {
    this.#lost = true;
    this.#blocks++;
    this.#before = -1;
  }

  /**
   * A data block, the `number`th of the index (-1: there is none). To be waited for where the
   * filter is in parts.
   */
  block(block: EntryBlock, number: number): Promise<void> | undefined {
    this.#blocks++;
    this.count(block);
    if (block.count === 0) return undefined;
    if (number >= 0) this.#separators(block, number);
    const { filter, partitions } = this.table;
    if (partitions) return this.#whole ? this.#partitions(block) : undefined;
    if (filter?.understood) this.#filter(block, filter);
    return undefined;
  }

  count(block: EntryBlock): void {
    const counts = this.#counts;
    const { types, keyStart, keyEnd, valueStart, valueEnd, count } = block;
    const more = INTERNAL_BYTES + this.table.decoder.timestampBytes;
    for (let i = 0; i < count; i++) {
      const type = types[i]!;
      if (type === TYPE.merge) counts.merges++;
      else if (type !== TYPE.put) {
        if (
          type === TYPE.delete ||
          type === TYPE.singleDelete ||
          type === TYPE.deleteWithTimestamp
        ) {
          counts.deletions++;
        } else if (type === TYPE.rangeDelete) {
          counts.deletions++;
          counts.ranges++;
        }
      }
      counts.keys += keyEnd[i]! - keyStart[i]! + more;
      if (valueStart[i]! >= 0) counts.values += valueEnd[i]! - valueStart[i]!;
    }
    counts.entries += count;
  }

  #separators(block: EntryBlock, number: number): void {
    const { index, order, style } = this.table;
    if (!index || order === 0) return;
    const { keyBytes, keyStart, keyEnd, count } = block;
    const last = count - 1;
    const start = index.keyStart(number);
    const end = index.ends[number]!;
    // Separators have no timestamp where keys have one: they were cut off with number and type.
    const sign = order;
    const after = compareBytes(index.keys, start, end, keyBytes, keyStart[last]!, keyEnd[last]!);
    if (after * sign < 0) {
      const what = `the separator ${shown(index.key(number))} comes before the block’s last key ${shown(block.key(last))}`;
      this.#mismatch(block, what);
    }
    if (this.#before === number - 1 && number > 0) {
      const from = index.keyStart(number - 1);
      const to = index.ends[number - 1]!;
      const before = compareBytes(keyBytes, keyStart[0]!, keyEnd[0]!, index.keys, from, to) * sign;
      if (before < 0 || (before === 0 && style.userKeys)) {
        const what = `its first key ${shown(block.key(0))} is not behind ${shown(index.key(number - 1))}, which separates it from the block before`;
        this.#mismatch(block, what);
      }
    }
    this.#before = number;
  }

  #mismatch({ file, offset, length, number }: EntryBlock, what: string): void {
    const message = `block ${number}: ${what}: a search in the index misses keys`;
    const repair = 'write the index anew';
    this.tell({
      code: 'index-mismatch',
      severity: 'error',
      file,
      offset,
      length,
      message,
      repair,
      lost: false,
    });
  }

  #viewOf(block: EntryBlock): DataView {
    if (block.keyBytes !== this.#keyBytes) {
      this.#keyBytes = block.keyBytes;
      this.#keyView = viewOf(block.keyBytes);
    }
    return this.#keyView;
  }

  #filter(block: EntryBlock, filter: KeyFilter): void {
    const view = this.#viewOf(block);
    const { keyBytes, keyStart, keyEnd, count, offset } = block;
    const rule = this.#prefix;
    for (let i = 0; i < count; i++) {
      const start = keyStart[i]!;
      if (this.#whole && !filter.mayContain(keyBytes, view, start, keyEnd[i]!, offset))
        this.#miss(block, i, keyEnd[i]!);
      if (!rule) continue;
      const end = prefixEnd(rule, start, keyEnd[i]!);
      if (end >= 0 && !filter.mayContain(keyBytes, view, start, end, offset))
        this.#miss(block, i, end);
    }
  }

  /** Keys ascend, and so do the partitions: each is loaded once. */
  async #partitions(block: EntryBlock): Promise<void> {
    const { partitions: parts, order } = this.table;
    const { keyBytes, keyStart, keyEnd, count, offset } = block;
    const sign = order === -1 ? -1 : 1;
    const view = this.#viewOf(block);
    for (let i = 0; i < count; i++) {
      const [start, end] = [keyStart[i]!, keyEnd[i]!];
      const against = (n: number): number =>
        compareBytes(keyBytes, start, end, parts!.keys, parts!.keyStart(n), parts!.ends[n]!) * sign;
      while (this.#partition + 1 < parts!.count && against(this.#partition) > 0) this.#partition++;
      if (this.#loaded !== this.#partition) await this.#load(this.#partition);
      if (!this.#part?.understood || this.#part.mayContain(keyBytes, view, start, end, offset))
        continue;
      // Of a key that a partition ends with, newer entries may be in it and older ones in the next.
      if (against(this.#partition) === 0 && this.#partition + 1 < parts!.count) {
        await this.#load(++this.#partition);
        if (!this.#part?.understood || this.#part.mayContain(keyBytes, view, start, end, offset))
          continue;
      }
      this.#miss(block, i, end);
    }
  }

  async #load(number: number): Promise<void> {
    this.#part = await this.table.partition(number, true);
    this.#loaded = number;
    if (this.#part && !this.#part.understood) {
      this.table.notices.push(`filter partition ${number}: ${this.#part.kind}`);
    }
  }

  /** Of a key, or of its prefix that ends at `end`. */
  #miss(block: EntryBlock, i: number, end: number): void {
    const { file, offset, length, number } = block;
    const key = shown(block.keyBytes.subarray(block.keyStart[i]!, end));
    const what = end < block.keyEnd[i]! ? `the prefix ${key}` : key;
    const message = `the filter says that ${what} of block ${number} is not in the table: a look-up misses it`;
    const repair = 'write the filter anew';
    this.tell({
      code: 'filter-miss',
      severity: 'error',
      file,
      offset,
      length,
      message,
      repair,
      lost: false,
    });
  }

  /** Properties against what was counted. */
  end(): void {
    const { properties } = this.table;
    if (!properties.known || this.#lost) return;
    const { entries, deletions, merges, ranges, keys, values } = this.#counts;
    const found: [string, number][] = [
      ['rocksdb.num.entries', entries],
      ['rocksdb.num.data.blocks', this.#blocks],
      ['rocksdb.deleted.keys', deletions],
      ['rocksdb.merge.operands', merges],
      ['rocksdb.num.range-deletions', ranges],
      ['rocksdb.raw.key.size', keys],
      ['rocksdb.raw.value.size', values],
    ];
    const place = this.table.metas.find(({ role }) => role === 'properties');
    for (const [name, count] of found) {
      const told = properties.number(name);
      if (told === undefined || told === count) continue;
      const message = `property ${name} is ${told}, counted were ${count}`;
      const { offset = 0, size: length = 0 } = place ?? {};
      const { name: file } = this.table.source;
      const repair = 'write the properties anew';
      this.tell({
        code: 'count-mismatch',
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
}
