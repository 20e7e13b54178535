/**
 * Compatibility of schemas over time, as registries name it: whether readers of one schema can read
 * all that writers of another can have written.
 * https://docs.confluent.io/platform/current/schema-registry/fundamentals/schema-evolution.html
 */
import type { AvroType } from '../schema/model.ts';
import type { Problem } from './plan.ts';
import { resolve } from './resolve.ts';

export const COMPATIBILITY_LEVELS = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const;
export type CompatibilityLevel = (typeof COMPATIBILITY_LEVELS)[number];

export interface Incompatibility extends Problem {
  /** `backward`: the new schema cannot read old data; `forward`: the old one cannot read new. */
  direction: 'backward' | 'forward';
  /** Which of the older schemas: its place in the list, from 0. */
  against: number;
}

/** Problems of `fresh` against `older`, which are in the order in which they were registered. */
export function incompatibilities(
  fresh: AvroType,
  older: readonly AvroType[],
  level: CompatibilityLevel,
): Incompatibility[] {
  const from = level.endsWith('_TRANSITIVE') ? 0 : Math.max(0, older.length - 1);
  const backward = level.startsWith('BACKWARD') || level.startsWith('FULL');
  const forward = level.startsWith('FORWARD') || level.startsWith('FULL');
  const found: Incompatibility[] = [];
  for (let against = from; against < older.length; against++) {
    const old = older[against]!;
    const add = (direction: 'backward' | 'forward', problems: Problem[]) => {
      found.push(...problems.map((problem) => ({ ...problem, direction, against })));
    };
    if (backward) add('backward', resolve(old, fresh).problems);
    if (forward) add('forward', resolve(fresh, old).problems);
  }
  return found;
}
