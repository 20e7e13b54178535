/**
 * Two readers of tables must say to the letter what one says. The second one runs here beside the
 * first, in the same thread; test/cli/aside.test.ts has the thread.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AskAside } from '../../../src/formats/aside.ts';
import { DEFAULT_LIMITS, type VerifyResult } from '../../../src/formats/format.ts';
import { tableDialects } from '../../../src/formats/sstable/index.ts';
import type { TableOpened } from '../../../src/formats/sstable/model.ts';
import {
  partOf,
  type TablesPart,
  verifyTablesPart,
} from '../../../src/formats/sstable/second-reader.ts';
import { verifyTables } from '../../../src/formats/sstable/verify.ts';
import { memorySet } from '../../support/memory.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures/sstable');

function read(...directories: string[]): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  for (const directory of directories) {
    for (const name of readdirSync(join(fixtures, directory))) {
      if (/\.(sst|ldb)$/.test(name)) files[name] = readFileSync(join(fixtures, directory, name));
    }
  }
  return files;
}

const rocksdb = read('rocksdb', 'rocksdb-made');
const leveldb = read('leveldb');

function opened(files: Record<string, Uint8Array>, id: string): TableOpened {
  const set = memorySet(files);
  return { set, dialect: tableDialects.find((dialect) => dialect.id === id)!, files: set.files };
}

interface Seen {
  result: VerifyResult;
  /** True when the first one did without the rest. */
  taken: boolean;
}

async function byTwo(input: TableOpened, part: TablesPart): Promise<Seen> {
  const { quick } = part;
  let report: unknown;
  const aside: AskAside = (asked) => {
    const answer = verifyTablesPart(input, structuredClone(asked) as TablesPart, {
      limits: DEFAULT_LIMITS,
    }).then((got) => {
      report = structuredClone(got);
      return report;
    });
    return { answer, stop() {} };
  };
  const result = await verifyTables(input, { limits: DEFAULT_LIMITS, quick, aside }, () => part);
  return { result, taken: report !== undefined };
}

const byOne = (input: TableOpened, quick: boolean): Promise<VerifyResult> =>
  verifyTables(input, { limits: DEFAULT_LIMITS, quick });

describe('tables read by two', () => {
  it('whole ones: the same as by one, wherever they meet', async () => {
    let taken = 0;
    for (const [id, files] of [
      ['rocksdb', rocksdb],
      ['leveldb', leveldb],
    ] as const) {
      for (const [name, bytes] of Object.entries(files)) {
        const input = opened({ [name]: bytes }, id);
        for (const quick of [false, true]) {
          const one = await byOne(input, quick);
          for (let joint = 1; joint < bytes.length; joint += 1 + (bytes.length >> 4)) {
            const two = await byTwo(input, { file: 0, joint, quick });
            expect(two.result).toEqual(one);
            if (two.taken) taken++;
          }
        }
      }
    }
    expect(taken).toBeGreaterThan(500);
  });

  it('many of them: the second one begins in the middle of one, or between two', async () => {
    const input = opened(leveldb, 'leveldb');
    const one = await byOne(input, false);
    for (let file = 0; file < input.files.length; file++) {
      for (const joint of [0, 5000]) {
        if (file === 0 && joint === 0) continue;
        const { result, taken } = await byTwo(input, { file, joint, quick: false });
        expect(result).toEqual(one);
        expect(taken).toBe(true);
      }
    }
  });

  it('damaged ones: the same findings', async () => {
    const names = Object.keys(rocksdb);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.array(fc.tuple(fc.nat(9999), fc.nat(255)), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.nat(9999),
        fc.boolean(),
        async (name, hits, at, quick) => {
          const bytes = Uint8Array.from(rocksdb[name]!);
          for (const [where, value] of hits)
            bytes[Math.floor((where * bytes.length) / 10_000)] = value;
          const input = opened({ [name]: bytes }, 'rocksdb');
          const joint = Math.floor((at * bytes.length) / 10_000) + 1;
          const { result } = await byTwo(input, { file: 0, joint, quick });
          expect(result).toEqual(await byOne(input, quick));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('small ones are for one; big ones are split behind their middle', () => {
    const { set, dialect } = opened({ 'a.sst': new Uint8Array(1) }, 'rocksdb');
    const sized = (...sizes: number[]): TableOpened => ({
      set,
      dialect,
      files: sizes.map((size, i) => ({ name: `${i}.sst`, size })),
    });
    const mib = 1024 * 1024;
    expect(partOf(sized(60 * mib), false)).toBeUndefined();
    expect(partOf(sized(500 * mib), true)).toBeUndefined();
    expect(partOf(sized(600 * mib), true)).toEqual({ file: 0, joint: 332 * mib, quick: true });
    expect(partOf(sized(40 * mib, 60 * mib), false)?.joint).toBe(18 * mib);
    const flat = tableDialects.find(({ id }) => id === 'v1')!;
    expect(partOf({ ...sized(200 * mib), dialect: flat }, false)).toBeUndefined();
    const between = partOf({ ...sized(40 * mib, 60 * mib), dialect: flat }, false);
    expect(between).toEqual({ file: 1, joint: 0, quick: false });
  });
});
