/**
 * merge: the live content of a store, written anew. Two passes over the input, the second in file
 * order, so that both sides are read and written from front to back.
 */
import type { FileOutput } from '../file-output.ts';
import type { Finding } from '../format.ts';
import { readLive, refuseStreams } from './content.ts';
import { type CopyOptions, RecordCopier } from './copy.ts';
import type { BitcaskDialect, BitcaskOpened, BitcaskScanContext } from './model.ts';
import { scanStore } from './reader.ts';
import { type StoreWriteOptions, StoreWriter } from './write.ts';

export interface MergeResult {
  records: number;
  files: number;
  hints: number;
  bytes: number;
  /** What the input had: bytes of its data files, and records of no more use. */
  inputBytes: number;
  dropped: { superseded: number; deleted: number; expired: number };
  /** Damage that was read past: what it held is not in the result. */
  damage: Finding[];
}

export type MergeOptions = Omit<StoreWriteOptions, 'merged'> & CopyOptions;

export async function mergeStore(
  input: BitcaskOpened,
  target: BitcaskDialect,
  options: MergeOptions,
  context: BitcaskScanContext,
  output: FileOutput,
): Promise<MergeResult> {
  refuseStreams(input);
  const damage: Finding[] = [];
  const live = await readLive(input, context, (finding) => {
    if (damage.length < context.limits.findings) damage.push(finding);
  });
  const { keys } = live;
  const writer = new StoreWriter(target, { ...options, merged: true }, output);
  const copier = new RecordCopier(writer, options);
  const numbered = input.dialect.newest === 'seq';
  const dropped = { superseded: 0, deleted: 0, expired: 0 };
  let inputBytes = 0;
  let index = 0;
  let seq = 0;
  await scanStore(input, context, {
    file(file, number) {
      index = number;
      inputBytes += file.size ?? 0;
    },
    record(record) {
      const entry = keys.find(record.bytes, record.keyStart, record.keyEnd);
      const counts =
        entry >= 0 && keys.file(entry) === index && keys.position(entry) === record.offset;
      if (record.deleted) dropped.deleted++;
      else if (!counts) dropped.superseded++;
      else if (!live.isLive(entry, context.now)) dropped.expired++;
      else copier.copy(record, numbered ? record.seq : ++seq);
    },
    damage() {},
  });
  writer.end();
  const { records, files, hints, bytes } = writer;
  return { records, files, hints, bytes, inputBytes, dropped, damage };
}
