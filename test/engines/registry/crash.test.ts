/** Crashes at every write, sync and rename: what was acknowledged is there, and ids stay true. */
import { describe, expect, it } from 'vitest';
import type { SchemaInput } from '../../../src/engines/registry/model.ts';
import { Registry } from '../../../src/engines/registry/registry.ts';
import type { StoreOptions } from '../../../src/engines/registry/store.ts';
import { bootProcesses } from '../../../src/io/processes.ts';
import type { Profile } from '../../../src/io/sim-disk/choices.ts';
import { explore } from '../../../src/io/sim-disk/explore.ts';
import type { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { formatReport } from '../../../src/io/sim-disk/violation.ts';

const ROOT = '/registry';

/** A change as a line; its outcome is what the registry says once it is done. */
interface Event {
  kind: 'issued' | 'acknowledged';
  change: string;
  /** What has to be seen from then on: the registry in words. */
  after: string;
}

const open = (disk: SimDisk, options: StoreOptions = {}) =>
  Registry.open(disk, ROOT, {
    logId: () => 42n,
    processes: bootProcesses(disk.boot),
    preallocateBytes: 0,
    segmentBytes: 400,
    snapshotEvery: 3,
    ...options,
  });

const schema = (fields: number): SchemaInput => ({
  type: 'AVRO',
  references: [],
  text: JSON.stringify({
    type: 'record',
    name: 'R',
    fields: Array.from({ length: fields }, (_, i) => ({ name: `f${i}`, type: 'int', default: i })),
  }),
});

/** All that a client can see. */
function seen({ state }: Registry): string {
  const subjects = [...state.subjects].map(([subject, { versions }]) => {
    const all = [...versions.values()].map(
      ({ version, id, deleted }) => `${version}:${id}${deleted ? 'x' : ''}`,
    );
    return `${subject}=${all.join(',')}`;
  });
  const schemas = [...state.schemas.values()].map(({ id, text }) => `${id}~${text.length}`);
  const levels = [...state.levels].map(([subject, level]) => `${subject}:${level}`);
  return [...subjects, ...schemas, ...levels, state.level, `next ${state.nextId}`].join(' ');
}

type Change = [string, (registry: Registry) => Promise<unknown>];

const CHANGES: Change[] = [
  ['register a1', (r) => r.register('a', schema(1))],
  ['register a2', (r) => r.register('a', schema(2))],
  ['level of a', (r) => r.setLevel('a', 'FULL')],
  ['register b1', (r) => r.register('b', schema(1))],
  ['delete a1', (r) => r.deleteVersion('a', 1, false)],
  ['delete a1 for good', (r) => r.deleteVersion('a', 1, true)],
  ['register a3', (r) => r.register('a', schema(3))],
];

async function workload(
  disk: SimDisk,
  log: { append(event: Event): void },
  reopenAt: number,
): Promise<void> {
  let registry = await open(disk);
  for (const [i, [change, run]] of CHANGES.entries()) {
    if (i === reopenAt) {
      await registry.close();
      registry = await open(disk);
    }
    log.append({ kind: 'issued', change, after: '' });
    await run(registry);
    log.append({ kind: 'acknowledged', change, after: seen(registry) });
  }
  await registry.close();
}

/** What the registry says after each number of changes, from a run without a crash. */
async function outcomes(): Promise<string[]> {
  const { SimDisk } = await import('../../../src/io/sim-disk/sim-disk.ts');
  const registry = await open(new SimDisk({ root: ROOT }));
  const all = [seen(registry)];
  for (const [, run] of CHANGES) {
    await run(registry);
    all.push(seen(registry));
  }
  await registry.close();
  return all;
}

describe('every crash point of a registry', () => {
  it.each<Profile>(['ordered', 'per-file', 'adversarial'])(
    'keeps its promises (%s)',
    async (profile) => {
      const expected = await outcomes();
      const report = await explore<Event>({
        disk: { root: ROOT },
        workload: (disk, log) => workload(disk, log, 4),
        async check(disk, { events }) {
          const acknowledged = events.filter(({ kind }) => kind === 'acknowledged').length;
          const issued = events.filter(({ kind }) => kind === 'issued').length;
          const registry = await open(disk);
          const found = seen(registry);
          const known = expected.slice(acknowledged, issued + 1);
          const problems = known.includes(found)
            ? []
            : [`found ${found}, expected ${known.join(' or ')}`];
          // An id that was given is never given to another schema.
          const { nextId, schemas } = registry.state;
          if (nextId <= Math.max(0, ...schemas.keys())) problems.push(`id ${nextId} comes again`);
          await registry.close();
          return problems;
        },
        profile,

        limits: { maxStates: 1500, maxRecoveryStates: 800 },
      });
      expect(report.violations, formatReport(report)).toEqual([]);
      expect(report.points).toBeGreaterThan(40);
    },
  );
});
