/** What the damage of a textbook table is called, and what is said of it. */
import type { EntryBlock } from '../entry-block.ts';
import type { TableDamage } from '../model.ts';
import type { Resync } from './resync.ts';
import type { FlatSpec } from './spec.ts';

/** A stretch between two index entries whose lengths do not lead to its end. */
export function brokenStretch(
  file: string,
  base: number,
  found: Resync,
  end: number,
  spec: FlatSpec,
  expected: number | undefined,
  kept: number,
): TableDamage {
  const length = found.to - found.from;
  const behind = found.to < end ? `entries lead from ${base + found.to} to the end` : 'none behind';
  const of = expected === undefined ? '' : ` of ${expected}`;
  return {
    code: 'block-format',
    severity: 'error',
    file,
    offset: base + found.from,
    length,
    message:
      `the lengths of the entries do not lead to ${base + end}, where the next stretch begins; ` +
      `${kept}${of} entries before it are whole`,
    evidence: behind,
    repair: 'drop these bytes, keep them in quarantine',
    lost: true,
    entriesAtMost: Math.max(1, Math.floor(length / spec.entryBytesMin)),
  };
}

/** Bytes that parse as no entry, where no index says where one begins. */
export function cutEntry(
  file: string,
  offset: number,
  length: number,
  cut: boolean,
  spec: FlatSpec,
): TableDamage {
  return {
    code: cut ? 'unfinished' : 'block-format',
    severity: 'error',
    file,
    offset,
    length,
    message: cut
      ? `the file ends in an entry: its lengths lead past the last byte at ${offset + length - 1}`
      : 'these bytes are no entry: its lengths lead past the end of the entries',
    evidence: cut ? 'nothing that parses follows' : `entries follow at ${offset + length}`,
    repair: 'drop these bytes, keep them in quarantine',
    lost: true,
    entriesAtMost: Math.max(1, Math.floor(length / spec.entryBytesMin)),
  };
}

/**
 * Does one flipped bit of a value's length explain the gap? Tried for the entry where parsing
 * failed, and for the one before it, whose length then was what led astray.
 */
export function explainLength(
  spec: FlatSpec,
  view: DataView,
  found: Resync,
  starts: readonly number[],
  count: number,
  scratch: EntryBlock,
): { from: number; diagnosis?: string } {
  const tries: number[] = [found.from];
  if (found.before > 0 && found.before <= count) tries.push(starts[found.before - 1]!);
  for (const p of tries) {
    if (p < 0 || p >= found.to) continue;
    const end = spec.entry(view, p, view.byteLength, scratch, 0);
    const valueAt = end < 0 ? -1 : scratch.valueStart[0]!;
    if (valueAt < 4) continue;
    const stored = view.getUint32(valueAt - 4);
    const right = found.to - valueAt;
    const difference = stored ^ right;
    if (right < 0 || difference === 0 || (difference & (difference - 1)) !== 0) continue;
    const bit = 31 - Math.clz32(difference);
    const diagnosis = `one bit of value_length explains it: ${stored} stands for ${right} (bit ${bit})`;
    return { from: p, diagnosis };
  }
  return { from: found.from };
}
