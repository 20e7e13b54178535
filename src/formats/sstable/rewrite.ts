/**
 * A table written anew from the entries that can be read, in order. Entries that stand out of order
 * are put where they belong: a first pass sets them aside, the second one merges them in.
 */
import { DdiaError } from '../../shared/errors.ts';
import type { ByteSource, ScanContext } from '../format.ts';
import type { EntryBlock } from './entry-block.ts';
import { compareEntries, EntryCopy } from './entry-copy.ts';
import type { TableDamage, TableDialect, TableTarget, TableWriter } from './model.ts';

/** What is set aside is held in memory. */
const ASIDE_BYTES_MAX = 64 * 1024 * 1024;

export async function rewriteTable(
  dialect: TableDialect,
  source: ByteSource,
  context: ScanContext,
  target: TableTarget,
): Promise<void> {
  if (dialect.rebuild) {
    await dialect.rebuild(source, context, target);
    return;
  }
  const { encoder } = dialect;
  if (!encoder) {
    throw new DdiaError('not-repairable', `dialect ${dialect.id} is read, not written`);
  }
  const aside = await outOfOrder(dialect, source, context);
  let entries = 0;
  await inOrder(dialect, source, context, aside, () => entries++, ignore);
  const options = { entries, ...(await parametersOf(dialect, source, context)) };
  const writer = encoder.open(target, options);
  await inOrder(dialect, source, context, aside, (block, i) => writer.add(block, i), ignore);
  writer.finish();
}

const ignore = (): void => {};

/** All entries into a writer of whatever layout, range deletions too; the caller finishes it. */
export async function rewriteInto(
  dialect: TableDialect,
  source: ByteSource,
  context: ScanContext,
  writer: TableWriter,
  onDamage: (damage: TableDamage) => void,
): Promise<void> {
  const aside = await outOfOrder(dialect, source, context);
  await inOrder(dialect, source, context, aside, (block, i) => writer.add(block, i), onDamage);
}

/**
 * Every entry in its place. Of two with the same key and number, which only damage makes, the first
 * stays.
 */
async function inOrder(
  dialect: TableDialect,
  source: ByteSource,
  context: ScanContext,
  aside: readonly EntryCopy[],
  emit: (block: EntryBlock, index: number) => void,
  onDamage: (damage: TableDamage) => void,
): Promise<void> {
  const told = new EntryCopy();
  let seen = false;
  const tell = (block: EntryBlock, index: number): void => {
    if (seen && compareEntries(told.block, 0, block, index) >= 0) return;
    if (seen && !dialect.hasSeq && told.block.compareKey(0, block.key(index)) === 0) return;
    emit(block, index);
    told.take(block, index);
    seen = true;
  };
  const highest = new EntryCopy();
  let begun = false;
  let next = 0;
  await dialect.scan(
    source,
    { ...context, depth: 'read' },
    {
      block(block) {
        if (block.rangeDeletions) {
          for (let i = 0; i < block.count; i++) emit(block, i);
          return;
        }
        for (let i = 0; i < block.count; i++) {
          if (begun && compareEntries(highest.block, 0, block, i) >= 0) continue;
          highest.take(block, i);
          begun = true;
          for (
            ;
            next < aside.length && compareEntries(aside[next]!.block, 0, block, i) < 0;
            next++
          ) {
            tell(aside[next]!.block, 0);
          }
          tell(block, i);
        }
      },
      damage: onDamage,
    },
  );
  for (; next < aside.length; next++) tell(aside[next]!.block, 0);
}

/** Entries that do not come behind all before them, in order. */
async function outOfOrder(
  dialect: TableDialect,
  source: ByteSource,
  context: ScanContext,
): Promise<EntryCopy[]> {
  const aside: EntryCopy[] = [];
  const last = new EntryCopy();
  let seen = false;
  let bytes = 0;
  await dialect.scan(
    source,
    { ...context, depth: 'read' },
    {
      block(block: EntryBlock) {
        if (block.rangeDeletions) return;
        for (let i = 0; i < block.count; i++) {
          if (!seen || compareEntries(last.block, 0, block, i) < 0) {
            last.take(block, i);
            seen = true;
            continue;
          }
          const copy = new EntryCopy().take(block, i);
          bytes += copy.bytes;
          if (bytes > ASIDE_BYTES_MAX) {
            throw new DdiaError(
              'too-damaged',
              `entries of over ${ASIDE_BYTES_MAX} bytes stand out of order`,
              'put them in order: ddia sstable dump PATH --json | ddia sstable write NEW --sort',
            );
          }
          aside.push(copy);
        }
      },
      damage() {},
    },
  );
  return aside.sort((a, b) => compareEntries(a.block, 0, b.block, 0));
}

/** Every how many entries the index has one: as it was, where that can be told. */
async function parametersOf(
  dialect: TableDialect,
  source: ByteSource,
  context: ScanContext,
): Promise<{ indexEvery?: number }> {
  const counts: number[] = [];
  await dialect.scan(
    source,
    { ...context, depth: 'read' },
    {
      block: (block) => {
        if (counts.length < 3) counts.push(block.count);
      },
      damage() {},
      done: () => counts.length >= 3,
    },
  );
  const most = Math.max(0, ...counts);
  return counts.length > 1 && most > 0 ? { indexEvery: most } : {};
}
