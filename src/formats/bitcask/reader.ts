/**
 * Reads the data files of a store as one stream, in order of their numbers. What a file alone
 * cannot know is decided here: damage at its end is a torn tail unless a whole hint file tells of a
 * record there. A later file decides nothing: a store that restarts after a crash goes on in a new
 * one.
 */

import { type Anchors, readAnchors } from './anchors.ts';
import { type DataFile, storeFiles } from './files.ts';
import type { BitcaskDamage, BitcaskOpened, BitcaskScanContext, BitcaskVisitor } from './model.ts';

export interface StoreVisitor extends BitcaskVisitor {
  /** A data file begins; `index` counts data files. */
  file?(file: DataFile, index: number): void;
  /** Its records and damage are all told. */
  fileEnd?(file: DataFile, index: number): void | Promise<void>;
}

export async function scanStore(
  input: BitcaskOpened,
  context: BitcaskScanContext,
  visitor: StoreVisitor,
): Promise<void> {
  const carry = context.carry ?? new Map<string, unknown>();
  let seen = false;
  for (const [index, file] of storeFiles(input).data.entries()) {
    if (visitor.done?.()) return;
    visitor.file?.(file, index);
    const known = await readAnchors(input, file, context);
    let tail: BitcaskDamage | undefined;
    const source = input.set.open(file.name);
    try {
      const from = index === 0 ? context.from : undefined;
      await input.dialect.scan(
        source,
        { ...context, from, carry, anchors: known?.offsets },
        {
          record(record) {
            seen = true;
            visitor.record(record);
          },
          damage(damage) {
            if (damage.tail) tail = damage;
            else visitor.damage(damage);
          },
          ...(visitor.done && { done: () => visitor.done!() }),
        },
      );
    } finally {
      source.close?.();
    }
    if (tail) visitor.damage(decideTail(tail, known, seen));
    await visitor.fileEnd?.(file, index);
  }
}

/** A torn tail, or a hole: a hint file is made when nothing more is written to the data file. */
function decideTail(
  damage: BitcaskDamage,
  known: Anchors | undefined,
  seen: boolean,
): BitcaskDamage {
  const proof = known?.whole ? known.offsets.find((offset) => offset >= damage.offset) : undefined;
  if (proof !== undefined) {
    const code = damage.code === 'torn-tail' ? 'bad-length' : damage.code;
    const evidence = `${known!.file} tells of a record at ${proof}: it was there once, this is no torn tail`;
    return { ...damage, code, severity: 'error', evidence, tail: false };
  }
  if (!seen && damage.begun === false) {
    const evidence = 'no intact record before it: is it of this dialect?';
    return { ...damage, code: 'bad-length', severity: 'error', evidence, tail: false };
  }
  const message =
    damage.code === 'torn-tail' ? damage.message : `${damage.code}: ${damage.message}`;
  const evidence = damage.evidence ?? 'nothing intact follows in this file';
  return {
    ...damage,
    code: 'torn-tail',
    severity: 'warning',
    message,
    evidence: `${evidence}; after a crash a store goes on in a new one`,
  };
}
