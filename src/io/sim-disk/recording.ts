import type { HistoryLog } from './explore-types.ts';
import type { DiskImage } from './image.ts';
import { describeOperation } from './machine.ts';
import type { SimDisk } from './sim-disk.ts';

/** A moment of a run at which it could have crashed. */
export interface Moment {
  readonly image: DiskImage;
  /** Events that had happened. */
  readonly eventCount: number;
  /** For people: `before 12 write /data/log [0, 512)`. */
  readonly operation: string;
}

/** Events of a run, after those of the run before it. */
export class EventLog<Event> implements HistoryLog<Event> {
  readonly #earlier: readonly Event[];
  #all: Event[] | undefined;

  constructor(earlier: readonly Event[] = []) {
    this.#earlier = earlier;
  }

  get events(): readonly Event[] {
    return this.#all ?? this.#earlier;
  }

  append(event: Event): void {
    this.#all ??= [...this.#earlier];
    this.#all.push(event);
  }
}

/**
 * Runs something once and keeps the disk as it was before and after every I/O. Between two I/Os the
 * disk is the same but events may have happened, so both sides count; moments that do not differ
 * are kept once.
 */
export async function record(
  disk: SimDisk,
  log: HistoryLog<unknown>,
  run: () => void | Promise<void>,
): Promise<Moment[]> {
  const moments: Moment[] = [];
  const keep = (operation: string): void => {
    const moment: Moment = {
      image: disk.snapshot(),
      eventCount: log.events.length,
      operation,
    };
    const last = moments.at(-1);
    if (last?.image === moment.image && last.eventCount === moment.eventCount) return;
    moments.push(moment);
  };
  disk.onOperation = (operation, when) => keep(`${when} ${describeOperation(operation)}`);
  await run();
  disk.onOperation = undefined;
  keep('at the end');
  return moments;
}
