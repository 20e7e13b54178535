/** stat of the family: what is in a log, by segment and in all. */

import { Sizes } from '../sizes.ts';
import { numberOrDigits } from './dump.ts';
import type { WalOpened, WalScanContext } from './model.ts';
import { scanLog } from './reader.ts';

interface SegmentStat {
  file: string;
  bytes: number;
  records: number;
  firstSeq?: number | string;
  lastSeq?: number | string;
  damaged: number;
  damagedBytes: number;
}

export async function statLog(
  input: WalOpened,
  context: WalScanContext,
): Promise<Record<string, unknown>> {
  const { dialect, set } = input;
  const segments: SegmentStat[] = [];
  const ops = new Map<string, number>();
  const keys = new Sizes();
  const values = new Sizes();
  let segment: SegmentStat;
  let batches = 0;
  let lastHigh = 0;
  let lastLow = 0;

  await scanLog(input, context, {
    segment(file) {
      segment = { file: file.name, bytes: file.size ?? 0, records: 0, damaged: 0, damagedBytes: 0 };
      segments.push(segment);
    },
    record(record) {
      const { op } = record;
      ops.set(op, (ops.get(op) ?? 0) + 1);
      if (dialect.hasSeq && record.numbered) {
        if (segment.records === 0) segment.firstSeq = numberOrDigits(record.seqText);
        lastHigh = record.seqHigh;
        lastLow = record.seqLow;
      }
      segment.records++;
      if (op === 'commit' || (dialect.batches === 'batch-record' && record.index === 0)) batches++;
      if (record.keyStart >= 0 && op !== 'commit' && op !== 'checkpoint') {
        keys.add(record.keyEnd - record.keyStart);
        if (record.valueStart >= 0) values.add(record.valueEnd - record.valueStart);
      }
      const end = record.offset + record.length;
      if (end > segment.bytes) segment.bytes = end; // a stream tells its size as it goes
    },
    damage(damage) {
      segment.damaged++;
      if (damage.lost) segment.damagedBytes += damage.length;
      segment.bytes = Math.max(segment.bytes, damage.offset + damage.length);
    },
    segmentEnd() {
      if (segment.firstSeq !== undefined) {
        segment.lastSeq = numberOrDigits(((BigInt(lastHigh) << 32n) | BigInt(lastLow)).toString());
      }
    },
  });
  const sum = (pick: (s: SegmentStat) => number) => segments.reduce((all, s) => all + pick(s), 0);
  return {
    path: set.path,
    family: 'wal',
    dialect: dialect.id,
    files: segments.length,
    bytes: sum((s) => s.bytes),
    records: sum((s) => s.records),
    ops: Object.fromEntries(ops),
    ...(dialect.batches !== 'none' && { batches }),
    keys: keys.told(),
    values: values.told(),
    damaged: sum((s) => s.damaged),
    damagedBytes: sum((s) => s.damagedBytes),
    segments,
  };
}
