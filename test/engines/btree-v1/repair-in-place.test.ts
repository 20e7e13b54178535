/** A repair in place of a tree with a log, crashed at every step, and written to straight after. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { V1Store } from '../../../src/engines/btree-v1/store.ts';
import { btree } from '../../../src/formats/btree/index.ts';
import { bulkLoad, type Entry } from '../../../src/formats/btree/v1/bulk-load.ts';
import { v1 } from '../../../src/formats/btree/v1/index.ts';
import { DEFAULT_LIMITS } from '../../../src/formats/format.ts';
import { encodeEntry } from '../../../src/formats/wal/btree-v1/encode.ts';
import { type Disk, readFully, writeFully } from '../../../src/io/disk.ts';
import { diskSet } from '../../../src/io/disk-set.ts';
import { replaceInPlace } from '../../../src/io/in-place.ts';
import { NewDirectory } from '../../../src/io/new-directory.ts';
import { bootProcesses } from '../../../src/io/processes.ts';
import { explore } from '../../../src/io/sim-disk/explore.ts';
import type { SimDisk } from '../../../src/io/sim-disk/sim-disk.ts';
import { formatReport } from '../../../src/io/sim-disk/violation.ts';
import { concat } from '../../support/memory.ts';

const ROOT = '/store';
const PAGE = 512;
const LIMITS = { maxStates: 600, maxRecoveryStates: 200 };

function pagesOf(keys: string, value: string): Uint8Array[] {
  const pages: Uint8Array[] = [];
  const entries = [...keys].map((key): Entry => {
    const bytes = Buffer.from(key + value.repeat(60));
    const ends = { keyEnd: 1, valueEnd: bytes.length };
    return { bytes, keyStart: 0, valueStart: 1, ...ends };
  });
  bulkLoad(
    PAGE,
    () => entries,
    (page) => pages.push(page.slice()),
  );
  return pages;
}

/** An operation from the one tree to the other. */
function logOf(from: Uint8Array[], to: Uint8Array[]): Uint8Array[] {
  const images = [...to.slice(1).map((image, i) => ({ page: i + 1, image }))];
  const all = [{ page: 0, image: from[0]! }, ...images, { page: 0, image: to[0]! }];
  return all.map(({ page, image }, i) => encodeEntry(i + 1, page, image));
}

function put(disk: Disk, name: string, bytes: Uint8Array): void {
  const file = disk.open(join(ROOT, name), 'create');
  writeFully(file, bytes, 0, bytes.length, 0);
  file.sync();
  file.close();
}

const old = pagesOf('abc', '1');
const grown = pagesOf('abcdefghij', '2');
const SHAPES = {
  'one count is wrong': (pages: Uint8Array[]) =>
    pages.map((page, i) => {
      const hurt = page.slice();
      if (i === 0) hurt[11] = 77;
      return hurt;
    }),
  'the root is wrong': (pages: Uint8Array[]) =>
    pages.map((page, i) => {
      const hurt = page.slice();
      if (i === 0) hurt[3] = 1;
      return hurt;
    }),
};

async function repairInPlace(disk: Disk): Promise<void> {
  const set = diskSet(disk, ROOT);
  const input = { set, dialect: v1, files: btree.select(set, v1) };
  const context = { limits: DEFAULT_LIMITS, options: { 'in-place': true } };
  const plan = { ...(await btree.planRepair!(input, { mend: false }, context)), inputs: [] };
  const output = new NewDirectory(disk, `${ROOT}.new`);
  await btree.applyRepair!(input, plan, context, output);
  output.finish();
  const removed = new Set(plan.remove ?? []);
  const touched = new Set(['btree.db', ...plan.rewrite]);
  const replacement = { touched, removed, log: plan.log, backup: true };
  replaceInPlace(disk, ROOT, true, `${ROOT}.new`, replacement);
}

async function rowsOf(disk: Disk, boot: number, more?: string): Promise<string> {
  const store = await V1Store.open(disk, ROOT, { create: false, processes: bootProcesses(boot) });
  if (more) await store.put(Buffer.from(more), Buffer.from('3'));
  const rows = [...store.scan()].map(({ key, value }) => `${key}${value.toString()[0]}`);
  store.close();
  return rows.join(' ');
}

describe.each(Object.keys(SHAPES) as (keyof typeof SHAPES)[])(
  'a tree whose log matters: %s',
  (shape) => {
    it.each(['ordered', 'adversarial'] as const)(
      'is old or new, and takes writes (%s)',
      async (profile) => {
        const hurt = SHAPES[shape](grown);
        const all = 'a2 b2 c2 d2 e2 f2 g2 h2 i2 j2';
        let done = 0;
        const report = await explore<{ kind: 'done' }>({
          disk: { root: '/' },
          prepare(disk) {
            disk.makeDirectory(ROOT);
            put(disk, 'btree.db', concat(old));
            put(disk, 'btree.wal', concat(logOf(old, hurt)));
            disk.syncDirectory(ROOT);
            disk.syncDirectory('/');
          },
          async workload(disk, log) {
            await repairInPlace(disk);
            log.append({ kind: 'done' });
          },
          async check(disk, { events, boot }) {
            const file = disk.open(join(ROOT, 'btree.db'), 'read');
            const bytes = new Uint8Array(file.size());
            readFully(file, bytes, 0, bytes.length, 0);
            file.close();
            try {
              const found = await rowsOf(disk, boot, 'z');
              done++;
              return found === `${all} z3` ? [] : [`it has ${found}`];
            } catch (error) {
              // As it was: the log is not applied to what it would not leave whole.
              const asItWas = events.length === 0 && Buffer.compare(bytes, concat(old)) === 0;
              if (asItWas && (error as { code?: string }).code === 'corrupt') return [];
              throw error;
            }
          },
          profile,
          limits: LIMITS,
          idempotence: false,
        });
        expect(report.violations, formatReport(report)).toEqual([]);
        expect(done).toBeGreaterThan(10);
      },
    );
  },
);

describe('an operation that did not end', () => {
  it('is not beside the repaired tree, where it would be seen', async () => {
    const { SimDisk: Sim } = await import('../../../src/io/sim-disk/sim-disk.ts');
    const disk: SimDisk = new Sim({ root: '/' });
    disk.makeDirectory(ROOT);
    put(disk, 'btree.db', concat(SHAPES['one count is wrong'](old)));
    put(disk, 'btree.wal', concat(logOf(SHAPES['one count is wrong'](old), grown).slice(0, -1)));
    await repairInPlace(disk);
    expect(await rowsOf(disk, 0)).toBe('a1 b1 c1');
  });
});
