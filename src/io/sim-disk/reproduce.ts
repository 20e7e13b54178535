import { Checker } from './checker.ts';
import type { ExploreOptions, HistoryEvent, Violation } from './explore-types.ts';
import { SimDisk } from './sim-disk.ts';
import { crashed } from './violation.ts';

/**
 * For a debugger: the disk of a violation, crashed and not yet recovered, and what its check is
 * given.
 */
export async function reproduce<Event = HistoryEvent>(
  options: ExploreOptions<Event>,
  violation: Violation,
): Promise<{ disk: SimDisk; events: readonly Event[] }> {
  const checker = new Checker(options);
  let run = await checker.workload();
  const { at, during } = violation;
  const moment = run.moments[at.point]!;
  let image = crashed(moment.image, at.crash);
  let events = run.events.slice(0, moment.eventCount);
  if (during !== undefined) {
    run = await checker.recover(image, events);
    const again = run.moments[during.point]!;
    image = crashed(again.image, during.crash);
    events = run.events.slice(0, again.eventCount);
  }
  return { disk: SimDisk.from(image), events };
}
