import { differences } from './differences.ts';
import type { ExploreOptions } from './explore-types.ts';
import { cleanRestart, type DiskImage, fingerprint } from './image.ts';
import { EventLog, type Moment, record } from './recording.ts';
import { SimDisk } from './sim-disk.ts';

/** Checks after which other tasks of this process get a turn. */
const CHECKS_PER_TURN = 128;

/** One run of a workload or of a check: what it left, and when it could have crashed. */
export interface Run<Event> {
  readonly disk: SimDisk;
  /** I/Os that it did. */
  readonly operations: number;
  readonly moments: readonly Moment[];
  readonly events: readonly Event[];
}

export interface Recovery<Event> extends Run<Event> {
  /** Events that had happened before it; any more are its own. */
  readonly earlierCount: number;
  readonly messages: readonly string[];
}

/**
 * Runs what the caller of an exploration gave: its workload once, its check on each crashed disk.
 */
export class Checker<Event> {
  readonly #options: ExploreOptions<Event>;
  readonly #recoveredTwice = new Set<string>();
  #checks = 0;

  constructor(options: ExploreOptions<Event>) {
    this.#options = options;
  }

  async workload(): Promise<Run<Event>> {
    const disk = new SimDisk(this.#options.disk);
    const log = new EventLog<Event>();
    await this.#options.prepare?.(disk);
    const before = disk.operations;
    const moments = await record(disk, log, () => this.#options.workload(disk, log));
    return { disk, operations: disk.operations - before, moments, events: log.events };
  }

  async recover(image: DiskImage, earlier: readonly Event[]): Promise<Recovery<Event>> {
    if (++this.#checks % CHECKS_PER_TURN === 0) await new Promise(setImmediate);
    const disk = SimDisk.from(image);
    const log = new EventLog(earlier);
    const state = { events: earlier, log, boot: disk.boot };
    let messages: readonly string[] = [];
    const moments = await record(disk, log, async () => {
      try {
        messages = (await this.#options.check(disk, state)) ?? [];
      } catch (error) {
        messages = [`the check threw ${error instanceof Error ? error.stack : String(error)}`];
      }
    });
    const { operations } = disk;
    const earlierCount = earlier.length;
    return { disk, operations, moments, events: log.events, earlierCount, messages };
  }

  async fails(image: DiskImage, earlier: readonly Event[]): Promise<boolean> {
    const { messages } = await this.recover(image, earlier);
    return messages.length > 0;
  }

  /** What a second recovery finds or does that it ought not to after a first one that went well. */
  async recoverAgain(first: Recovery<Event>): Promise<readonly string[]> {
    if (this.#options.idempotence === false) return [];
    const once = cleanRestart(first.disk.snapshot());
    const key = `${fingerprint(once)} ${first.events.length}`;
    if (this.#recoveredTwice.has(key)) return [];
    this.#recoveredTwice.add(key);
    const second = await this.recover(once, first.events);
    if (second.messages.length > 0) {
      return second.messages.map((message) => `when recovered a second time: ${message}`);
    }
    const twice = cleanRestart(second.disk.snapshot());
    if (fingerprint(once) === fingerprint(twice)) return [];
    return [`recovering twice differs from once: ${differences(once, twice).join(', ')}`];
  }
}
