import type { ExploreOptions, HistoryEvent } from '../../src/io/sim-disk/explore-types.ts';
import { failing } from '../../src/io/sim-disk/faults.ts';
import { SimDisk } from '../../src/io/sim-disk/sim-disk.ts';
import { type Bug, Register, ToyLog } from './toy-stores.ts';

export function valuesOf(events: readonly HistoryEvent[], kind: HistoryEvent['kind']): string[] {
  return events.filter((event) => event.kind === kind).map(({ value }) => String(value));
}

/** Sets a few values; after a crash the last acknowledged one is there, or a later one. */
export function registerOptions(bug?: Bug): ExploreOptions {
  const values = ['one', 'two '.repeat(300), 'three'];
  return {
    disk: { root: '/d' },
    workload: (disk, log) => {
      const register = new Register(disk, bug);
      for (const value of values) {
        log.append({ kind: 'issued', value });
        register.set(value);
        log.append({ kind: 'acknowledged', value });
      }
    },
    check: (disk, { events }) => {
      const found = new Register(disk, bug).recover();
      const acknowledged = valuesOf(events, 'acknowledged').at(-1);
      const issued = valuesOf(events, 'issued').at(-1);
      if (found === acknowledged || found === issued) return [];
      return [`found ${JSON.stringify(found?.slice(0, 8))}, not ${acknowledged?.slice(0, 8)}`];
    },
  };
}

/**
 * Appends a few records, asynchronously; after a crash a prefix is there with all that was
 * acknowledged.
 */
export function logOptions(bug?: Bug, failedSync?: number): ExploreOptions {
  return {
    disk: {
      root: '/d',
      faults: failedSync === undefined ? [] : [failing('sync', failedSync)],
    },
    workload: async (disk, log) => {
      const toy = new ToyLog(disk, bug);
      for (let number = 0; number < 4; number++) {
        const value = `record ${number} `.repeat(1 + number * 40);
        log.append({ kind: 'issued', value });
        await Promise.resolve();
        try {
          toy.append(value);
        } catch {
          // The log is of no more use until it is opened again.
          break;
        }
        await Promise.resolve();
        log.append({ kind: 'acknowledged', value });
      }
      toy.close();
    },
    check: (disk, { events, log }) => {
      const toy = new ToyLog(disk, bug);
      const { records } = toy;
      toy.close();
      const issued = valuesOf(events, 'issued');
      const acknowledged = valuesOf(events, 'acknowledged');
      const violations: string[] = [];
      if (records.some((record, at) => record !== issued[at])) violations.push('never issued');
      if (records.length < acknowledged.length) {
        violations.push(`${records.length} of ${acknowledged.length} acknowledged records`);
      }
      // On a copy, since it is not for recovery to append.
      const scratch = SimDisk.from(disk.snapshot());
      new ToyLog(scratch, bug).append('next');
      if (new ToyLog(scratch, bug).records.at(-1) !== 'next') violations.push('no more appends');
      // What was read once has to stay.
      for (const value of records.slice(acknowledged.length)) {
        log.append({ kind: 'acknowledged', value });
      }
      return violations;
    },
  };
}
