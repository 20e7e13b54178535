/**
 * Finding back into a stretch of entries after damage. There is no checksum to hold on to; what
 * there is: where the stretch ends (the next index entry points there), that keys ascend, and how
 * many entries a stretch has.
 */
import { compareBytes, type EntryBlock } from '../entry-block.ts';
import type { FlatSpec } from './spec.ts';

export interface Stretch {
  bytes: Uint8Array;
  view: DataView;
  /** First byte and end in `bytes`. */
  start: number;
  end: number;
  /** How many entries it should have; undefined where that is not known. */
  expected: number | undefined;
}

export interface Resync {
  /** Entries before the damage that are kept. */
  before: number;
  /** Where the damage begins and ends. */
  from: number;
  to: number;
}

/**
 * `starts[0, count)` are the entries as they parse from the front, up to where that fails. Of all
 * places from which entries lead exactly to the end, in ascending order of keys and behind the
 * entries before the damage, the one that loses the fewest.
 */
export function resyncBackwards(
  spec: FlatSpec,
  stretch: Stretch,
  starts: ArrayLike<number>,
  count: number,
  scratch: EntryBlock,
): Resync {
  const { view, bytes, start, end, expected } = stretch;
  scratch.reserve(2);
  const size = end - start;
  // From each place: how many entries lead to the end; 0: none do.
  const leads = new Int32Array(size + 1);
  const keyAt = new Int32Array(size + 1);
  const keyEnd = new Int32Array(size + 1);
  for (let p = end - spec.entryBytesMin; p >= start; p--) {
    const next = spec.entry(view, p, end, scratch, 0);
    if (next < 0) continue;
    const i = p - start;
    keyAt[i] = scratch.keyStart[0]!;
    keyEnd[i] = scratch.keyEnd[0]!;
    if (next === end) leads[i] = 1;
    else {
      const j = next - start;
      const ascends =
        leads[j]! > 0 &&
        compareBytes(bytes, keyAt[i]!, keyEnd[i]!, bytes, keyAt[j]!, keyEnd[j]!) < 0;
      leads[i] = ascends ? leads[j]! + 1 : 0;
    }
  }
  let best: Resync = { before: 0, from: start, to: end };
  let bestKept = -1;
  // Entries that parse may be what a wrong length made of the bytes: each number of them is tried.
  for (let before = 0; before <= count; before++) {
    const from = before < count ? starts[before]! : stop(spec, view, starts, count, end, scratch);
    if (before >= 2 && !ascends(spec, stretch, starts, before - 1, scratch)) break;
    const most = expected === undefined ? Number.POSITIVE_INFINITY : expected - 1 - before;
    for (let p = from + 1; p < end; p++) {
      const tail = leads[p - start]!;
      if (tail === 0 || tail > most || before + tail <= bestKept) continue;
      if (before > 0 && !behind(spec, stretch, starts[before - 1]!, keyAt, keyEnd, p, scratch)) {
        continue;
      }
      bestKept = before + tail;
      best = { before, from, to: p };
    }
    if (before > bestKept) {
      bestKept = before;
      best = { before, from, to: end };
    }
  }
  return best;
}

/** Where parsing from the front failed. */
function stop(
  spec: FlatSpec,
  view: DataView,
  starts: ArrayLike<number>,
  count: number,
  end: number,
  scratch: EntryBlock,
): number {
  return count === 0 ? starts[0]! : spec.entry(view, starts[count - 1]!, end, scratch, 0);
}

/** Whether entry `i` comes behind the one before it. */
function ascends(
  spec: FlatSpec,
  { view, bytes, end }: Stretch,
  starts: ArrayLike<number>,
  i: number,
  scratch: EntryBlock,
): boolean {
  spec.entry(view, starts[i - 1]!, end, scratch, 0);
  spec.entry(view, starts[i]!, end, scratch, 1);
  const { keyStart, keyEnd } = scratch;
  return compareBytes(bytes, keyStart[0]!, keyEnd[0]!, bytes, keyStart[1]!, keyEnd[1]!) < 0;
}

/** Whether the entry at `p` comes behind the one at `last`. */
function behind(
  spec: FlatSpec,
  { view, bytes, start, end }: Stretch,
  last: number,
  keyAt: Int32Array,
  keyEnd: Int32Array,
  p: number,
  scratch: EntryBlock,
): boolean {
  spec.entry(view, last, end, scratch, 0);
  const i = p - start;
  const [a, b] = [scratch.keyStart[0]!, scratch.keyEnd[0]!];
  return compareBytes(bytes, a, b, bytes, keyAt[i]!, keyEnd[i]!) < 0;
}

/** So many entries in a row, in ascending order, are taken for entries. */
const CHAIN_ENTRIES = 4;

/**
 * Without an index: the first place behind `from` where a row of entries begins, each behind the
 * other, and all behind `last`. -1: none before `end`.
 */
export function resyncForwards(
  spec: FlatSpec,
  { bytes, view, end }: Stretch,
  from: number,
  last: Uint8Array,
  atFileEnd: boolean,
  scratch: EntryBlock,
): number {
  scratch.reserve(2);
  const { keyStart, keyEnd } = scratch;
  for (let q = from + 1; q + spec.entryBytesMin <= end; q++) {
    let p = spec.entry(view, q, end, scratch, 0);
    if (p < 0 || keyEnd[0] === keyStart[0]) continue;
    if (compareBytes(bytes, keyStart[0]!, keyEnd[0]!, last, 0, last.length) <= 0) continue;
    let chain = 1;
    for (; p >= 0 && p < end && chain < CHAIN_ENTRIES; chain++) {
      const [a, b] = [keyStart[0]!, keyEnd[0]!];
      p = spec.entry(view, p, end, scratch, 0);
      if (p < 0 || compareBytes(bytes, a, b, bytes, keyStart[0]!, keyEnd[0]!) >= 0) break;
    }
    if (chain >= CHAIN_ENTRIES || (p === end && atFileEnd && chain >= 2)) return q;
  }
  return -1;
}
