/** What index, filter, properties and footer of a hardened table say, against what is in it. */
import { viewOf } from '../../bytes/read-fully.ts';
import { compareBytes, type EntryBlock, isDeletion, TYPE } from '../entry-block.ts';
import type { Depth, TableDamage } from '../model.ts';
import { shown } from '../order.ts';
import type { TableFooter } from './blocks.ts';
import { FilterReader } from './filter.ts';
import { readIndex } from './index-payload.ts';
import { KIND } from './layout.ts';

/** Of a data block that went by. */
interface Seen {
  offset: number;
  entries: number;
  first: Uint8Array;
  last: Uint8Array;
}

/** Hashes of keys wait for the filter, which comes behind the data; so many at most. */
const KEYS_HELD_BYTES_MAX = 256 * 1024 * 1024;

export class V2Check {
  readonly #seen: Seen[] = [];
  readonly #counts = {
    entries: 0,
    deletions: 0,
    merges: 0,
    rangeDeletions: 0,
    keyBytes: 0,
    valueBytes: 0,
  };
  #lostBlocks = false;
  #gap = false;
  /** Keys of the blocks, back to back, for the filter. */
  #keys: Uint8Array[] = [];
  #ends: Int32Array[] = [];
  #held = 0;
  readonly #metas = new Set<number>();

  constructor(
    readonly file: string,
    readonly depth: Depth,
    readonly emit: (damage: TableDamage) => void,
  ) {}

  data(block: EntryBlock): void {
    if (this.depth !== 'full' || block.count === 0) return;
    const { types, keyStart, keyEnd, valueStart, valueEnd, count } = block;
    const counts = this.#counts;
    if (block.rangeDeletions) {
      counts.rangeDeletions += count;
      return;
    }
    for (let i = 0; i < count; i++) {
      const type = types[i]!;
      if (isDeletion(type)) counts.deletions++;
      if (type === TYPE.merge) counts.merges++;
      counts.keyBytes += keyEnd[i]! - keyStart[i]!;
      if (valueStart[i]! >= 0) counts.valueBytes += valueEnd[i]! - valueStart[i]!;
    }
    counts.entries += count;
    const first = block.key(0).slice();
    const last = block.key(count - 1).slice();
    this.#seen.push({ offset: block.offset, entries: count, first, last });
    const bytes = keyEnd[count - 1]!;
    if (this.#held + bytes > KEYS_HELD_BYTES_MAX) return;
    this.#held += bytes;
    this.#keys.push(block.keyBytes.slice(0, bytes));
    this.#ends.push(keyEnd.slice(0, count));
  }

  lost(data: boolean): void {
    this.#lostBlocks = true;
    if (data) this.#gap = true;
  }

  metaLost(kind: number): void {
    this.#metas.add(kind);
  }

  /** Whether blocks before were told as lost; asked once for each gap. */
  gapBefore(): boolean {
    const gap = this.#gap;
    this.#gap = false;
    return gap;
  }

  /** A block that holds no entries. False: its payload is none of that kind. */
  meta(kind: number, bytes: Uint8Array, entries: number, offset: number): boolean {
    this.#metas.add(kind);
    if (kind === KIND.filter) return this.#filter(bytes);
    if (kind === KIND.properties) return this.#properties(bytes, offset);
    return kind === KIND.index && this.#index(bytes, entries, offset);
  }

  #filter(bytes: Uint8Array): boolean {
    const filter = FilterReader.of(bytes);
    if (!filter) return false;
    for (const [n, keys] of this.#keys.entries()) {
      const view = viewOf(keys);
      let start = 0;
      for (const end of this.#ends[n]!) {
        if (!filter.mayContain(view, start, end)) this.#miss(keys.subarray(start, end), n);
        start = end;
      }
    }
    this.#keys = [];
    this.#ends = [];
    return true;
  }

  #miss(key: Uint8Array, n: number): void {
    const offset = this.#seen[n]?.offset ?? 0;
    const message = `the filter says that ${shown(key)} is not in the table: a look-up misses it`;
    this.#tell('filter-miss', offset, message, 'write the filter anew');
  }

  #properties(bytes: Uint8Array, offset: number): boolean {
    let told: Record<string, unknown>;
    try {
      told = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
    } catch {
      return false;
    }
    if (typeof told !== 'object' || told === null) return false;
    if (this.depth !== 'full' || this.#lostBlocks) return true;
    const found = { ...this.#counts, dataBlocks: this.#seen.length };
    for (const [name, count] of Object.entries(found)) {
      if (told[name] === count) continue;
      const message = `property ${name} is ${JSON.stringify(told[name])}, counted were ${count}`;
      this.#tell('count-mismatch', offset, message, 'write the properties anew');
    }
    return true;
  }

  #index(bytes: Uint8Array, entries: number, offset: number): boolean {
    const index = readIndex(bytes, entries, offset);
    if (!index) return false;
    if (this.depth !== 'full') return true;
    const byOffset = new Map(index.map((one) => [one.offset, one]));
    for (const block of this.#seen) {
      const told = byOffset.get(block.offset);
      byOffset.delete(block.offset);
      const same =
        told &&
        told.entries === block.entries &&
        equal(told.first, block.first) &&
        equal(told.last, block.last);
      if (same) continue;
      const message = told
        ? `the index has ${told.entries} entries from ${shown(told.first)} to ${shown(told.last)} for the block at ${block.offset}, it has ${block.entries} from ${shown(block.first)} to ${shown(block.last)}`
        : `the index does not name the block at ${block.offset}`;
      this.#tell('index-mismatch', offset, message, 'write the index anew');
    }
    if (this.#lostBlocks) return true;
    for (const { offset: missing } of byOffset.values()) {
      const message = `the index names a block at ${missing}, where none is`;
      this.#tell('index-mismatch', offset, message, 'write the index anew');
    }
    return true;
  }

  end(footer: TableFooter | undefined, blocks: number): void {
    if (!footer) return;
    if (footer.blocks !== blocks) {
      const message = `the footer tells of ${footer.blocks} blocks, the last one is number ${blocks - 1}`;
      this.#tell('count-mismatch', 0, message, 'write the table anew');
    }
    for (const kind of [KIND.filter, KIND.properties, KIND.index]) {
      if (this.#metas.has(kind) || this.#lostBlocks) continue;
      this.#tell('bad-footer', 0, `there is no block of kind ${kind}`, 'write it anew');
    }
  }

  #tell(code: string, offset: number, message: string, repair: string): void {
    const { file } = this;
    this.emit({ code, severity: 'error', file, offset, length: 0, message, repair, lost: false });
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return compareBytes(a, 0, a.length, b, 0, b.length) === 0;
}
