/** From any dialect to the hardened one: every record that can be read, with its number. */
import { findingOf } from '../damage.ts';
import type { FileOutput } from '../file-output.ts';
import type { Finding } from '../format.ts';
import type { WalOpened, WalOperation, WalScanContext } from './model.ts';
import { scanLog } from './reader.ts';
import { v2 } from './v2/index.ts';
import { SegmentWriter } from './write.ts';

export interface UpgradeResult {
  records: number;
  segments: number;
  bytes: number;
  /** Damage that was read past: what it held is not in the result. */
  damage: Finding[];
  /** What the source cannot vouch for, so that the result cannot either. */
  unchecked: readonly string[];
  /** Operations that the target has no word for, by name, and how many were left out. */
  leftOut: Record<string, number>;
}

const OPS = new Set(['put', 'delete', 'commit', 'checkpoint']);

/**
 * Copies the operations of `input`. Where the source marks batches as records, a batch stays one;
 * commit records of v1 are carried over as they are, since what they seal cannot be told.
 */
export async function upgradeLog(
  input: WalOpened,
  segmentBytes: number,
  context: WalScanContext,
  output: FileOutput,
): Promise<UpgradeResult> {
  const { dialect } = input;
  const writer = new SegmentWriter(v2, { segmentBytes, keepSeq: false, firstSeq: 1n }, output);
  const damage: Finding[] = [];
  const leftOut: Record<string, number> = {};
  let batch: WalOperation[] = [];
  let first: bigint | undefined;

  const flush = () => {
    if (batch.length > 0) writer.at(first).line({ operations: batch, batch: false });
    batch = [];
    first = undefined;
  };
  await scanLog(input, context, {
    record(record) {
      const { op, bytes, keyStart, keyEnd, valueStart, valueEnd } = record;
      if (record.index === 0) flush();
      if (!OPS.has(op)) {
        leftOut[op] = (leftOut[op] ?? 0) + 1;
        return;
      }
      if (dialect.hasSeq) {
        const seq = (BigInt(record.seqHigh) << 32n) | BigInt(record.seqLow);
        // A number that was left out within a batch begins a record of its own.
        if (first !== undefined && seq !== first + BigInt(batch.length)) flush();
        first ??= seq;
      }
      const value = op === 'put' ? bytes.slice(valueStart, valueEnd) : new Uint8Array(0);
      batch.push({ op, key: bytes.slice(keyStart, keyEnd), value });
    },
    damage(one) {
      flush();
      if (damage.length < context.limits.findings) damage.push(findingOf(one));
    },
  });
  flush();
  writer.end();
  const { records, segments, bytes } = writer;
  return { records, segments, bytes, damage, unchecked: dialect.unchecked, leftOut };
}
