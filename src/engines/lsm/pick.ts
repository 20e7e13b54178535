/**
 * Which tables to compact next, and why. Leveled: level 0 when it has too many tables, all of them
 * at once; a level below when it holds more than its share, the table that overlaps least of the
 * next. Size-tiered: neighbours in age of about the same size, when there are enough of them; only
 * neighbours, so that the tables' numbers never interleave and the newest table with a key has its
 * newest entry.
 */
import { compareBytes } from '../../formats/sstable/entry-block.ts';

export const STRATEGIES = ['leveled', 'size-tiered'] as const;
export type CompactionStrategy = (typeof STRATEGIES)[number];

/** What a pick has to know of a table. */
export interface Pickable {
  readonly entry: {
    readonly file: number;
    readonly bytes: number;
    readonly firstKey: Uint8Array;
    readonly lastKey: Uint8Array;
  };
}

export interface Pick<Table extends Pickable> {
  /** Newer ones first; those of the level that is written to last. */
  inputs: Table[];
  level: number;
  outputLevel: number;
  /** In words. */
  why: string;
}

export interface PickOptions {
  strategy: CompactionStrategy;
  levelZeroTables: number;
  levelOneBytes: number;
}

const LEVEL_FACTOR = 10;
/** Tables whose sizes differ by no more than this are of one tier. */
const TIER_FACTOR = 4;

const bytesOf = (tables: readonly Pickable[]): number =>
  tables.reduce((sum, { entry }) => sum + entry.bytes, 0);

const levelBytes = (level: number, options: { levelOneBytes: number }): number =>
  options.levelOneBytes * LEVEL_FACTOR ** (level - 1);

/** Undefined: nothing is worth it. */
export function pickCompaction<Table extends Pickable>(
  levels: readonly (readonly Table[])[],
  options: PickOptions,
): Pick<Table> | undefined {
  return options.strategy === 'leveled'
    ? pickLevel(levels, options)
    : pickTier(levels[0]!, options);
}

function pickLevel<Table extends Pickable>(
  levels: readonly (readonly Table[])[],
  options: PickOptions,
): Pick<Table> | undefined {
  const zero = levels[0]!;
  let best = { level: 0, score: zero.length / options.levelZeroTables };
  for (let level = 1; level < levels.length - 1; level++) {
    const score = bytesOf(levels[level]!) / levelBytes(level, options);
    if (score > best.score && score > 1) best = { level, score };
  }
  if (best.score < 1) return undefined;
  const { level } = best;
  if (level === 0) {
    const below = overlapping(levels[1]!, zero);
    const why = `level 0 has ${zero.length} tables, ${options.levelZeroTables} are worth a compaction`;
    return { inputs: [...zero, ...below], level: 0, outputLevel: 1, why };
  }
  const [bytes, most] = [bytesOf(levels[level]!), levelBytes(level, options)];
  const chosen = leastOverlap(levels[level]!, levels[level + 1]!);
  const below = overlapping(levels[level + 1]!, [chosen]);
  const why =
    `level ${level} holds ${bytes} bytes, its share is ${most}; table ${chosen.entry.file} overlaps ` +
    `least of level ${level + 1}: ${bytesOf(below)} bytes`;
  return { inputs: [chosen, ...below], level, outputLevel: level + 1, why };
}

/** All tables there are, onto the lowest level in use that has room for them. */
export function pickAll<Table extends Pickable>(
  levels: readonly (readonly Table[])[],
  options: PickOptions,
): Pick<Table> | undefined {
  const inputs = levels.flat();
  if (inputs.length === 0) return undefined;
  const lowest = levels.findLastIndex((level) => level.length > 0);
  let outputLevel = options.strategy === 'leveled' ? Math.max(1, lowest) : 0;
  if (outputLevel > 0) {
    const bytes = bytesOf(inputs);
    while (outputLevel < levels.length - 1 && levelBytes(outputLevel, options) < bytes) {
      outputLevel++;
    }
  }
  return { inputs, level: 0, outputLevel, why: 'asked for: all tables' };
}

/** For each byte of its own. */
function leastOverlap<Table extends Pickable>(
  tables: readonly Table[],
  below: readonly Table[],
): Table {
  let best = tables[0]!;
  let least = Number.POSITIVE_INFINITY;
  for (const table of tables) {
    const ratio = bytesOf(overlapping(below, [table])) / table.entry.bytes;
    if (ratio >= least) continue;
    least = ratio;
    best = table;
  }
  return best;
}

/** The longest run of neighbours of one tier; `tables` are in order of age. */
function pickTier<Table extends Pickable>(
  tables: readonly Table[],
  options: PickOptions,
): Pick<Table> | undefined {
  let best: Table[] = [];
  for (let from = 0; from < tables.length; from++) {
    let [least, most] = [tables[from]!.entry.bytes, tables[from]!.entry.bytes];
    let to = from + 1;
    for (; to < tables.length; to++) {
      const { bytes } = tables[to]!.entry;
      least = Math.min(least, bytes);
      most = Math.max(most, bytes);
      if (most > least * TIER_FACTOR) break;
    }
    if (to - from > best.length) best = tables.slice(from, to);
  }
  if (best.length < options.levelZeroTables) return undefined;
  const why = `${best.length} tables of one tier, ${options.levelZeroTables} are worth a compaction`;
  return { inputs: best, level: 0, outputLevel: 0, why };
}

/** Those of `tables` that share keys with the stretch from the first to the last of `others`. */
export function overlapping<Table extends Pickable>(
  tables: readonly Table[],
  others: readonly Pickable[],
): Table[] {
  if (others.length === 0) return [];
  const { first, last } = stretch(others);
  return tables.filter(({ entry }) => {
    return order(entry.firstKey, last) <= 0 && order(first, entry.lastKey) <= 0;
  });
}

function stretch(tables: readonly Pickable[]): { first: Uint8Array; last: Uint8Array } {
  let { firstKey: first, lastKey: last } = tables[0]!.entry;
  for (const { entry } of tables) {
    if (order(entry.firstKey, first) < 0) first = entry.firstKey;
    if (order(entry.lastKey, last) > 0) last = entry.lastKey;
  }
  return { first, last };
}

function order(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(a, 0, a.length, b, 0, b.length);
}
