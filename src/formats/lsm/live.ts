/**
 * The live content of a column family: of each key its newest entry, unless that is a deletion or a
 * range deletion covers it. Of merge operands all are told, the newest first, down to the value
 * that they are to be applied to: how they combine is their writer's.
 */
import { turn } from '../../shared/turns.ts';
import type { Finding, ScanContext } from '../format.ts';
import { compareBytes, type EntryBlock, isDeletion, TYPE } from '../sstable/entry-block.ts';
import { EntryCopy } from '../sstable/entry-copy.ts';
import type { KeyRange } from '../sstable/range.ts';
import type { ColumnFamily, Database } from './model.ts';
import type { RangeCover } from './range-cover.ts';
import type { EntryCursor } from './table-cursor.ts';
import { walkFamily } from './walk.ts';

/** How often the process is let go of while entries are at hand, in entries. */
const BREATH_MASK = 0xffff;
/** Findings that are kept to be told once. */
const TOLD_MAX = 10_000;

export interface LiveOptions {
  readonly range: KeyRange;
  readonly reverse?: boolean | undefined;
  /** Keys to leave out at the start, and to stop after. */
  readonly skip?: number | undefined;
  readonly limit?: number | undefined;
  readonly key?: Uint8Array | undefined;
}

export interface LiveCounts {
  keys: number;
  bytes: number;
  /** Entries that are merge operands. */
  operands: number;
  /** Values that lie in blob files: the entry says where. */
  blobs: number;
}

/** Given a live entry: a value, or one of several merge operands. The block is reused. */
export type LiveVisitor = (block: EntryBlock, index: number) => void;

export async function liveContent(
  database: Database,
  family: ColumnFamily,
  options: LiveOptions,
  context: ScanContext,
  visit: LiveVisitor,
  onFinding: (finding: Finding) => void,
): Promise<LiveCounts> {
  const tell = once(onFinding);
  const { range, reverse = false, key } = options;
  const walk = { range, reverse, key, context, tell };
  const { merge, cover } = await walkFamily(database, family, walk);
  const resolver = reverse
    ? new BackwardResolver(options, cover, visit, tell)
    : new Resolver(options, cover, visit, tell);
  try {
    for (let n = 1; !resolver.done; n++) {
      const cursor = merge.ready() ?? (await merge.next());
      if (!cursor) break;
      resolver.entry(cursor);
      if ((n & BREATH_MASK) === 0) {
        await turn(context);
      }
    }
    resolver.end();
  } finally {
    merge.close();
  }
  return resolver.counts;
}

/** Each finding once, however often its place is met. */
export function once(onFinding: (finding: Finding) => void): (finding: Finding) => void {
  const told = new Set<string>();
  return (finding) => {
    const { code, file, offset, length } = finding;
    const name = `${code} ${file} ${offset} ${length}`;
    if (told.has(name)) return;
    if (told.size < TOLD_MAX) told.add(name);
    onFinding(finding);
  };
}

/** Keys ascend, and of each key the newest entry comes first. */
class Resolver {
  readonly counts: LiveCounts = { keys: 0, bytes: 0, operands: 0, blobs: 0 };
  done: boolean;
  readonly #last = new EntryCopy();
  #any = false;
  /** What comes of this key now is older than what it is. */
  #settled = false;
  #counted = false;
  #skip: number;
  readonly #limit: number;

  constructor(
    options: LiveOptions,
    readonly cover: RangeCover,
    readonly visit: LiveVisitor,
    readonly tell: (finding: Finding) => void,
  ) {
    this.#skip = options.skip ?? 0;
    this.#limit = options.limit ?? Number.POSITIVE_INFINITY;
    this.done = this.#limit <= 0;
  }

  entry({ block, index, level }: EntryCursor): void {
    const again = this.#any && this.sameKey(block, index);
    if (again) {
      // The same entry twice: a log that had been flushed, or a table that replaced another.
      if (this.#settled || this.#sameEntry(block, index)) return;
    } else if (!this.begin(block, index, level)) return;
    this.#last.takeKey(block, index);
    const type = block.types[index]!;
    if (isDeletion(type) || this.cover.covers(block, index)) {
      this.#settled = true;
      return;
    }
    this.#settled = type !== TYPE.merge;
    this.give(block, index);
  }

  /** Another key begins; false: it is one too many. */
  protected begin(block: EntryBlock, index: number, level: number): boolean {
    if (this.#counted && this.counts.keys >= this.#limit) {
      this.done = true;
      return false;
    }
    this.#checkOrder(block, index, level);
    this.#any = true;
    this.#settled = false;
    this.#counted = false;
    return true;
  }

  /** One more entry of a key that is live. */
  protected give(block: EntryBlock, index: number): void {
    const { counts } = this;
    if (!this.#counted) {
      if (counts.keys >= this.#limit) {
        this.done = true;
        return;
      }
      if (this.#skip > 0) {
        this.#skip--;
        this.#settled = true;
        return;
      }
      this.#counted = true;
      counts.keys++;
    }
    const start = Math.max(0, block.valueStart[index]!);
    counts.bytes += block.keyEnd[index]! - block.keyStart[index]! + block.valueEnd[index]! - start;
    if (block.types[index] === TYPE.merge) counts.operands++;
    if (block.types[index] === TYPE.blobIndex) counts.blobs++;
    this.visit(block, index);
  }

  protected sameKey(block: EntryBlock, index: number): boolean {
    return this.#compareLast(block, index) === 0;
  }

  #compareLast(block: EntryBlock, index: number): number {
    const { keyBytes, keyStart, keyEnd } = block;
    const { keyBytes: last, keyEnd: end } = this.#last.block;
    return compareBytes(keyBytes, keyStart[index]!, keyEnd[index]!, last, 0, end[0]!);
  }

  #sameEntry(block: EntryBlock, index: number): boolean {
    const { seqHigh, seqLow, types } = this.#last.block;
    return (
      block.seqHigh[index] === seqHigh[0] &&
      block.seqLow[index] === seqLow[0] &&
      block.types[index] === types[0]
    );
  }

  /** In a damaged table a key can come behind a later one, and be met twice. */
  #checkOrder(block: EntryBlock, index: number, level: number): void {
    if (!this.#any || this.#compareLast(block, index) * block.order * this.sign > 0) return;
    this.tell({
      code: 'unsorted-keys',
      severity: 'error',
      file: block.file,
      offset: block.offset,
      length: block.length,
      message: `the keys of the table, in level ${level}, do not ascend: one may be told twice`,
    });
  }

  protected readonly sign: number = 1;

  end(): void {}
}

/** Of each key the oldest entry comes first: what it is shows at its end. */
class BackwardResolver extends Resolver {
  protected override readonly sign: number = -1;
  readonly #versions: EntryCopy[] = [];
  #count = 0;
  #level = -1;

  override entry({ block, index, level }: EntryCursor): void {
    if (this.#count > 0 && !this.#continues(block, index)) this.#tellKey();
    if (this.done) return;
    this.#level = level;
    const type = block.types[index]!;
    // What a deletion or a value stands above is of no interest any more.
    const covered = isDeletion(type) || this.cover.covers(block, index);
    if (covered || type !== TYPE.merge) this.#count = 0;
    const copy = this.#versions[this.#count] ?? new EntryCopy();
    this.#versions[this.#count++] = copy.take(block, index);
  }

  #continues(block: EntryBlock, index: number): boolean {
    const { keyBytes, keyStart, keyEnd } = block;
    const { keyBytes: last, keyEnd: end } = this.#versions[0]!.block;
    return compareBytes(keyBytes, keyStart[index]!, keyEnd[index]!, last, 0, end[0]!) === 0;
  }

  #tellKey(): void {
    for (let i = this.#count - 1; i >= 0 && !this.done; i--) {
      const { block } = this.#versions[i]!;
      super.entry({ block, index: 0, level: this.#level } as EntryCursor);
    }
    this.#count = 0;
  }

  override end(): void {
    if (!this.done) this.#tellKey();
  }
}
