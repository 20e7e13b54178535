/**
 * Two readers must say to the letter what one says, whatever the log. The second one runs here
 * beside the first, in the same thread; test/cli/aside.test.ts has the thread.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AskAside } from '../../../src/formats/aside.ts';
import { DEFAULT_LIMITS, type VerifyResult } from '../../../src/formats/format.ts';
import { walContext } from '../../../src/formats/wal/index.ts';
import { LogChecker } from '../../../src/formats/wal/log-checker.ts';
import {
  type WalDialect,
  type WalOpened,
  type WalOperation,
  WalRecord,
} from '../../../src/formats/wal/model.ts';
import { scanLog } from '../../../src/formats/wal/reader.ts';
import {
  type LogPart,
  partOf,
  TWO_READERS,
  type TwoReaders,
  verifyLogPart,
} from '../../../src/formats/wal/second-reader.ts';
import { encodeRecord } from '../../../src/formats/wal/v1/encode.ts';
import { v1 } from '../../../src/formats/wal/v1/index.ts';
import { v2 } from '../../../src/formats/wal/v2/index.ts';
import { BLOCK_BYTES } from '../../../src/formats/wal/v2/layout.ts';
import { V2LogEncoder } from '../../../src/formats/wal/v2/log-encoder.ts';
import { verifyLog } from '../../../src/formats/wal/verify.ts';
import { concat, memorySet } from '../../support/memory.ts';

type Files = Record<string, Uint8Array>;

const limits = { ...DEFAULT_LIMITS, windowBytes: 1024, recordBytes: 4096 };
const blockLimits = { ...DEFAULT_LIMITS, windowBytes: 2 * BLOCK_BYTES };
const small: TwoReaders = { fromBytes: 0, stepBytes: 256, headStartBytes: 0 };

const operation = (op: string, key = '', value: string | Uint8Array = ''): WalOperation => ({
  op,
  key: Buffer.from(key),
  value: typeof value === 'string' ? Buffer.from(value) : value,
});

function opened(files: Files, dialect: WalDialect): WalOpened {
  const set = memorySet(files);
  return {
    set,
    dialect,
    files: set.files.filter(({ name }) => dialect.segmentNumber(name) !== undefined),
  };
}

/** What the first reader saw of the second. */
interface Seen {
  result: VerifyResult;
  part: LogPart | undefined;
  answer: unknown;
  /** The furthest that the first reader has come in the file with the joint. */
  reached: number;
}

async function byTwo(
  files: Files,
  dialect: WalDialect = v1,
  two = small,
  bounds = limits,
): Promise<Seen> {
  const input = opened(files, dialect);
  const seen = { part: undefined, answer: undefined, reached: 0 } as Omit<Seen, 'result'>;
  const aside: AskAside = (part, progress) => {
    seen.part = structuredClone(part) as LogPart;
    const answer = verifyLogPart(input, seen.part, {
      ...walContext(input, { limits: bounds }),
      progress,
    }).then((report) => {
      seen.answer = report;
      return structuredClone(report);
    });
    return { answer, stop() {} };
  };
  const watched: WalOpened = {
    ...input,
    set: {
      ...input.set,
      open(name) {
        const source = input.set.open(name);
        if (seen.part === undefined || name !== input.files[seen.part.file]?.name) return source;
        return {
          name,
          size: source.size,
          read(target, start, length, position) {
            const got = source.read(target, start, length, position) as number;
            seen.reached = Math.max(seen.reached, position + got);
            return got;
          },
        };
      },
    },
  };
  const context = { ...walContext(watched, { limits: bounds }), aside };
  return { result: await verifyLog(watched, context, two), ...seen };
}

async function byOne(files: Files, dialect: WalDialect = v1, bounds = limits) {
  const input = opened(files, dialect);
  return verifyLog(input, walContext(input, { limits: bounds }));
}

/** Segments of v1, with `operations` numbered from 1. */
function logV1(operations: readonly WalOperation[], segments: number, seq = 1): Files {
  const files: Files = {};
  const each = Math.ceil(operations.length / segments);
  for (let i = 0; i < segments; i++) {
    const records = operations.slice(i * each, (i + 1) * each).map((one, k) => {
      const number = seq + i * each + k;
      return encodeRecord(Math.floor(number / 2 ** 32), number % 2 ** 32, one);
    });
    files[`00000${i + 1}.wal`] = concat(records);
  }
  return files;
}

const puts = (count: number, bytes = 20) =>
  Array.from({ length: count }, (_, i) => operation('put', `key${1000 + i}`, 'v'.repeat(bytes)));

function logV2(batches: readonly WalOperation[][], segments: number): Files {
  const encoder = new V2LogEncoder(7n);
  const files: Files = {};
  const each = Math.ceil(batches.length / segments);
  let seq = 1;
  for (let i = 0; i < segments; i++) {
    const parts = [encoder.begin(i + 1, BigInt(seq)).slice()];
    for (const batch of batches.slice(i * each, (i + 1) * each)) {
      parts.push(encoder.record(0, seq, batch).slice());
      seq += batch.length;
    }
    parts.push(encoder.end(i === segments - 1, BigInt(seq)).slice());
    files[`00000${i + 1}.wal2`] = concat(parts);
  }
  return files;
}

const changed = (files: Files, name: string, change: (bytes: Uint8Array) => unknown) => {
  const bytes = files[name]!.slice();
  const other = change(bytes);
  return { ...files, [name]: other instanceof Uint8Array ? other : bytes };
};

const files = logV1(puts(300), 1);

describe('a clean log', () => {
  it.each([1, 2, 3, 7])('of %i segments is read in two parts', async (segments) => {
    const files = logV1(puts(300), segments);
    const { result, part, answer, reached } = await byTwo(files);
    expect(result).toEqual(await byOne(files));
    expect(result).toMatchObject({ clean: true, stats: { records: 300, files: segments } });
    expect(answer).toMatchObject({ records: expect.any(Number) });
    expect(reached).toBe(part!.joint);
  });

  it('of batches is, wherever the joint falls', async () => {
    const operations = puts(120).flatMap((one, i) =>
      i % 3 ? [one] : [one, operation('commit'), operation('put', 'a'), operation('checkpoint')],
    );
    const files = logV1(operations, 1);
    for (let stepBytes = 100; stepBytes < 400; stepBytes += 7) {
      const { result, answer } = await byTwo(files, v1, { ...small, stepBytes });
      expect(result).toMatchObject({ clean: true, stats: { records: operations.length } });
      expect(answer, `${stepBytes}`).toBeDefined();
    }
  });

  it('of v2 is, though records lie across its blocks', async () => {
    const batches = Array.from({ length: 300 }, (_, i) =>
      i % 50 === 7
        ? [operation('put', 'big', new Uint8Array(50_000))]
        : [...puts(1 + (i % 3), 700)],
    );
    const two = { ...small, stepBytes: 4 * BLOCK_BYTES };
    for (const segments of [1, 3]) {
      const files = logV2(batches, segments);
      const { result, part, answer, reached } = await byTwo(files, v2, two, blockLimits);
      expect(result).toEqual(await byOne(files, v2, blockLimits));
      expect(result.clean).toBe(true);
      expect(answer).toMatchObject({ records: expect.any(Number) });
      expect(reached).toBe(part!.joint);
    }
  });

  it('is left to one where it is small, or where records are longer than a step', async () => {
    const files = logV1(puts(50), 1);
    expect((await byTwo(files, v1, TWO_READERS)).part).toBeUndefined();
    const long = logV1(puts(50, 600), 1);
    const { result, part, answer } = await byTwo(long);
    expect(part).toBeDefined();
    expect(answer).toBeUndefined();
    expect(result).toEqual(await byOne(long));
  });

  it('is split behind its middle, at whole steps, by what the second reader is late', () => {
    const MIB = 1024 * 1024;
    const split = (...sizes: number[]) => {
      const files = sizes.map((size, i) => ({ name: `00000${i + 1}.wal`, size: size * MIB }));
      return partOf({ ...opened({}, v1), files }, TWO_READERS);
    };
    expect(split(127)).toBeUndefined();
    expect(split(1024)).toEqual({ file: 0, from: 527 * MIB, joint: 528 * MIB });
    expect(split(100, 100, 100)).toEqual({ file: 1, from: 65 * MIB, joint: 66 * MIB });
    expect(split(116, 116)).toEqual({ file: 1, from: 15 * MIB, joint: 16 * MIB });
    expect(split(132, 100.5)).toEqual({ file: 1, from: 0, joint: MIB });
    expect(split(132, 0.5, 99.5)).toBeUndefined();
  });
});

describe('a damaged log', () => {
  const name = '000001.wal';
  const record = files[name]!.length / 300;
  const { joint } = partOf(opened(files, v1), small)!;
  const flip = (at: number) =>
    changed(files, name, (bytes) => {
      bytes[at]! ^= 4;
    });
  const cut = (from: number, to: number) =>
    changed(files, name, (bytes) => concat([bytes.subarray(0, from), bytes.subarray(to)]));
  const before = Math.floor(joint / record) * record;

  const same = async (damaged: Files) => {
    const { result } = await byTwo(damaged);
    expect(result).toEqual(await byOne(damaged));
    return result;
  };

  it.each([
    ['in the first half', 20 * record - 3],
    ['in the second', files[name]!.length - 1000],
    ['just before the joint', joint - 1],
    ['just behind it', joint + 1],
    ['in the last record before it', before - 5],
    ['where the second reader begins', joint - small.stepBytes + 30],
  ])('is told of as one reader does: a flipped bit %s', async (_, at) => {
    expect((await same(flip(at))).counts).toEqual({ 'crc-mismatch': 1 });
  });

  it('is: any bit around the joint', async () => {
    for (let at = joint - small.stepBytes - 50; at < joint + 100; at++) await same(flip(at));
  });

  it('is: records that are missing around the joint', async () => {
    for (let at = before - 6 * record; at <= before + 3 * record; at += record) {
      const result = await same(cut(at, at + record));
      expect(result.counts).toEqual({ 'seq-gap': 1 });
    }
  });

  it('is: bytes cut out at the joint, put in, or made zero', async () => {
    for (const length of [1, 7, 30, 100, 300, 2000]) {
      await same(cut(joint - length, joint));
      await same(cut(joint, joint + length));
      const zeroed = (at: number) =>
        changed(files, name, (bytes) => void bytes.fill(0, at, at + length));
      await same(zeroed(joint - length));
      await same(zeroed(joint));
      await same(
        changed(files, name, (bytes) =>
          concat([bytes.subarray(0, before), new Uint8Array(length), bytes.subarray(before)]),
        ),
      );
    }
  });

  it('is: a torn tail, and one at the end of a segment in the middle', async () => {
    expect((await same(cut(files[name]!.length - 9, files[name]!.length))).verdict).toBe(
      'torn-tail',
    );
    for (const segments of [2, 3, 4, 5]) {
      for (let i = 1; i <= segments; i++) {
        const log = logV1(puts(300), segments);
        await same(changed(log, `00000${i}.wal`, (bytes) => bytes.subarray(0, -9)));
      }
    }
  });

  it('is: a segment that is missing', async () => {
    for (const missing of [1, 2, 3, 4, 5]) {
      const { [`00000${missing}.wal`]: _, ...rest } = logV1(puts(300), 5);
      await same(rest);
    }
  });

  it('is: an older stretch of the log over a newer one', async () => {
    for (let to = before - 8 * record; to < before + 3 * record; to += record) {
      await same(
        changed(files, name, (bytes) => {
          bytes.copyWithin(to, 5 * record, 9 * record);
        }),
      );
      await same(
        changed(files, name, (bytes) => {
          bytes.copyWithin(to + 3, 5 * record, 9 * record);
        }),
      );
    }
  });

  it('is: a commit that seals nothing, beside the joint', async () => {
    for (let i = 140; i < 160; i++) {
      const operations = puts(300);
      operations.splice(i, 2, operation('commit'), operation('commit'));
      expect((await same(logV1(operations, 1))).counts).toEqual({ 'empty-commit': 1 });
    }
  });

  it('is: records in a value, where a scan could begin by mistake', async () => {
    const inner = concat([48, 49, 50].map((seq) => encodeRecord(0, seq, operation('put', 'x'))));
    const outer = encodeRecord(0, 51, operation('put', 'in', inner));
    // To whoever begins in the value all is well. To others the same number stands there twice.
    const behind = logV1(puts(70), 1, 51)[name]!;
    const stepBytes = inner.length + record + 20;
    const counted: unknown[] = [];
    for (let more = 0; more < 2 * record; more++) {
      const front = logV1(puts(49), 1, 2)[name]!;
      const end = front.length + outer.length + record + more;
      const pad = 'v'.repeat(stepBytes - ((end + 26) % stepBytes));
      const first = encodeRecord(0, 1, operation('put', 'k', pad));
      const log = { [name]: concat([first, front, outer, behind]) };
      const two = {
        ...small,
        stepBytes,
        headStartBytes: 2 * (end + first.length) - log[name]!.length,
      };
      const { result, answer } = await byTwo(log, v1, two);
      expect(result).toEqual(await byOne(log));
      expect(result.findings[0]!.message).toContain('out of place');
      counted.push(answer);
    }
    expect(counted.some((answer) => answer !== undefined)).toBe(true);
  });

  const log = fc
    .tuple(
      fc.array(
        fc.oneof(
          { weight: 8, arbitrary: fc.nat(60).map((n) => operation('put', 'k', 'v'.repeat(n))) },
          fc.constant(operation('delete', 'key')),
          fc.constant(operation('commit')),
          fc.constant(operation('checkpoint')),
        ),
        { minLength: 40, maxLength: 200 },
      ),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(1, 1, 2 ** 32 - 60),
    )
    .map(([operations, segments, seq]) => logV1(operations, segments, seq));
  const harm = fc.record({
    kind: fc.constantFrom('flip', 'zero', 'cut', 'insert', 'copy', 'truncate'),
    /** How far from the joint, as one damage in two is near it. */
    near: fc.option(fc.integer({ min: -300, max: 300 })),
    at: fc.nat(),
    length: fc.integer({ min: 1, max: 200 }),
    file: fc.nat(),
  });

  it('is, whatever is done to it', async () => {
    await fc.assert(
      fc.asyncProperty(
        log,
        fc.array(harm, { maxLength: 3 }),
        fc.integer({ min: 40, max: 700 }),
        async (whole, harms, stepBytes) => {
          const two = { ...small, stepBytes };
          let damaged = whole;
          for (const one of harms) damaged = harmed(damaged, one, two);
          const { result } = await byTwo(damaged, v1, two);
          expect(result).toEqual(await byOne(damaged));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('is in v2 too', async () => {
    const two = { ...small, stepBytes: BLOCK_BYTES };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(9000)), {
          minLength: 20,
          maxLength: 60,
        }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(harm, { maxLength: 2 }),
        async (batches, segments, harms) => {
          let damaged = logV2(
            batches.map(([count, bytes]) => puts(count, bytes)),
            segments,
          );
          for (const one of harms) damaged = harmed(damaged, one, two, v2);
          const { result } = await byTwo(damaged, v2, two, blockLimits);
          expect(result).toEqual(await byOne(damaged, v2, blockLimits));
        },
      ),
      { numRuns: 60 },
    );
  });
});

interface Harm {
  kind: string;
  near: number | null;
  at: number;
  length: number;
  file: number;
}

function harmed(files: Files, harm: Harm, two: TwoReaders, dialect: WalDialect = v1): Files {
  const names = Object.keys(files);
  const part = harm.near === null ? undefined : partOf(opened(files, dialect), two);
  const name = names[part?.file ?? harm.file % names.length]!;
  return changed(files, name, (bytes) => {
    const { length } = bytes;
    if (length === 0) return bytes;
    const wanted = part ? part.joint + harm.near! : harm.at % length;
    const at = Math.min(Math.max(0, wanted), length - 1);
    const end = Math.min(length, at + harm.length);
    if (harm.kind === 'flip') bytes[at]! ^= 1 << (harm.at & 7);
    else if (harm.kind === 'zero') bytes.fill(0, at, end);
    else if (harm.kind === 'copy') bytes.copyWithin(at, harm.at % length, end);
    else if (harm.kind === 'truncate') return bytes.subarray(0, at);
    else if (harm.kind === 'cut') return concat([bytes.subarray(0, at), bytes.subarray(end)]);
    else return concat([bytes.subarray(0, at), new Uint8Array(harm.length), bytes.subarray(at)]);
    return bytes;
  });
}

describe('the second reader', () => {
  const input = opened(files, v1);
  const ask = (aside: AskAside, more = {}) =>
    verifyLog(input, { ...walContext(input, { limits, ...more }), aside }, small);

  it('is done without when it fails', async () => {
    const result = await ask(() => ({ answer: Promise.resolve(undefined), stop() {} }));
    expect(result).toEqual(await byOne(files));
  });

  it('is not believed where it stands elsewhere', async () => {
    const report = { last: 17, records: 1_000_000 };
    const result = await ask(() => ({ answer: Promise.resolve(report), stop() {} }));
    expect(result).toEqual(await byOne(files));
  });

  it('is stopped when the first one finds something, is aborted, or is done', async () => {
    let stopped = 0;
    const never: AskAside = () => ({
      answer: new Promise(() => {}),
      stop: () => void stopped++,
    });
    const damaged = changed(files, '000001.wal', (bytes) => {
      bytes[60]! ^= 1;
    });
    const hurt = opened(damaged, v1);
    const context = { ...walContext(hurt, { limits }), aside: never };
    expect(await verifyLog(hurt, context, small)).toEqual(await byOne(damaged));
    expect(stopped).toBe(1);

    const abort = new AbortController();
    abort.abort(new Error('enough'));
    await expect(ask(never, { signal: abort.signal })).rejects.toThrow('enough');
    expect(stopped).toBe(2);
  });

  it('ends with the wait for it when it is aborted', async () => {
    const abort = new AbortController();
    const aside: AskAside = () => ({
      // As the thread is stopped by the same signal.
      answer: new Promise((resolve) => {
        abort.signal.addEventListener('abort', () => resolve(undefined));
        setImmediate(() => abort.abort(new Error('enough')));
      }),
      stop() {},
    });
    await expect(ask(aside, { signal: abort.signal })).rejects.toThrow('enough');
  });

  it('looks for a place to begin no further than the joint', async () => {
    const furthest = { read: 0 };
    const bytes = concat([files['000001.wal']!.subarray(0, 2000), new Uint8Array(50_000)]);
    const set = memorySet({ '000001.wal': bytes });
    const open = set.open.bind(set);
    set.open = (name) => {
      const source = open(name);
      const read: typeof source.read = (target, start, length, position) => {
        const got = source.read(target, start, length, position) as number;
        furthest.read = Math.max(furthest.read, position + got);
        return got;
      };
      return { name, size: source.size, read };
    };
    const log = { set, dialect: v1, files: set.files };
    const part = { file: 0, from: 5000, joint: 6000 };
    expect(await verifyLogPart(log, part, walContext(log, { limits }))).toBeUndefined();
    expect(furthest.read).toBeLessThanOrEqual(part.from + limits.windowBytes);
  });

  it('tells how far both are', async () => {
    const told: [string, number, number | undefined][] = [];
    const size = files['000001.wal']!.length;
    await verifyLog(
      input,
      {
        ...walContext(input, { limits }),
        progress: (...one) => told.push(one),
        aside: (part, progress) => {
          const { joint } = part as LogPart;
          progress('000001.wal', joint + 1000, size);
          return { answer: Promise.resolve(undefined), stop() {} };
        },
      },
      small,
    );
    expect(told.every(([, done]) => done <= size)).toBe(true);
    expect(told[0]).toEqual(['000001.wal', 1000, size]);
  });
});

describe('a checker', () => {
  const at = (seq: number, offset: number) =>
    Object.assign(new WalRecord(), { offset, length: 25, seqLow: seq });

  it('is clean behind its last record, once nothing is odd', () => {
    const checker = new LogChecker(opened(files, v1), 10);
    checker.segment(opened(files, v1).files[0]!, 0);
    expect(checker.cleanBehind(0, -1)).toBe(true);
    checker.record(at(1, 0));
    expect([0, 25].map((offset) => checker.cleanBehind(0, offset))).toEqual([true, false]);
    checker.run(3, 25, 75, 100);
    expect([25, 75].map((offset) => checker.cleanBehind(0, offset))).toEqual([false, true]);
    expect(checker.cleanBehind(1, 75)).toBe(false);
    checker.record(at(6, 100));
    expect(checker.findings.total).toBe(0);
    expect(checker.cleanBehind(0, 100)).toBe(false);
    checker.record(at(7, 125));
    expect(checker.findings.counts).toEqual({ 'seq-gap': 1 });
    expect(checker.cleanBehind(0, 125)).toBe(false);
  });
});

describe('a run of plain records', () => {
  /** The same pass, told of record by record. */
  async function oneByOne(input: WalOpened, bounds = limits) {
    const checker = new LogChecker(input, 1000);
    await scanLog(input, walContext(input, { limits: bounds }), {
      record: (record) => checker.record(record),
      damage: (damage) => checker.damage(damage),
      resume: (previous, base) => checker.resume(previous, base),
    });
    checker.end();
    return checker;
  }

  it('counts as its records do, one by one', async () => {
    const seqs = fc.array(fc.constantFrom(1, 1, 1, 1, 1, 1, 1, 0, 2, -1, 5), {
      minLength: 1,
      maxLength: 60,
    });
    const start = fc.constantFrom(1, 7, 2 ** 32 - 20, 2 ** 32 * 3 - 5);
    await fc.assert(
      fc.asyncProperty(seqs, start, fc.nat(59), async (steps, from, hit) => {
        let seq = from;
        const records = steps.map((step, i) => {
          const one = i % 7 === 6 ? operation('commit') : operation('put', 'k', 'v');
          const bytes = encodeRecord(Math.floor(seq / 2 ** 32), seq % 2 ** 32, one);
          if (i === hit) bytes[21]! ^= 1;
          seq = Math.max(1, seq + step);
          return bytes;
        });
        const input = opened({ '000001.wal': concat(records) }, v1);
        const single = await oneByOne(input);
        const result = await byOne({ '000001.wal': concat(records) });
        expect(result.counts).toEqual(single.findings.counts);
        expect(result.stats['records']).toBe(single.stats.records);
        expect(new Set(result.findings)).toEqual(new Set(single.findings.kept));
      }),
      { numRuns: 500 },
    );
  });

  it('does so in v2', async () => {
    const batches = [...puts(50), ...puts(3, 200), ...puts(9)].map((one, i) =>
      i % 11 === 5 ? [one, operation('delete', 'a'), one] : i % 7 ? [one] : [operation('commit')],
    );
    const files = logV2(batches, 1);
    for (let at = 96; at < files['000001.wal2']!.length; at += 5) {
      const damaged = changed(files, '000001.wal2', (bytes) => {
        bytes[at]! ^= 16;
      });
      const single = await oneByOne(opened(damaged, v2), blockLimits);
      const result = await byOne(damaged, v2, blockLimits);
      expect(result.counts).toEqual(single.findings.counts);
      expect(result.stats['records']).toBe(single.stats.records);
    }
  });
});
