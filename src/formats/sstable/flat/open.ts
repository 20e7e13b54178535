/** Opens a textbook table at its sparse index; where that is damaged, at what a scan finds. */
import { bytesAt } from '../../bytes/read-fully.ts';
import type { ByteSource, ScanContext } from '../../format.ts';
import { compareBytes, type EntryBlock } from '../entry-block.ts';
import type { OpenTable, TableDamage } from '../model.ts';
import { IndexCursor } from './index-cursor.ts';
import { parseStretch, scanFlat } from './scan.ts';
import type { FlatSpec } from './spec.ts';
import { readTail } from './tail.ts';

export async function openFlat(
  spec: FlatSpec,
  source: ByteSource,
  context: ScanContext,
): Promise<OpenTable> {
  const tail = await readTail(spec, source, context);
  const starts: number[] = [];
  const keys: Uint8Array[] = [];
  const ends: number[] = [];
  const damage: TableDamage[] = [...tail.damage];
  if (tail.indexSound) {
    const end = tail.entriesEnd!;
    const cursor = new IndexCursor(spec, source, context, end, tail.footerAt);
    while (await cursor.advance()) {
      if (starts.length > 0) ends.push(cursor.target);
      starts.push(cursor.target);
      keys.push(cursor.bytes.slice(cursor.keyStart, cursor.keyEnd));
    }
    if (starts.length > 0) ends.push(end);
  } else {
    await scanFlat(
      spec,
      source,
      { ...context, depth: 'read' },
      {
        block(block) {
          starts.push(block.offset);
          ends.push(block.offset + block.length);
          keys.push(block.key(0).slice());
        },
        damage: (found) => {
          if (found.lost) damage.push(found);
        },
      },
    );
  }
  return new FlatTable(spec, source, context, starts, ends, keys, damage);
}

class FlatTable implements OpenTable {
  readonly order = 1;

  constructor(
    readonly spec: FlatSpec,
    readonly source: ByteSource,
    readonly context: ScanContext,
    readonly starts: readonly number[],
    readonly ends: readonly number[],
    readonly keys: readonly Uint8Array[],
    readonly damage: readonly TableDamage[],
  ) {}

  get blocks(): number {
    return this.starts.length;
  }

  /** The last stretch that begins at or before the key. */
  seek(key: Uint8Array): number {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const first = this.keys[middle]!;
      if (compareBytes(first, 0, first.length, key, 0, key.length) <= 0) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  async read(number: number, into: EntryBlock): Promise<TableDamage[]> {
    const { source, spec, context } = this;
    const start = this.starts[number]!;
    const length = this.ends[number]! - start;
    into.file = source.name;
    into.number = number;
    if (length > context.limits.recordBytes) {
      into.count = 0;
      const message = `a stretch of ${length} bytes, the limit is ${context.limits.recordBytes}`;
      return [broken(source.name, start, length, message)];
    }
    const bytes = await bytesAt(source, start, length);
    const end = parseStretch(spec, bytes, start, into);
    if (end === length) return [];
    const message = `the lengths of the entries lead to ${start + end}, expected ${start + length}`;
    return [broken(source.name, start + end, length - end, message)];
  }

  mayContain(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

function broken(file: string, offset: number, length: number, message: string): TableDamage {
  return { code: 'block-format', severity: 'error', file, offset, length, message, lost: true };
}
