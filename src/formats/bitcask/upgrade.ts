/**
 * From any dialect to one that numbers its writes: every record that can be read, overwritten ones
 * and deletions too. Where they lie says which is the newest, so they are numbered in that order.
 */
import { usageError } from '../../shared/errors.ts';
import { findingOf } from '../damage.ts';
import type { FileOutput } from '../file-output.ts';
import type { Finding } from '../format.ts';
import { type CopyOptions, RecordCopier } from './copy.ts';
import type { BitcaskDialect, BitcaskOpened, BitcaskScanContext } from './model.ts';
import { scanStore } from './reader.ts';
import { type StoreWriteOptions, StoreWriter } from './write.ts';

export interface StoreUpgradeResult {
  records: number;
  files: number;
  bytes: number;
  /** Damage that was read past: what it held is not in the result. */
  damage: Finding[];
  /** What the source cannot vouch for, so that the result cannot either. */
  unchecked: readonly string[];
}

export type UpgradeOptions = Omit<StoreWriteOptions, 'merged'> & CopyOptions;

export async function upgradeStore(
  input: BitcaskOpened,
  target: BitcaskDialect,
  options: UpgradeOptions,
  context: BitcaskScanContext,
  output: FileOutput,
): Promise<StoreUpgradeResult> {
  const { dialect } = input;
  if (dialect.newest === 'seq') {
    throw usageError('up-to-date', `${input.set.path} is of ${dialect.id}: nothing to upgrade`);
  }
  const writer = new StoreWriter(target, { ...options, merged: false }, output);
  const copier = new RecordCopier(writer, options);
  const damage: Finding[] = [];
  let seq = 0;
  await scanStore(input, context, {
    record: (record) => copier.copy(record, ++seq),
    damage(one) {
      if (damage.length < context.limits.findings) damage.push(findingOf(one));
    },
  });
  writer.end();
  const { records, files, bytes } = writer;
  return { records, files, bytes, damage, unchecked: dialect.unchecked };
}
