/**
 * Compares two sequences of operations in step. Where they part, a window on both is searched for
 * the place where they meet again; the window grows up to a limit, so memory is bounded and a
 * stretch that one side lacks is told as such as long as it fits in the window.
 */
import { contentOf, keyOf, type Operation } from './operation.ts';

export type DifferenceKind = 'changed' | 'moved' | 'only-in-a' | 'only-in-b';

/** Something that the two stores do not agree on. */
export interface Difference {
  kind: DifferenceKind;
  a?: Operation;
  b?: Operation;
}

export interface DiffCounts {
  same: number;
  changed: number;
  /** The same operation, at another place in the order. */
  moved: number;
  onlyInA: number;
  onlyInB: number;
}

export function noCounts(): DiffCounts {
  return { same: 0, changed: 0, moved: 0, onlyInA: 0, onlyInB: 0 };
}

export function isEqual({ changed, moved, onlyInA, onlyInB }: DiffCounts): boolean {
  return changed + moved + onlyInA + onlyInB === 0;
}

const COUNT_NAMES = {
  changed: 'changed',
  moved: 'moved',
  'only-in-a': 'onlyInA',
  'only-in-b': 'onlyInB',
} as const;

/** Counts a difference and passes it on. */
export function tell(
  counts: DiffCounts,
  onDifference: (difference: Difference) => void,
  difference: Difference,
): void {
  counts[COUNT_NAMES[difference.kind]]++;
  onDifference(difference);
}

/** A sequence that can be looked into: see OperationStream. */
export interface Pullable {
  readonly available: number;
  need(count: number): Promise<number>;
  peek(index: number): Operation;
  take(count: number): void;
}

const WINDOW_START = 64;
export const WINDOW_MAX = 16_384;
const WINDOW_GROWTH = 4;

/** So many equal operations in a row are taken for a place where the sequences meet again. */
const MEETING_RUN = 2;

export async function compareSequences(
  a: Pullable,
  b: Pullable,
  withSeq: boolean,
  onDifference: (difference: Difference) => void,
): Promise<DiffCounts> {
  const counts = noCounts();
  const content = (operation: Operation): string => contentOf(operation, withSeq);
  for (;;) {
    await Promise.all([a.need(1), b.need(1)]);
    const pairs = Math.min(a.available, b.available);
    let same = 0;
    while (same < pairs && content(a.peek(same)) === content(b.peek(same))) same++;
    counts.same += same;
    a.take(same);
    b.take(same);
    if (same > 0) continue;
    if (a.available === 0 && b.available === 0) return counts;
    const meeting = await findMeeting(a, b, content);
    tellBlock(block(a, meeting.a), block(b, meeting.b), content, (difference) =>
      tell(counts, onDifference, difference),
    );
  }
}

/** How many operations of each side come before the place where they meet again. */
async function findMeeting(
  a: Pullable,
  b: Pullable,
  content: (operation: Operation) => string,
): Promise<{ a: number; b: number }> {
  for (let window = WINDOW_START; ; window *= WINDOW_GROWTH) {
    const [hasA, hasB] = await Promise.all([a.need(window), b.need(window)]);
    const sizeA = Math.min(hasA, window);
    const sizeB = Math.min(hasB, window);
    const contentsA = Array.from({ length: sizeA }, (_, i) => content(a.peek(i)));
    const contentsB = Array.from({ length: sizeB }, (_, i) => content(b.peek(i)));
    const found = nearestRun(contentsA, contentsB);
    if (found) return found;
    // Both end inside the window, or it is as large as it gets: nothing of it is the same.
    const ended = hasA < window && hasB < window;
    if (ended) return { a: sizeA, b: sizeB };
    if (window >= WINDOW_MAX) return catchUp(a, sizeA, b, sizeB);
  }
}

/**
 * Too much is different to find a meeting by content. If one side has lost a segment, sequence
 * numbers say which of the two has to catch up, and how far.
 */
function catchUp(a: Pullable, sizeA: number, b: Pullable, sizeB: number): { a: number; b: number } {
  const seqA = sizeA > 0 ? a.peek(0).seq : undefined;
  const seqB = sizeB > 0 ? b.peek(0).seq : undefined;
  if (seqA === undefined || seqB === undefined || seqA === seqB) return { a: sizeA, b: sizeB };
  return isBefore(seqA, seqB)
    ? { a: countBefore(a, sizeA, seqB), b: 0 }
    : { a: 0, b: countBefore(b, sizeB, seqA) };
}

function countBefore(from: Pullable, most: number, seq: string): number {
  let count = 0;
  while (count < most && isBefore(from.peek(count).seq ?? '', seq)) count++;
  return count;
}

/** Of decimal digits without leading zeros. */
function isBefore(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}

/** Indices, with the smallest sum, from which the two go on alike. */
function nearestRun(
  a: readonly string[],
  b: readonly string[],
): { a: number; b: number } | undefined {
  const placesInB = new Map<string, number[]>();
  for (const [index, text] of b.entries()) {
    const places = placesInB.get(text);
    if (places) places.push(index);
    else placesInB.set(text, [index]);
  }
  let best: { a: number; b: number } | undefined;
  for (let i = 0; i < a.length; i++) {
    const most = best ? best.a + best.b - i : Number.POSITIVE_INFINITY;
    if (most <= 0) break;
    let tries = PLACES_TRIED_MAX;
    for (const j of placesInB.get(a[i]!) ?? []) {
      if (j >= most || tries-- === 0) break;
      if (!runs(a, i, b, j)) continue;
      best = { a: i, b: j };
      break;
    }
  }
  return best;
}

/** A log that writes one thing over and over must not make the search quadratic. */
const PLACES_TRIED_MAX = 16;

function runs(a: readonly string[], i: number, b: readonly string[], j: number): boolean {
  for (let k = 1; k < MEETING_RUN; k++) {
    const more = i + k < a.length && j + k < b.length;
    if (more && a[i + k] !== b[j + k]) return false;
    // At the end of one window alone, one equal operation is no proof, but all there is.
    if (!more) return true;
  }
  return true;
}

function block(from: Pullable, count: number): Operation[] {
  const operations = Array.from({ length: count }, (_, i) => from.peek(i));
  from.take(count);
  return operations;
}

/**
 * Two stretches that stand in each other's place: what has the same key is the same thing,
 * changed.
 */
function tellBlock(
  a: readonly Operation[],
  b: readonly Operation[],
  content: (operation: Operation) => string,
  onDifference: (difference: Difference) => void,
): void {
  const byKey = new Map<string, Operation[]>();
  for (const operation of b) {
    const key = keyOf(operation);
    const same = byKey.get(key);
    if (same) same.push(operation);
    else byKey.set(key, [operation]);
  }
  // Taken from the end: cheaper than from the front.
  for (const same of byKey.values()) same.reverse();
  const paired = new Set<Operation>();
  for (const operation of a) {
    const other = byKey.get(keyOf(operation))?.pop();
    if (!other) {
      onDifference({ kind: 'only-in-a', a: operation });
      continue;
    }
    paired.add(other);
    const kind = content(operation) === content(other) ? 'moved' : 'changed';
    onDifference({ kind, a: operation, b: other });
  }
  for (const operation of b) {
    if (!paired.has(operation)) onDifference({ kind: 'only-in-b', b: operation });
  }
}
