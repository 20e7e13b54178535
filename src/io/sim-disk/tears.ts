import type { Random } from '../../shared/random.ts';
import { SECTOR_BYTES } from './content.ts';
import { type PendingOperation, sectorCount, type TornWrite } from './operations.ts';

/**
 * The ways in which a crash in the middle of a write can leave it, most telling first; none for
 * what cannot tear. A write that goes to disk in order leaves its first sectors, and a file that is
 * as long as those or as long as the whole write; one that does not leaves any of them, or the
 * length alone.
 */
export function tearsOf(operation: PendingOperation, ordered: boolean): TornWrite[] {
  if (operation.kind !== 'write') return [];
  const count = sectorCount(operation);
  const end = operation.position + operation.length;
  const tears: TornWrite[] = [];
  for (const first of new Set([1, count - 1, count >> 1])) {
    if (first < 1 || first >= count) continue;
    const kept = range(count, (sector) => sector < first);
    tears.push({ kept, reach: operation.start + first * SECTOR_BYTES }, { kept, reach: end });
  }
  if (ordered) return tears;
  if (count > 1) tears.push({ kept: range(count, (at) => at === count - 1), reach: end });
  if (count > 2) tears.push({ kept: range(count, (at) => at !== count >> 1), reach: end });
  tears.push({ kept: range(count, () => false), reach: end });
  return tears;
}

/** One such way at random; undefined for what cannot tear. */
export function randomTear(
  operation: PendingOperation,
  ordered: boolean,
  random: Random,
): TornWrite | undefined {
  if (operation.kind !== 'write') return undefined;
  const count = sectorCount(operation);
  const end = operation.position + operation.length;
  if (!ordered) return { kept: range(count, () => random.below(2) === 0), reach: end };
  if (count === 1) return undefined;
  const first = 1 + random.below(count - 1);
  const kept = range(count, (sector) => sector < first);
  return { kept, reach: random.below(2) === 0 ? end : operation.start + first * SECTOR_BYTES };
}

function range<Value>(count: number, value: (index: number) => Value): Value[] {
  return Array.from({ length: count }, (_, index) => value(index));
}
