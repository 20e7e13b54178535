import type { ChoiceLimits, Profile } from './choices.ts';
import type { CrashChoice } from './image.ts';
import type { SimDisk, SimDiskOptions } from './sim-disk.ts';

/** What a workload tells of itself by default; an engine's tests may have events of their own. */
export interface HistoryEvent {
  readonly kind: 'issued' | 'acknowledged';
  readonly value: unknown;
}

/** Takes events in the order in which they happen among the I/Os of the disk. */
export interface HistoryLog<Event> {
  readonly events: readonly Event[];
  append(event: Event): void;
}

/** A crash, as the check sees it. */
export interface CrashState<Event> {
  /** What had happened by then, in order. */
  readonly events: readonly Event[];
  /** For what recovery itself promises: a later crash may not take it back. */
  readonly log: HistoryLog<Event>;
  /** How often the machine was started before: 1 after the first crash. */
  readonly boot: number;
}

export interface ExploreLimits extends ChoiceLimits {
  /** Crashed disks that are checked, at each point and in all. All points get a fair share. */
  readonly maxStatesPerPoint: number;
  readonly maxStates: number;
  /** Disks crashed again during recovery: from each crashed disk, and in all. */
  readonly maxRecoveryStatesPerState: number;
  readonly maxRecoveryStates: number;
  /** Exploring ends with so many. */
  readonly maxViolations: number;
}

export const DEFAULT_EXPLORE_LIMITS: ExploreLimits = {
  exhaustiveOperations: 12,
  samples: 32,
  perKind: 32,
  maxStatesPerPoint: 8192,
  maxStates: 50_000,
  maxRecoveryStatesPerState: 64,
  maxRecoveryStates: 50_000,
  maxViolations: 5,
};

export interface ExploreOptions<Event = HistoryEvent> {
  /** What runs until the crash. It must do the same every time. */
  readonly workload: (disk: SimDisk, log: HistoryLog<Event>) => void | Promise<void>;
  /**
   * Opens what the crash left, lets it recover, and says what is wrong with it: a sentence for each
   * violation, none if all is well. Throwing is a violation too. What it opens it should close.
   */
  readonly check: (
    disk: SimDisk,
    state: CrashState<Event>,
  ) => readonly string[] | undefined | Promise<readonly string[] | undefined>;
  /** Runs before the workload; no crash happens in it, but what it leaves unsynced can be lost. */
  readonly prepare?: (disk: SimDisk) => void | Promise<void>;
  /**
   * Root directory, capacity and faults of the disk that the workload has; a recovery's has no
   * faults.
   */
  readonly disk?: Omit<SimDiskOptions, 'onOperation'>;
  /** `adversarial` unless told. */
  readonly profile?: Profile;
  readonly seed?: number;
  readonly limits?: Partial<ExploreLimits>;
  /**
   * Also try the death of the process alone, when the cache survives, and with it the writes that a
   * later power loss can still take from the process that found them. True unless told.
   */
  readonly processKill?: boolean;
  /** Also check that recovering twice leaves the same names and bytes as once. True unless told. */
  readonly idempotence?: boolean;
}

/** What happened to the pending operations: a crash of the machine, or of the process alone. */
export type Crash = CrashChoice | 'process killed';

/** A place to crash at, and how. */
export interface CrashPlace {
  /** Index among the moments of the run. */
  readonly point: number;
  /** The I/O that it lies before or after. */
  readonly operation: string;
  readonly crash: Crash;
  /** Every pending operation and what became of it. */
  readonly pending: readonly string[];
}

export interface Violation {
  readonly profile: Profile;
  readonly seed: number;
  readonly at: CrashPlace;
  /** A second crash, during the recovery from the first. */
  readonly during?: CrashPlace;
  readonly messages: readonly string[];
  /** All of this for people. */
  readonly description: string;
}

export interface ExploreReport {
  readonly profile: Profile;
  readonly seed: number;
  /** I/Os of the workload. */
  readonly operations: number;
  /** Moments at which it was crashed: before and after each I/O, less those that are the same. */
  readonly points: number;
  /** Crashed disks that were checked, all different. */
  readonly states: number;
  /** Disks crashed during recovery that were checked. */
  readonly recoveryStates: number;
  /** Crashes that led to a disk that had been checked. */
  readonly duplicates: number;
  /**
   * False if a limit left out combinations of pending operations. Torn writes and crashes during
   * recovery are samples in any case.
   */
  readonly complete: boolean;
  readonly violations: readonly Violation[];
}
