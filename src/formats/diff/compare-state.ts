/**
 * Compares what two stores say in the end: the last value of each key. Held in memory are the keys
 * of one partition; when they are too many, there are twice as many partitions, and the stores are
 * read once for each.
 */

import { DdiaError } from '../../shared/errors.ts';
import type { Finding, ScanContext } from '../format.ts';
import { type DiffCounts, type Difference, noCounts, tell } from './compare.ts';
import { keyOf, type Operation, OperationSink } from './operation.ts';
import type { StreamInput } from './operation-stream.ts';

/** About 100 MB of short keys and values. */
const KEYS_HELD_MAX = 200_000;

/**
 * Operations that set a key, take it away, or do nothing to any. All others are not understood
 * here.
 */
const SETS = new Set(['put']);
const REMOVES = new Set(['delete', 'single-delete']);
const MARKS = new Set(['commit', 'checkpoint']);

export interface StateInput {
  input: StreamInput;
  onDamage: (finding: Finding) => void;
}

export interface StateDiff {
  counts: DiffCounts;
  /** How often the stores were read. */
  passes: number;
  /** Operations that do not fold into a state, by name. */
  unfolded: Record<string, number>;
}

interface Last {
  a: Operation | undefined;
  b: Operation | undefined;
}

export async function compareStates(
  a: StateInput,
  b: StateInput,
  context: ScanContext,
  onDifference: (difference: Difference) => void,
  keysHeldMax = KEYS_HELD_MAX,
): Promise<StateDiff> {
  const result: StateDiff = { counts: noCounts(), passes: 0, unfolded: {} };
  const work: Partition[] = [{ index: 0, of: 1 }];
  for (let partition = work.pop(); partition; partition = work.pop()) {
    // Every pass reads all: the first one tells what there is to be told of it.
    const first = result.passes++ === 0;
    const fold = new Fold(partition, keysHeldMax);
    await fold.read(a, 'a', context, first);
    await fold.read(b, 'b', context, first);
    result.unfolded = fold.unfolded;
    if (!fold.full) {
      tellPartition(fold.keys.values(), result.counts, onDifference);
      continue;
    }
    const { index, of } = partition;
    checkSplit(a, b, of, keysHeldMax);
    work.push({ index: index + of, of: 2 * of }, { index, of: 2 * of });
  }
  return result;
}

/** The keys whose hash, divided by `of`, leaves `index`. */
interface Partition {
  index: number;
  of: number;
}

const PARTITIONS_MAX = 2 ** 16;

function checkSplit(a: StateInput, b: StateInput, partitions: number, keysHeldMax: number): void {
  const stream = [a, b].find(({ input }) => input.files.some(({ size }) => size === undefined));
  if (!stream && partitions < PARTITIONS_MAX) return;
  throw new DdiaError(
    'too-many-keys',
    `more than ${keysHeldMax} keys, and ` +
      (stream ? 'standard input is read once' : 'no way to divide them'),
    stream ? 'give it as a file' : undefined,
  );
}

function tellPartition(
  keys: Iterable<Last>,
  counts: DiffCounts,
  onDifference: (difference: Difference) => void,
): void {
  for (const { a, b } of keys) {
    if (a && b) {
      if (a.value === b.value && a.extra === b.extra) counts.same++;
      else tell(counts, onDifference, { kind: 'changed', a, b });
    } else if (a) tell(counts, onDifference, { kind: 'only-in-a', a });
    else if (b) tell(counts, onDifference, { kind: 'only-in-b', b });
  }
}

class Fold {
  readonly keys = new Map<string, Last>();
  readonly unfolded: Record<string, number> = {};
  /** There are too many keys. */
  full = false;

  constructor(
    readonly partition: Partition,
    readonly keysHeldMax: number,
  ) {}

  async read(
    { input, onDamage }: StateInput,
    side: 'a' | 'b',
    context: ScanContext,
    tellDamage: boolean,
  ): Promise<void> {
    const sink = new OperationSink((operation) => this.#fold(operation, side));
    const damage = tellDamage ? onDamage : () => {};
    const { family } = input;
    if (family.content) await family.content(input, { places: true }, context, sink, damage);
    else await family.dump(input, {}, context, sink, damage);
  }

  #fold(operation: Operation, side: 'a' | 'b'): void {
    const { op } = operation;
    if (this.full || MARKS.has(op)) return;
    const sets = SETS.has(op);
    if (!sets && !REMOVES.has(op)) {
      this.unfolded[op] = (this.unfolded[op] ?? 0) + 1;
      return;
    }
    const key = keyOf(operation);
    const { index, of } = this.partition;
    if (of > 1 && hash(key) % of !== index) return;
    const last = this.keys.get(key);
    if (last) last[side] = sets ? operation : undefined;
    else if (sets) {
      if (this.keys.size >= this.keysHeldMax) this.full = true;
      else this.keys.set(key, { a: undefined, b: undefined, [side]: operation });
    }
  }
}

/** FNV-1a, finished so that its low bits are worth something. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}
