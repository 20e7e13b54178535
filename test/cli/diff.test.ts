import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identify } from '../../src/formats/detect.ts';
import {
  compareSequences,
  type Difference,
  isEqual,
  type Pullable,
  WINDOW_MAX,
} from '../../src/formats/diff/compare.ts';
import { compareStates } from '../../src/formats/diff/compare-state.ts';
import type { Operation } from '../../src/formats/diff/operation.ts';
import { OperationStream } from '../../src/formats/diff/operation-stream.ts';
import { DEFAULT_LIMITS } from '../../src/formats/format.ts';
import { loadFamilies } from '../../src/formats/registry.ts';
import { openFileSet } from '../../src/io/file-set.ts';
import { markOf, unmark } from '../../src/shared/mark.ts';
import { ddia, fixturesStayTheSame, lines, root, temporaryDirectory } from './run.ts';

fixturesStayTheSame();
const directory = temporaryDirectory();
const V1 = 'fixtures/wal/v1';

/** `k=v`, with its place in the list for a sequence number. */
function operation(text: string, index = 0): Operation {
  const [key, value] = text.split('=').map((part) => `s${part}`);
  const where = { file: 'f', offset: index, length: 1, seq: String(index + 1) };
  return { ...where, op: 'put', columnFamily: -1, key, value, extra: '' };
}

class Given implements Pullable {
  constructor(readonly operations: Operation[]) {}
  get available(): number {
    return this.operations.length;
  }
  need(): Promise<number> {
    return Promise.resolve(this.available);
  }
  peek(index: number): Operation {
    return this.operations[index]!;
  }
  take(count: number): void {
    this.operations.splice(0, count);
  }
}

async function compare(a: string[], b: string[], withSeq = false) {
  const told: string[] = [];
  const value = (one: Operation | undefined) => one?.value?.slice(1) ?? '';
  const tell = (d: Difference) => {
    told.push(`${d.kind} ${(d.a ?? d.b)!.key!.slice(1)} ${value(d.a)}|${value(d.b)}`);
  };
  const counts = await compareSequences(
    new Given(a.map(operation)),
    new Given(b.map(operation)),
    withSeq,
    tell,
  );
  return { counts, told };
}

describe('sequences', () => {
  it('are equal, or not by their numbers alone', async () => {
    const list = ['a=1', 'b=2', 'a=1'];
    expect(isEqual((await compare(list, list)).counts)).toBe(true);
    expect((await compare([], [])).counts.same).toBe(0);
    expect((await compare(['x=0', ...list], list)).told).toEqual(['only-in-a x 0|']);
    expect((await compare(['x=0', ...list], list, true)).counts.same).toBe(0);
  });

  it('meet again behind what was changed, lost or added', async () => {
    const { told, counts } = await compare(
      ['a=1', 'b=1', 'c=1', 'd=1', 'e=1', 'f=1', 'g=1'],
      ['a=1', 'b=2', 'c=1', 'd=1', 'f=1', 'g=1', 'h=1'],
    );
    expect(told).toEqual(['changed b 1|2', 'only-in-a e 1|', 'only-in-b h |1']);
    expect(counts).toEqual({ same: 5, changed: 1, moved: 0, onlyInA: 1, onlyInB: 1 });
  });

  it('tell what stands at another place', async () => {
    const { counts, told } = await compare(
      ['x=1', 'y=1', 'q=1', 'r=1'],
      ['y=1', 'x=1', 'q=1', 'r=1'],
    );
    expect(told).toEqual(['moved x 1|1', 'moved y 1|1']);
    expect(counts).toEqual({ same: 2, changed: 0, moved: 2, onlyInA: 0, onlyInB: 0 });
  });

  it('find a lost segment by its numbers, longer than any window', async () => {
    const all = Array.from({ length: 3 * WINDOW_MAX }, (_, i) => `k${i}=v`).map(operation);
    const without = [...all.slice(0, 10), ...all.slice(2.5 * WINDOW_MAX)];
    const counts = await compareSequences(new Given([...all]), new Given(without), false, () => {});
    expect(counts).toMatchObject({ onlyInA: 2.5 * WINDOW_MAX - 10, onlyInB: 0, changed: 0 });
  });

  it('account for every operation of both sides', async () => {
    const some = fc.array(fc.constantFrom('a=1', 'a=2', 'b=1', 'c=1'), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(some, some, async (a, b) => {
        const { same, changed, moved, onlyInA, onlyInB } = (await compare(a, b)).counts;
        expect(same + changed + moved + onlyInA).toBe(a.length);
        expect(same + changed + moved + onlyInB).toBe(b.length);
        expect(changed + moved + onlyInA + onlyInB === 0).toBe(a.join() === b.join());
      }),
    );
  });
});

describe('a stream of operations', () => {
  it('is read no faster than it is taken', async () => {
    const log = join(directory, 'long.wal');
    const segment = readFileSync(join(root, V1, 'clean/000001.wal'));
    writeFileSync(log, Buffer.concat(Array.from({ length: 5000 }, () => segment)));
    const input = await identify(await loadFamilies(), openFileSet(log));
    const limits = { ...DEFAULT_LIMITS, windowBytes: 16 * 1024 };
    const stream = new OperationStream(
      input,
      { limits },
      () => {},
      () => true,
    );
    await stream.need(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const most = 2000;
    expect(stream.available).toBeLessThan(most);
    let taken = 0;
    for (let there = await stream.need(1); there > 0; there = await stream.need(1)) {
      expect(there).toBeLessThan(most);
      taken += there;
      stream.take(there);
    }
    expect(taken).toBe(7 * 5000);
  });

  it('throws what reading threw', async () => {
    const set = openFileSet(join(root, V1, 'clean'));
    const input = await identify(await loadFamilies(), set);
    const broken = { ...input, set: { ...set, files: set.files, siblings: set.files, open } };
    function open(): never {
      throw new Error('the disk is gone');
    }
    const stream = new OperationStream(
      broken,
      { limits: DEFAULT_LIMITS },
      () => {},
      () => true,
    );
    await expect(stream.need(1)).rejects.toThrow('the disk is gone');
  });
});

describe('states', () => {
  it('are the same however few keys are held at once', async () => {
    const open = async (path: string) =>
      identify(await loadFamilies(), openFileSet(join(root, V1, path)));
    const [a, b] = [await open('clean'), await open('spliced')];
    const told = async (held: number) => {
      const differences: string[] = [];
      const sides = [a, b].map((input) => ({ input, onDamage: () => {} }));
      const { counts, passes } = await compareStates(
        sides[0]!,
        sides[1]!,
        { limits: DEFAULT_LIMITS },
        (d) => differences.push(`${d.kind} ${(d.a ?? d.b)!.key}`),
        held,
      );
      return { counts, passes, differences: differences.sort() };
    };
    const whole = await told(1000);
    expect(whole.passes).toBe(1);
    const split = await told(3);
    expect(split.passes).toBeGreaterThan(4);
    expect(split).toMatchObject({ counts: whole.counts, differences: whole.differences });
  });
});

describe('marks', () => {
  it('are equal when the bytes are, short or long', () => {
    const long = new Uint8Array(1000).fill(5);
    const mark = markOf(long, 0, 1000);
    expect(mark.length).toBeLessThan(100);
    expect(unmark(mark)).toMatchObject({ length: 1000, bytes: Buffer.alloc(48, 5) });
    long[999] = 6;
    expect(markOf(long, 0, 1000)).not.toBe(mark);
    expect(unmark(markOf(long, 990, 1000)).bytes).toEqual(Buffer.from(long.subarray(990)));
  });
});

describe('diff', () => {
  it('says that two are equal', () => {
    const joined = join(directory, 'joined.wal');
    const parts = [1, 2, 3].map((n) => readFileSync(join(root, V1, `clean/00000${n}.wal`)));
    writeFileSync(joined, Buffer.concat(parts));
    expect(ddia(['diff', `${V1}/clean`, joined, '--with-seq'])).toEqual({
      status: 0,
      stdout: 'equal: 20 operations\n',
      stderr: '',
    });
    const ran = ddia(['diff', `${V1}/clean`, '-', '--state', '--json'], {
      input: readFileSync(joined),
    });
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(lines(ran)).toMatchObject([{ summary: { equal: true, unit: 'keys', onlyInA: 0 } }]);
  });

  it('lists what is different', () => {
    expect(ddia(['diff', `${V1}/clean`, `${V1}/spliced`])).toEqual({
      status: 1,
      stdout: `only in A  "user:007"
  A  000002.wal @ 0 +52  seq 8  put  hex:456dacb466e112aedc1ab45479184474cb4d8a
only in A  "user:008"
  A  000002.wal @ 52 +42  seq 9  put  hex:9832f3d746b4c70df7
different: 0 changed, 2 only in A, 0 only in B; 18 operations the same
`,
      stderr: '',
    });
  });

  it('is not content with damage, though all that is left is the same', () => {
    const cut = join(directory, 'cut.wal');
    copyFileSync(join(root, V1, 'torn-tail/000001.wal'), cut);
    const ran = ddia(['diff', `${V1}/torn-tail`, cut, '--json']);
    expect(ran.status).toBe(1);
    expect(lines(ran)).toMatchObject([{ summary: { equal: true, damage: { a: 1, b: 1 } } }]);
    expect(ran.stderr).toContain('torn-tail A: 000001.wal @ 908 +31');
    expect(ran.stderr).toContain('torn-tail B: cut.wal @ 908 +31');
    expect(ran.stderr).toContain('damaged places: 1 in A, 1 in B; compared is what could be read');
  });

  it('refuses what it cannot open', () => {
    expect(ddia(['diff', `${V1}/clean`, 'package.json']).status).toBe(3);
    expect(ddia(['diff', '-', '-'])).toMatchObject({ status: 2, stdout: '' });
  });
});
