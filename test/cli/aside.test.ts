/** The second thread of a big verification. What it is asked for: test/formats/wal/second-reader.test.ts. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { asideFor } from '../../src/cli/aside.ts';
import { DEFAULT_LIMITS, type Family, type VerifyResult } from '../../src/formats/format.ts';
import { wal, walContext } from '../../src/formats/wal/index.ts';
import { encodeRecord } from '../../src/formats/wal/v1/encode.ts';
import { v1 } from '../../src/formats/wal/v1/index.ts';
import { verifyLog } from '../../src/formats/wal/verify.ts';
import { openFileSet } from '../../src/io/file-set.ts';
import { ddia, json, root, temporaryDirectory } from './run.ts';

const script = join(root, 'dist/aside-worker.js');
const directory = temporaryDirectory();
const context = { limits: DEFAULT_LIMITS };

/** Segments of `count` records each, numbered on, with values of `bytes`. */
function write(name: string, segments: number, count: number, bytes: number): string {
  const path = join(directory, name);
  mkdirSync(path);
  const value = Buffer.alloc(bytes, 'value ');
  let seq = 0;
  for (let i = 1; i <= segments; i++) {
    const records = Array.from({ length: count }, () => {
      seq++;
      return encodeRecord(0, seq, { op: 'put', key: Buffer.from(`${1e6 + seq}`), value });
    });
    writeFileSync(join(path, `00000${i}.wal`), Buffer.concat(records));
  }
  return path;
}

function opened(path: string) {
  const set = openFileSet(path);
  const files = wal.select(set, v1);
  return { set, family: wal as unknown as Family, dialect: v1, files };
}

/** By two threads, with a joint every 4 KiB; and what the second one answered. */
async function byTwo(path: string, worker = script, signal?: AbortSignal) {
  const input = opened(path);
  const ask = asideFor(input, { ...context, signal }, worker, 2)!;
  const seen = { answer: undefined as unknown, asked: 0 };
  const result = await verifyLog(
    input,
    {
      ...walContext(input, { ...context, signal }),
      aside(part, progress) {
        seen.asked++;
        const aside = ask(part, progress);
        return { ...aside, answer: aside.answer.then((answer) => (seen.answer = answer)) };
      },
    },
    { fromBytes: 0, stepBytes: 4096, headStartBytes: 0 },
  );
  return { result, ...seen };
}

const byOne = (path: string) => {
  const input = opened(path);
  return verifyLog(input, walContext(input, context));
};

describe('a second thread', () => {
  it('reads the rest of a file, or of a directory', async () => {
    const path = write('clean', 3, 2000, 40);
    for (const one of [path, join(path, '000001.wal')]) {
      const { result, answer } = await byTwo(one);
      expect(result).toEqual(await byOne(one));
      expect(result.clean).toBe(true);
      expect(answer).toMatchObject({ records: expect.any(Number) });
    }
  });

  it('leaves to the first what it finds', async () => {
    const path = write('hurt', 2, 2000, 40);
    const file = join(path, '000002.wal');
    const bytes = readFileSync(file);
    bytes[bytes.length - 5000]! ^= 1;
    writeFileSync(file, bytes);
    const { result, answer, asked } = await byTwo(path);
    expect(result).toEqual(await byOne(path));
    expect(result.verdict).toBe('damaged');
    expect({ answer, asked }).toEqual({ answer: undefined, asked: 1 });
  });

  it('is done without where it cannot be started', async () => {
    const path = write('alone', 1, 2000, 40);
    for (const worker of [join(directory, 'no-such-file.js'), 'not-absolute.js']) {
      const { result, answer } = await byTwo(path, worker);
      expect(result).toEqual(await byOne(path));
      expect(answer).toBeUndefined();
    }
  });

  it('ends when the command is interrupted', async () => {
    const path = write('interrupted', 1, 2000, 40);
    const abort = new AbortController();
    setImmediate(() => abort.abort(new Error('interrupted')));
    await expect(byTwo(path, script, abort.signal)).rejects.toThrow('interrupted');
  });

  it('is offered where there is one, and files that it can open', () => {
    const input = opened(join(root, 'fixtures/wal/v1/clean'));
    const offered = (more: object, cores = 2) =>
      asideFor({ ...input, ...more }, context, script, cores) !== undefined;
    expect(offered({})).toBe(true);
    expect(offered({}, 1)).toBe(false);
    expect(offered({ set: { ...input.set, path: '-' } })).toBe(false);
    expect(offered({ dialect: { ...v1, id: 'of-a-plugin' } })).toBe(false);
    expect(offered({ family: { ...input.family, verifyPart: undefined } })).toBe(false);
  });
});

describe('verify', () => {
  const BIG = { segments: 2, count: 700, bytes: 100_000 };
  const answer = (path: string) => {
    const ran = ddia(['wal', 'verify', path, '--json'], { env: { NODE_DEBUG: 'worker' } });
    const { results } = json<{ results: VerifyResult[] }>(ran);
    return { ...ran, result: results[0]!, threads: /^WORKER/m.test(ran.stderr) ? 2 : 1 };
  };
  const threads = availableParallelism() < 2 ? 1 : 2;

  it('has two threads for a log of 128 MiB, and one for a small one', () => {
    const path = write('big', BIG.segments, BIG.count, BIG.bytes);
    const clean = answer(path);
    expect(clean).toMatchObject({ status: 0, threads });
    expect(clean.result).toMatchObject({ clean: true, stats: { files: 2, records: 1400 } });
    expect(answer(join(path, '000001.wal'))).toMatchObject({ status: 0, threads: 1 });

    const file = join(path, '000002.wal');
    const bytes = readFileSync(file);
    const record = bytes.length / BIG.count;
    bytes[600 * record + 500]! ^= 1;
    writeFileSync(file, bytes);
    const hurt = answer(path);
    expect(hurt).toMatchObject({ status: 1, threads });
    expect(hurt.result.stats['records']).toBe(1399);
    expect(hurt.result.findings).toMatchObject([
      { code: 'crc-mismatch', file: '000002.wal', offset: 600 * record, length: record },
    ]);
  });
});
