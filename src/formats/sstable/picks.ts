/**
 * Which tables a compaction takes, and why. Size-tiered: files of about the same size are a tier,
 * and
 * a tier of four is merged. Leveled: level 0 is merged when it has four files; level L may hold
 * 10 MiB times 10 to the L - 1; of a level that holds more, the file with the least overlap below.
 */
import { compareBytes } from './entry-block.ts';

export interface TableFacts {
  name: string;
  bytes: number;
  /** First and last key; undefined for a table without entries. */
  first: Uint8Array | undefined;
  last: Uint8Array | undefined;
  level: number;
}

export interface Pick {
  /** Indices of the tables that are merged; empty: nothing is to be done. */
  tables: number[];
  why: string;
  /** The level that the result belongs to. */
  level: number;
}

export const TIER_FILES_MIN = 4;
export const LEVEL_0_FILES_MIN = 4;
const LEVEL_1_BYTES = 10 * 1024 * 1024;
const LEVEL_FACTOR = 10;
export const LEVELS = 7;
/** A file belongs to a tier when its size is between half and one and a half of the tier's mean. */
const TIER_LOW = 0.5;
const TIER_HIGH = 1.5;

export function pickAll(tables: readonly TableFacts[]): Pick {
  return { tables: tables.map((_, i) => i), why: 'all that were given', level: 0 };
}

export function pickSizeTiered(tables: readonly TableFacts[]): Pick {
  const bySize = tables.map((_, i) => i).sort((a, b) => tables[a]!.bytes - tables[b]!.bytes);
  let tier: number[] = [];
  let sum = 0;
  const tiers: number[][] = [];
  for (const i of bySize) {
    const { bytes } = tables[i]!;
    const mean = sum / Math.max(1, tier.length);
    if (tier.length > 0 && (bytes < mean * TIER_LOW || bytes > mean * TIER_HIGH)) {
      tiers.push(tier);
      tier = [];
      sum = 0;
    }
    tier.push(i);
    sum += bytes;
  }
  if (tier.length > 0) tiers.push(tier);
  const full = tiers.find((one) => one.length >= TIER_FILES_MIN);
  const sizes = tiers.map(
    (one) => `${one.length} of about ${Math.round(meanOf(tables, one))} bytes`,
  );
  if (!full) {
    const why = `no tier has ${TIER_FILES_MIN} files: ${sizes.join(', ')}`;
    return { tables: [], why, level: 0 };
  }
  const why = `a tier of ${full.length} files of about ${Math.round(meanOf(tables, full))} bytes`;
  return { tables: full.sort((a, b) => a - b), why, level: 0 };
}

function meanOf(tables: readonly TableFacts[], tier: readonly number[]): number {
  return tier.reduce((sum, i) => sum + tables[i]!.bytes, 0) / tier.length;
}

export function levelBytesMax(level: number): number {
  return LEVEL_1_BYTES * LEVEL_FACTOR ** (level - 1);
}

export function pickLeveled(tables: readonly TableFacts[]): Pick {
  const of = (level: number) => tables.flatMap((one, i) => (one.level === level ? [i] : []));
  const zero = of(0);
  if (zero.length >= LEVEL_0_FILES_MIN) {
    const below = of(1).filter((i) => zero.some((j) => overlaps(tables[i]!, tables[j]!)));
    const why = `level 0 has ${zero.length} files, ${LEVEL_0_FILES_MIN} are enough; ${below.length} of level 1 overlap`;
    return { tables: [...zero, ...below].sort((a, b) => a - b), why, level: 1 };
  }
  for (let level = 1; level < LEVELS - 1; level++) {
    const here = of(level);
    const bytes = here.reduce((sum, i) => sum + tables[i]!.bytes, 0);
    if (bytes <= levelBytesMax(level)) continue;
    const below = of(level + 1);
    const overlap = (i: number) => below.filter((j) => overlaps(tables[i]!, tables[j]!));
    const cost = (i: number) =>
      overlap(i).reduce((sum, j) => sum + tables[j]!.bytes, 0) / Math.max(1, tables[i]!.bytes);
    const best = here.reduce((a, b) => (cost(b) < cost(a) ? b : a));
    const with_ = overlap(best);
    const why = `level ${level} has ${bytes} bytes, it may have ${levelBytesMax(level)}; ${tables[best]!.name} has the least overlap below (${with_.length} files)`;
    return { tables: [best, ...with_].sort((a, b) => a - b), why, level: level + 1 };
  }
  const why = `level 0 has ${zero.length} files of ${LEVEL_0_FILES_MIN}, and no level is over its size`;
  return { tables: [], why, level: 0 };
}

/** Whether two tables have keys in the same interval. */
export function overlaps(a: TableFacts, b: TableFacts): boolean {
  if (!a.first || !a.last || !b.first || !b.last) return false;
  return before(a.first, b.last) && before(b.first, a.last);
}

/** Whether a key lies between the first and the last key of a table. */
export function holdsKey({ first, last }: TableFacts, key: Uint8Array): boolean {
  return first !== undefined && last !== undefined && before(first, key) && before(key, last);
}

function before(a: Uint8Array, b: Uint8Array): boolean {
  return compareBytes(a, 0, a.length, b, 0, b.length) <= 0;
}
