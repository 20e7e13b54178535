/** stat of the family: properties, the map of blocks, the range of keys, compression. */
import { bytesValue } from '../bytes/value.ts';
import type { ScanContext } from '../format.ts';
import { numberOrDigits } from '../wal/dump.ts';
import { compareBytes, type EntryBlock, typeName } from './entry-block.ts';
import type { TableOpened } from './model.ts';
import { openSeekable } from './seekable.ts';

/** How many blocks are listed one by one. */
const BLOCKS_LISTED_MAX = 1000;

export async function statTables(
  input: TableOpened,
  context: ScanContext,
): Promise<Record<string, unknown>> {
  const { dialect, set, files } = input;
  const tables: Record<string, unknown>[] = [];
  const all = { bytes: 0, entries: 0, damaged: 0 };
  let only: FileStat | undefined;
  let described: Record<string, unknown> = {};
  for (const file of files) {
    const source = await openSeekable(input, file, context.limits);
    try {
      const one = new FileStat(dialect.hasSeq);
      await dialect.scan(
        source,
        { ...context, depth: 'read' },
        {
          block: (block) => one.block(block),
          damage: (damage) => one.damage(damage.lost ? damage.length : 0),
        },
      );
      const bytes = source.size ?? 0;
      all.bytes += bytes;
      all.entries += one.entries;
      all.damaged += one.damaged;
      only = one;
      described = await dialect.describe(source, context);
      tables.push({ file: file.name, bytes, ...one.summary() });
    } finally {
      source.close?.();
    }
  }
  const head = { path: set.path, family: 'sstable', dialect: dialect.id, files: files.length };
  if (files.length !== 1 || !only) return { ...head, ...all, tables };
  return {
    ...head,
    bytes: all.bytes,
    ...only.summary(),
    ...only.details(),
    ...described,
    ...only.map(),
  };
}

interface BlockLine {
  block: number;
  offset: number;
  length: number;
  rawBytes: number;
  entries: number;
  compression: string;
  firstKey: unknown;
  lastKey: unknown;
}

class FileStat {
  entries = 0;
  damaged = 0;
  #damagedBytes = 0;
  #rangeDeletions = 0;
  #blocks = 0;
  #stored = 0;
  #raw = 0;
  #keyBytes = 0;
  #valueBytes = 0;
  readonly #ops = new Int32Array(256);
  readonly #compression = new Map<string, number>();
  readonly #lines: BlockLine[] = [];
  #first: Uint8Array | undefined;
  #last: Uint8Array | undefined;
  #seqLeast = 1n << 64n;
  #seqMost = -1n;

  constructor(readonly hasSeq: boolean) {}

  block(block: EntryBlock): void {
    const { count, types, keyStart, keyEnd, valueStart, valueEnd } = block;
    if (count === 0) return;
    let [leastHigh, leastLow] = [block.seqHigh[0]!, block.seqLow[0]!];
    let [mostHigh, mostLow] = [leastHigh, leastLow];
    for (let i = 0; i < count; i++) {
      this.#ops[types[i]!]!++;
      this.#keyBytes += keyEnd[i]! - keyStart[i]!;
      if (valueStart[i]! >= 0) this.#valueBytes += valueEnd[i]! - valueStart[i]!;
      const high = block.seqHigh[i]!;
      const low = block.seqLow[i]!;
      if (high < leastHigh || (high === leastHigh && low < leastLow))
        [leastHigh, leastLow] = [high, low];
      if (high > mostHigh || (high === mostHigh && low > mostLow))
        [mostHigh, mostLow] = [high, low];
    }
    const least = (BigInt(leastHigh) << 32n) | BigInt(leastLow);
    const most = (BigInt(mostHigh) << 32n) | BigInt(mostLow);
    if (least < this.#seqLeast) this.#seqLeast = least;
    if (most > this.#seqMost) this.#seqMost = most;
    if (block.rangeDeletions) {
      this.#rangeDeletions += count;
      return;
    }
    this.entries += count;
    this.#blocks++;
    this.#stored += block.length;
    this.#raw += block.rawBytes;
    const { compression } = block;
    this.#compression.set(compression, (this.#compression.get(compression) ?? 0) + 1);
    this.#keys(block);
    if (this.#lines.length >= BLOCKS_LISTED_MAX) return;
    this.#lines.push({
      block: block.number,
      offset: block.offset,
      length: block.length,
      rawBytes: block.rawBytes,
      entries: count,
      compression,
      firstKey: bytesValue(block.key(0)),
      lastKey: bytesValue(block.key(count - 1)),
    });
  }

  #keys(block: EntryBlock): void {
    const first = block.key(0);
    const last = block.key(block.count - 1);
    if (!this.#first || before(first, this.#first)) this.#first = first.slice();
    if (!this.#last || before(this.#last, last)) this.#last = last.slice();
  }

  damage(bytes: number): void {
    this.damaged++;
    this.#damagedBytes += bytes;
  }

  summary(): Record<string, unknown> {
    const names = [...this.#ops.entries()].filter(([, count]) => count > 0);
    return {
      entries: this.entries,
      ops: Object.fromEntries(names.map(([type, count]) => [typeName(type), count])),
      blocks: this.#blocks,
      ...(this.#first && { firstKey: bytesValue(this.#first) }),
      ...(this.#last && { lastKey: bytesValue(this.#last) }),
      ...(this.hasSeq &&
        this.#seqMost >= 0n && {
          firstSeq: numberOrDigits(String(this.#seqLeast)),
          lastSeq: numberOrDigits(String(this.#seqMost)),
        }),
      damaged: this.damaged,
    };
  }

  details(): Record<string, unknown> {
    return {
      damagedBytes: this.#damagedBytes,
      keyBytes: this.#keyBytes,
      valueBytes: this.#valueBytes,
      ...(this.#rangeDeletions > 0 && { rangeDeletions: this.#rangeDeletions }),
      storedBytes: this.#stored,
      rawBytes: this.#raw,
      compression: Object.fromEntries(this.#compression),
    };
  }

  map(): Record<string, unknown> {
    const more = this.#blocks - this.#lines.length;
    return { ...(more > 0 && { blocksNotListed: more }), blockMap: this.#lines };
  }
}

function before(a: Uint8Array, b: Uint8Array): boolean {
  return compareBytes(a, 0, a.length, b, 0, b.length) < 0;
}
