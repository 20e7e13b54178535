/** diff: opens two stores and compares them, in step or by their final state. */

import type { Identified } from '../formats/detect.ts';
import { compareSequences, type DiffCounts, type Difference } from '../formats/diff/compare.ts';
import { compareStates } from '../formats/diff/compare-state.ts';
import type { Operation } from '../formats/diff/operation.ts';
import { OperationStream } from '../formats/diff/operation-stream.ts';
import type { Finding, ScanContext } from '../formats/format.ts';

export interface DiffOptions {
  withSeq: boolean;
  state: boolean;
  /** Whether commit and checkpoint records count; by default where both dialects are the same. */
  marks: boolean | undefined;
}

export interface DiffResult {
  counts: DiffCounts;
  damageA: number;
  damageB: number;
  /** Commits and checkpoints that were left out. */
  marksLeftOut: number;
  /** --state: operations that set no single key. */
  unfolded: Record<string, number>;
  /** What was compared is what keys have in the end, not the operations that led there. */
  byState: boolean;
}

const MARKS = new Set(['commit', 'checkpoint']);

export async function diffStores(
  a: Identified,
  b: Identified,
  options: DiffOptions,
  context: ScanContext,
  onDifference: (difference: Difference) => void,
  onDamage: (side: 'A' | 'B', finding: Finding) => void,
): Promise<DiffResult> {
  const damage = { A: 0, B: 0 };
  const damaged = (side: 'A' | 'B') => (finding: Finding) => {
    damage[side]++;
    onDamage(side, finding);
  };
  const alike = a.family === b.family && a.dialect.id === b.dialect.id;
  const marks = options.marks ?? alike;
  let counts: DiffCounts;
  let unfolded = {};
  let marksLeftOut = 0;
  // Of a store, it is only what its keys have in the end that counts.
  const byState = options.state || !!a.family.content || !!b.family.content;
  if (byState) {
    const sides = [
      { input: a, onDamage: damaged('A') },
      { input: b, onDamage: damaged('B') },
    ] as const;
    ({ counts, unfolded } = await compareStates(...sides, context, onDifference));
  } else {
    const keep = ({ op }: Operation): boolean => {
      if (marks || !MARKS.has(op)) return true;
      marksLeftOut++;
      return false;
    };
    const streamA = new OperationStream(a, context, damaged('A'), keep);
    const streamB = new OperationStream(b, context, damaged('B'), keep);
    counts = await compareSequences(streamA, streamB, options.withSeq, onDifference);
  }
  return { counts, damageA: damage.A, damageB: damage.B, marksLeftOut, unfolded, byState };
}
