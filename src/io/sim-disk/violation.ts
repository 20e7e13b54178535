import type { Profile } from './choices.ts';
import type { Crash, CrashPlace, ExploreReport, Violation } from './explore-types.ts';
import { type CrashChoice, type DiskImage, pendingOperations, powerLoss } from './image.ts';
import { describePending, type Fate } from './operations.ts';
import type { Moment } from './recording.ts';

/** Operations that a shorter description is looked for among, each at the price of a check. */
const SHRINK_OPERATIONS_MAX = 64;

/** The disk after the crash. */
export function crashed(image: DiskImage, crash: Crash): DiskImage {
  if (crash !== 'process killed') return powerLoss(image, crash);
  return { ...image, boot: image.boot + 1 };
}

/**
 * The same violation with fewer operations lost, as far as giving them back one at a time leads:
 * what remains is what recovery cannot do without. Only for a disk that keeps no order, where that
 * is a crash as well.
 */
export async function shrink(
  image: DiskImage,
  choice: CrashChoice,
  fails: (image: DiskImage) => Promise<boolean>,
): Promise<CrashChoice> {
  let smallest = choice;
  let tries = 0;
  for (const [index, fate] of choice.fates.entries()) {
    if (fate === 'kept' || ++tries > SHRINK_OPERATIONS_MAX) continue;
    const fates = smallest.fates.with(index, 'kept');
    if (await fails(powerLoss(image, { ...smallest, fates }))) smallest = { ...smallest, fates };
  }
  return smallest;
}

/** A moment of a run, by its index among them, and the crash that befell it. */
export interface CrashAt {
  readonly index: number;
  readonly moment: Moment;
  readonly crash: Crash;
}

function placeOf({ index: point, moment, crash }: CrashAt): CrashPlace {
  const pending = pendingOperations(moment.image).map((operation, index) => {
    const fate = crash === 'process killed' ? 'pending' : fateName(crash.fates[index] ?? 'dropped');
    return `${fate.padEnd(7)} ${describePending(operation)}`;
  });
  return { point, operation: moment.operation, crash, pending };
}

function fateName(fate: Fate): string {
  if (typeof fate === 'string') return fate;
  const kept = fate.kept.map((sector) => (sector ? '#' : '.')).join('');
  return `torn ${kept.length > 32 ? `${kept.slice(0, 32)}…` : kept} reach ${fate.reach}`;
}

export function violationOf(
  profile: Profile,
  seed: number,
  messages: readonly string[],
  first: CrashAt,
  second?: CrashAt,
): Violation {
  const at = placeOf(first);
  const during = second && placeOf(second);
  const lines = [...messages, ...describePlace('crash', at)];
  if (during !== undefined) lines.push(...describePlace('second crash, in recovery,', during));
  lines.push(`profile ${profile}, seed ${seed}`);
  return {
    profile,
    seed,
    at,
    ...(during === undefined ? {} : { during }),
    messages,
    description: lines.join('\n'),
  };
}

function describePlace(what: string, place: CrashPlace): string[] {
  const { crash, operation, point, pending } = place;
  const how =
    crash === 'process killed' ? 'of the process alone' : `with ${crash.fill} in unwritten sectors`;
  return [`${what} at point ${point}, ${operation}, ${how}`, ...pending.map((line) => `  ${line}`)];
}

/** One line of numbers, and every violation. */
export function formatReport(report: ExploreReport): string {
  const { profile, seed, operations, points, states, recoveryStates, duplicates } = report;
  const head =
    `${profile}, seed ${seed}: ${operations} I/Os, ${points} crash points, ${states} states, ` +
    `${recoveryStates} in recovery, ${duplicates} duplicates, ` +
    `${report.complete ? 'complete' : 'cut short by a limit'}, ` +
    `${report.violations.length} violations`;
  return [head, ...report.violations.map(({ description }) => description)].join('\n\n');
}
