/**
 * The calls that change the disk or make it durable, each of which counts as one I/O; and reading.
 */
export type DiskCall =
  | 'create'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'rename'
  | 'remove'
  | 'makeDirectory'
  | 'removeDirectory'
  | 'syncDirectory'
  | 'read';

/**
 * What goes wrong instead:
 *   error        the call throws with this code and does nothing; a failed sync also drops what it
 *                was to persist, and reads still show it (PostgreSQL's fsyncgate)
 *   short        a write stops after so many bytes, and says so
 *   lost         a write that is synced without complaint and never reaches the medium
 *   misdirected  a write whose sectors land at another position, which is a multiple of 512
 */
export type FaultEffect =
  | { readonly kind: 'error'; readonly code: string }
  | { readonly kind: 'short'; readonly bytes: number }
  | { readonly kind: 'lost' }
  | { readonly kind: 'misdirected'; readonly position: number };

export interface Fault {
  readonly on: DiskCall;
  /** Which matching call, from 1, counted since the fault was set up. */
  readonly nth: number;
  /** How many calls from there on; 1 unless told, Infinity for a disk that never recovers. */
  readonly times?: number;
  /** Only calls whose path ends so. */
  readonly path?: string;
  readonly effect: FaultEffect;
}

/** The n-th call of a kind fails with EIO. */
export function failing(on: DiskCall, nth: number, code = 'EIO'): Fault {
  return { on, nth, effect: { kind: 'error', code } };
}

/** Decides for each call whether a fault befalls it. */
export class FaultPlan {
  readonly #faults: { readonly fault: Fault; seen: number }[] = [];

  add(fault: Fault): void {
    const { effect } = fault;
    if ((effect.kind !== 'error' && fault.on !== 'write') || fault.nth < 1) {
      throw new RangeError(`no such fault: ${effect.kind} on ${fault.on} number ${fault.nth}`);
    }
    if (effect.kind === 'misdirected' && effect.position % 512 !== 0) {
      throw new RangeError(`a write is misdirected by whole sectors: ${effect.position}`);
    }
    this.#faults.push({ fault, seen: 0 });
  }

  clear(): void {
    this.#faults.length = 0;
  }

  /** Counts the call for every fault; the first one whose turn it is, is the one. */
  next(on: DiskCall, path: string): FaultEffect | undefined {
    let effect: FaultEffect | undefined;
    for (const entry of this.#faults) {
      const { fault } = entry;
      if (fault.on !== on || !path.endsWith(fault.path ?? '')) continue;
      entry.seen++;
      const due = entry.seen >= fault.nth && entry.seen < fault.nth + (fault.times ?? 1);
      if (due) effect ??= fault.effect;
    }
    return effect;
  }
}
