import { Random } from '../../shared/random.ts';
import type { CrashChoice } from './image.ts';
import type { Fate, PendingOperation } from './operations.ts';
import { randomTear, tearsOf } from './tears.ts';

/**
 * Which of the pending operations a crash can lose:
 *   ordered      it keeps those up to one, which may be torn: a disk that never reorders
 *   per-file     so for each file and each directory, whatever becomes of the others
 *   adversarial  any of them, any sectors of each, lengths without data: as POSIX allows
 * The first is contained in the second, and that in the third. Order is kept among what waits: in
 * all three a sync persists its own file's or directory's operations, ahead of earlier ones of
 * others.
 */
export const PROFILES = ['ordered', 'per-file', 'adversarial'] as const;
export type Profile = (typeof PROFILES)[number];

export interface ChoiceLimits {
  /** Up to so many pending operations, every combination is tried. */
  readonly exhaustiveOperations: number;
  /** Choices made at random besides. */
  readonly samples: number;
  /** Of each systematic kind (prefixes, each alone, …), where not every combination is tried. */
  readonly perKind: number;
}

/** Pending operations that keep their order among each other, as indices in order of issue. */
type Lane = readonly number[];

/** The crashes to try, the most telling first; some may come to the same. Endless they are not. */
export function* crashChoices(
  pending: readonly PendingOperation[],
  profile: Profile,
  seed: number,
  limits: ChoiceLimits,
): Generator<CrashChoice> {
  const random = new Random(seed);
  for (const fates of fateChoices(pending, profile, random, limits)) {
    const choice = { fates, seed: random.uint32() };
    yield { ...choice, fill: 'zeros' };
    if (mayLeaveHoles(pending, fates)) yield { ...choice, fill: 'garbage' };
  }
}

/** Whether a file may gain sectors that were not written: only those differ by what fills them. */
function mayLeaveHoles(pending: readonly PendingOperation[], fates: readonly Fate[]): boolean {
  const lengthened = new Set<number>();
  for (const [at, { kind, node }] of pending.entries()) {
    if (kind === 'write' && fates[at] !== 'dropped') lengthened.add(node);
  }
  return pending.some(
    ({ kind, node }, at) => kind === 'write' && fates[at] !== 'kept' && lengthened.has(node),
  );
}

function* fateChoices(
  pending: readonly PendingOperation[],
  profile: Profile,
  random: Random,
  limits: ChoiceLimits,
): Generator<Fate[]> {
  const count = pending.length;
  yield pending.map(() => 'dropped');
  if (count === 0) return;
  yield pending.map(() => 'kept');
  const lanes = lanesOf(pending, profile);
  const exhaustive = count <= limits.exhaustiveOperations;
  const perKind = exhaustive ? Number.POSITIVE_INFINITY : limits.perKind;
  yield* prefixes(pending, perKind);
  if (profile !== 'ordered') {
    for (const lane of spread(lanes, perKind)) {
      yield pending.map((_, at) => (lane.includes(at) ? 'kept' : 'dropped'));
      yield pending.map((_, at) => (lane.includes(at) ? 'dropped' : 'kept'));
    }
  }
  yield* torn(pending, lanes, profile, perKind);
  if (exhaustive && profile !== 'ordered') yield* combinations(count, lanes);
  for (let sample = 0; sample < limits.samples; sample++) {
    yield randomFates(pending, lanes, profile, random);
  }
}

/** An adversary keeps no order at all: every operation is a lane of its own. */
function lanesOf(pending: readonly PendingOperation[], profile: Profile): Lane[] {
  if (profile === 'adversarial') return pending.map((_, at) => [at]);
  if (profile === 'ordered') return [pending.map((_, at) => at)];
  const lanes = new Map<number, number[]>();
  for (const [at, { node }] of pending.entries()) {
    const lane = lanes.get(node);
    if (lane === undefined) lanes.set(node, [at]);
    else lane.push(at);
  }
  return [...lanes.values()];
}

/** A disk that keeps order makes a move between directories one step. */
function* prefixes(pending: readonly PendingOperation[], most: number): Generator<Fate[]> {
  const cuts = pending.flatMap(({ sequence }, at) =>
    at > 0 && pending[at - 1]!.sequence !== sequence ? [at] : [],
  );
  for (const cut of spread(cuts, most)) {
    yield pending.map((_, at) => (at < cut ? 'kept' : 'dropped'));
  }
}

/**
 * Each write torn: once with nothing issued after it, and, where order allows, with all the rest.
 */
function* torn(
  pending: readonly PendingOperation[],
  lanes: readonly Lane[],
  profile: Profile,
  most: number,
): Generator<Fate[]> {
  const writes = pending.flatMap(({ kind }, at) => (kind === 'write' ? [at] : []));
  for (const at of spread(writes, most)) {
    const lane = lanes.find((indices) => indices.includes(at))!;
    const later = new Set(lane.filter((index) => index > at));
    for (const tear of tearsOf(pending[at]!, profile !== 'adversarial')) {
      yield pending.map((_, index) => (index < at ? 'kept' : index === at ? tear : 'dropped'));
      if (profile === 'ordered') continue;
      yield pending.map((_, index) => {
        if (index === at) return tear;
        return later.has(index) ? 'dropped' : 'kept';
      });
    }
  }
}

/**
 * Every combination of how much of each lane is kept, scattered, so that a limit cuts no one kind.
 */
function* combinations(count: number, lanes: readonly Lane[]): Generator<Fate[]> {
  const total = lanes.reduce((product, lane) => product * (lane.length + 1), 1);
  // Multiplying by a number that shares no factor with the total visits each combination once.
  let step = Math.max(1, Math.floor(total * 0.618));
  while (greatestCommonDivisor(step, total) !== 1) step++;
  for (let index = 0; index < total; index++) {
    let rest = (index * step) % total;
    const fates = new Array<Fate>(count).fill('dropped');
    for (const lane of lanes) {
      const keep = rest % (lane.length + 1);
      rest = (rest - keep) / (lane.length + 1);
      for (let at = 0; at < keep; at++) fates[lane[at]!] = 'kept';
    }
    yield fates;
  }
}

function randomFates(
  pending: readonly PendingOperation[],
  lanes: readonly Lane[],
  profile: Profile,
  random: Random,
): Fate[] {
  const fates = new Array<Fate>(pending.length).fill('dropped');
  for (const lane of lanes) {
    let keep = random.below(lane.length + 1);
    while (profile === 'ordered' && splitsMove(pending, keep)) keep++;
    for (let at = 0; at < keep; at++) fates[lane[at]!] = 'kept';
    const next = lane[keep];
    if (next === undefined || random.below(2) === 0) continue;
    fates[next] = randomTear(pending[next]!, profile !== 'adversarial', random) ?? 'dropped';
  }
  return fates;
}

function splitsMove(pending: readonly PendingOperation[], cut: number): boolean {
  return pending[cut] !== undefined && pending[cut]?.sequence === pending[cut - 1]?.sequence;
}

/** At most `most` of them, evenly, with the first and the last. */
export function spread<Item>(items: readonly Item[], most: number): readonly Item[] {
  if (items.length <= most) return items;
  if (most <= 1) return items.slice(-Math.max(0, most));
  return Array.from(
    { length: most },
    (_, at) => items[Math.floor((at * (items.length - 1)) / (most - 1))]!,
  );
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
