import { Checker, type Recovery } from './checker.ts';
import { type ChoiceLimits, crashChoices, type Profile, spread } from './choices.ts';
import {
  type Crash,
  DEFAULT_EXPLORE_LIMITS,
  type ExploreLimits,
  type ExploreOptions,
  type ExploreReport,
  type HistoryEvent,
  type Violation,
} from './explore-types.ts';
import { type DiskImage, fingerprint, pendingOperations } from './image.ts';
import type { Moment } from './recording.ts';
import { type CrashAt, crashed, shrink, violationOf } from './violation.ts';

/** During recovery a few crashes at each I/O do: it is short, and runs for every crashed disk. */
const RECOVERY_CHOICES: ChoiceLimits = { exhaustiveOperations: 3, samples: 2, perKind: 2 };
const RECOVERY_STATES_PER_POINT = 8;

/**
 * Runs a workload once and crashes it before and after every single I/O, in every way that the
 * profile allows up to the limits; checks each disk that comes of it, crashes the recovery as well,
 * and checks again. Nothing depends on time: the same options give the same report. Rejects with
 * what the workload throws.
 *
 *   const report = await explore({
 *     disk: { root: '/db' },
 *     workload: async (disk, log) => {
 *       const store = await Store.open(disk, '/db');
 *       log.append({ kind: 'issued', value: 'k' });
 *       await store.put('k');
 *       log.append({ kind: 'acknowledged', value: 'k' });
 *     },
 *     check: async (disk, { events }) => {
 *       const store = await Store.open(disk, '/db');
 *       return violationsOf(store, events);
 *     },
 *   });
 *   expect(report.violations).toEqual([]);
 *
 * A check that has to write, to see whether the store still can, does so on
 * SimDisk.from(disk.snapshot()). To try failing calls as well, explore once for each, with
 * `faults: [failing('sync', n)]` for the disk.
 */
export async function explore<Event = HistoryEvent>(
  options: ExploreOptions<Event>,
): Promise<ExploreReport> {
  return new Explorer(options).run();
}

/** A moment at which the workload is crashed, and what of the limits is left for it. */
interface Point<Event> {
  readonly index: number;
  readonly moment: Moment;
  readonly events: readonly Event[];
  readonly statesBefore: number;
  recoveryStatesLeft: number;
}

class Explorer<Event> {
  readonly #checker: Checker<Event>;
  readonly #options: ExploreOptions<Event>;
  readonly #limits: ExploreLimits;
  readonly #profile: Profile;
  readonly #seed: number;
  /** Disks that were checked, and those of them whose recovery was crashed too. */
  readonly #checked = new Set<string>();
  readonly #expanded = new Set<string>();
  readonly #violations: Violation[] = [];
  #states = 0;
  #recoveryStates = 0;
  #duplicates = 0;
  #complete = true;

  constructor(options: ExploreOptions<Event>) {
    this.#checker = new Checker(options);
    this.#options = options;
    this.#limits = { ...DEFAULT_EXPLORE_LIMITS, ...options.limits };
    this.#profile = options.profile ?? 'adversarial';
    this.#seed = options.seed ?? 1;
  }

  async run(): Promise<ExploreReport> {
    const { operations, moments, events } = await this.#checker.workload();
    const { maxStates, maxStatesPerPoint, maxRecoveryStates, maxViolations } = this.#limits;
    for (const [index, moment] of moments.entries()) {
      const pointsLeft = moments.length - index;
      const share = (states: number) => Math.ceil(states / pointsLeft);
      const point: Point<Event> = {
        index,
        moment,
        events: events.slice(0, moment.eventCount),
        statesBefore: this.#states,
        recoveryStatesLeft: share(maxRecoveryStates - this.#recoveryStates),
      };
      await this.#crashAt(point, Math.min(share(maxStates - this.#states), maxStatesPerPoint));
      if (this.#violations.length >= maxViolations) {
        this.#complete = false;
        break;
      }
    }
    return {
      profile: this.#profile,
      seed: this.#seed,
      operations,
      points: moments.length,
      states: this.#states,
      recoveryStates: this.#recoveryStates,
      duplicates: this.#duplicates,
      complete: this.#complete,
      violations: this.#violations,
    };
  }

  async #crashAt(point: Point<Event>, statesMax: number): Promise<void> {
    const { index, moment } = point;
    const pending = pendingOperations(moment.image);
    const { exhaustiveOperations, perKind } = this.#limits;
    const sampled = this.#profile !== 'ordered' || pending.length > perKind;
    if (pending.length > exhaustiveOperations && sampled) this.#complete = false;
    const room = () => this.#states - point.statesBefore < statesMax;
    const seed = Math.imul(this.#seed, 0x9e3779b1) + index;
    for (const crash of crashChoices(pending, this.#profile, seed, this.#limits)) {
      if (!(await this.#tryCrash(point, crash, room()))) break;
    }
    // With nothing pending, the death of the process leaves what a crash does. It comes last, so
    // that what a single crash can do wrong is not reported as two.
    if (this.#options.processKill === false || pending.length === 0) return;
    await this.#tryCrash(point, 'process killed', this.#states < this.#limits.maxStates);
  }

  /** Returns whether to go on at this point. */
  async #tryCrash(point: Point<Event>, crash: Crash, room: boolean): Promise<boolean> {
    const image = crashed(point.moment.image, crash);
    const key = this.#keyOf(image, point, crash);
    if (this.#expanded.has(key)) {
      this.#duplicates++;
      return true;
    }
    if (!room || this.#violations.length >= this.#limits.maxViolations) {
      this.#complete = false;
      return false;
    }
    this.#expanded.add(key);
    this.#states++;
    await this.#visit(point, crash, image);
    return true;
  }

  /**
   * Of a killed process, what is still pending counts as well: it is another disk at every point.
   */
  #keyOf(image: DiskImage, point: Point<Event>, crash: Crash): string {
    const cache = crash === 'process killed' ? ` killed at ${point.index}` : '';
    return `${fingerprint(image)} ${point.events.length}${cache}`;
  }

  async #visit(point: Point<Event>, crash: Crash, image: DiskImage): Promise<void> {
    const { index, moment, events } = point;
    const recovery = await this.#checker.recover(image, events);
    if (recovery.messages.length > 0) {
      await this.#report(recovery.messages, { index, moment, crash }, events);
      return;
    }
    const messages = await this.#checker.recoverAgain(recovery);
    if (messages.length > 0) this.#add(messages, { index, moment, crash });
    else await this.#crashRecovery(point, { index, moment, crash }, recovery);
  }

  async #crashRecovery(
    point: Point<Event>,
    first: CrashAt,
    recovery: Recovery<Event>,
  ): Promise<void> {
    // Early states are the most telling: each may have a part of what is left, so that some always
    // is.
    const share = Math.ceil(point.recoveryStatesLeft / 8);
    let left = Math.min(this.#limits.maxRecoveryStatesPerState, share);
    const moments = spread([...recovery.moments.entries()], left);
    for (const [at, [index, moment]] of moments.entries()) {
      const statesMax = Math.ceil(left / (moments.length - at));
      const states = await this.#crashRecoveryAt(index, moment, first, recovery, statesMax);
      left -= states;
      point.recoveryStatesLeft -= states;
    }
  }

  /** Returns how many disks were checked. */
  async #crashRecoveryAt(
    index: number,
    moment: Moment,
    first: CrashAt,
    recovery: Recovery<Event>,
    statesMax: number,
  ): Promise<number> {
    const pending = pendingOperations(moment.image);
    const events = recovery.events.slice(0, moment.eventCount);
    const promised = events.length > recovery.earlierCount ? ` of ${this.#states}` : '';
    let states = 0;
    for (const crash of crashChoices(pending, this.#profile, this.#seed, RECOVERY_CHOICES)) {
      if (this.#violations.length >= this.#limits.maxViolations) break;
      if (states >= Math.min(statesMax, RECOVERY_STATES_PER_POINT)) break;
      const image = crashed(moment.image, crash);
      const key = `${fingerprint(image)} ${events.length}${promised}`;
      if (this.#checked.has(key) || this.#expanded.has(key)) {
        this.#duplicates++;
        continue;
      }
      this.#checked.add(key);
      states++;
      this.#recoveryStates++;
      const { messages } = await this.#checker.recover(image, events);
      if (messages.length > 0) {
        await this.#report(messages, { index, moment, crash }, events, first);
      }
    }
    return states;
  }

  /** Looks for a simpler crash at the same place first. */
  async #report(
    messages: readonly string[],
    last: CrashAt,
    events: readonly Event[],
    first?: CrashAt,
  ): Promise<void> {
    const { image } = last.moment;
    let { crash } = last;
    if (this.#profile === 'adversarial' && crash !== 'process killed') {
      crash = await shrink(image, crash, (smaller) => this.#checker.fails(smaller, events));
      ({ messages } = await this.#checker.recover(crashed(image, crash), events));
    }
    const simplest = { ...last, crash };
    if (first === undefined) this.#add(messages, simplest);
    else this.#add(messages, first, simplest);
  }

  #add(messages: readonly string[], at: CrashAt, during?: CrashAt): void {
    this.#violations.push(violationOf(this.#profile, this.#seed, messages, at, during));
  }
}
