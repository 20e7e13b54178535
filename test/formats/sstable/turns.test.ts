/**
 * A dump by two, stretch by stretch, must print to the letter what one prints, and tell of the same
 * damage at the same lines. The second one runs here in the same thread, or in one of its own.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printingFor } from '../../../src/cli/aside.ts';
import type { AskPrinting, Stretch } from '../../../src/formats/aside.ts';
import { DEFAULT_LIMITS, type Family } from '../../../src/formats/format.ts';
import { dumpTables } from '../../../src/formats/sstable/dump.ts';
import { sstable, tableDialects } from '../../../src/formats/sstable/index.ts';
import type { TableOpened } from '../../../src/formats/sstable/model.ts';
import { type PrintPart, partOfDump, printTablePart } from '../../../src/formats/sstable/turns.ts';
import { openFileSet } from '../../../src/io/file-set.ts';
import type { BytesFormats } from '../../../src/ui/bytes-format.ts';
import { GatheredOutput } from '../../../src/ui/gathered-output.ts';
import { JsonSink } from '../../../src/ui/json-sink.ts';
import { TextSink } from '../../../src/ui/text-sink.ts';
import { root } from '../../cli/run.ts';
import { memorySet } from '../../support/memory.ts';

const fixtures = join(root, 'fixtures/sstable');
const formats: BytesFormats = { key: 'auto', value: 'auto', redact: false };
const context = { limits: DEFAULT_LIMITS };

const tables = ['rocksdb', 'rocksdb-made'].flatMap((directory) =>
  readdirSync(join(fixtures, directory))
    .filter((name) => name.endsWith('.sst'))
    .map((name) => ({
      name,
      path: join(fixtures, directory, name),
      bytes: readFileSync(join(fixtures, directory, name)),
    })),
);
const dialect = tableDialects.find(({ id }) => id === 'rocksdb')!;

function opened(name: string, bytes: Uint8Array): TableOpened {
  const set = memorySet({ [name]: bytes });
  return { set, dialect, files: set.files };
}

const sinkTo = (out: GatheredOutput, json: boolean) =>
  json ? new JsonSink(out, formats) : new TextSink(out, formats);

async function dump(
  input: TableOpened,
  json: boolean,
  stretchBytes = 0,
  printing?: AskPrinting,
): Promise<{ text: string; result: unknown }> {
  const out = new GatheredOutput();
  const result = await dumpTables(
    input,
    {},
    { ...context, printing },
    sinkTo(out, json),
    ({ code, offset }) => out.text(`damage: ${code} @ ${offset}\n`),
    (file) => ({ file, stretchBytes }),
  );
  return { text: Buffer.from(out.take()).toString('latin1'), result };
}

/** Has it printed before it is asked for. */
function beside(input: TableOpened, json: boolean, seen = { stretches: 0 }): AskPrinting {
  return (part) => {
    const stretches: Stretch[] = [];
    const out = new GatheredOutput();
    const sink = sinkTo(out, json);
    const done = printTablePart(input, structuredClone(part) as PrintPart, context, sink, (one) => {
      const text = out.take();
      if (one) stretches.push({ ...one, text });
      return Promise.resolve();
    });
    return {
      async next() {
        await done;
        seen.stretches++;
        return stretches.shift();
      },
      stop() {},
    };
  };
}

describe('tables dumped by two', () => {
  it('whole ones: the same lines, whatever the stretches', async () => {
    const seen = { stretches: 0 };
    for (const { name, bytes } of tables) {
      const input = opened(name, bytes);
      for (const json of [true, false]) {
        const one = await dump(input, json);
        for (const stretchBytes of [1, 700, 1024, 5000, 100_000]) {
          const two = await dump(input, json, stretchBytes, beside(input, json, seen));
          expect(two).toEqual(one);
        }
      }
    }
    expect(seen.stretches).toBeGreaterThan(200);
  });

  it('damaged ones: the same lines and findings', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...tables),
        fc.array(fc.tuple(fc.nat(9999), fc.nat(255)), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.integer({ min: 1, max: 6000 }),
        async ({ name, bytes }, hits, stretchBytes) => {
          const damaged = Uint8Array.from(bytes);
          for (const [where, value] of hits)
            damaged[Math.floor((where * bytes.length) / 10_000)] = value;
          const input = opened(name, damaged);
          const two = await dump(input, true, stretchBytes, beside(input, true));
          expect(two).toEqual(await dump(input, true));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('in a thread of its own; without one, or when it fails, one does all', async () => {
    const { path, name, bytes } = tables.find((table) => table.name === 'two-level.sst')!;
    const set = openFileSet(path);
    const input = { set, family: sstable as unknown as Family, dialect, files: set.files };
    const one = await dump(opened(name, bytes), true);
    const script = join(root, 'dist/aside-worker.js');
    for (const worker of [script, join(root, 'dist/no-such-worker.js')]) {
      const printing = printingFor(input, context, worker, { json: true, formats }, 2);
      expect(printing).toBeDefined();
      expect(await dump({ set, dialect, files: set.files }, true, 2000, printing)).toEqual(one);
    }
    expect(printingFor(input, context, script, { json: true, formats }, 1)).toBeUndefined();
  });

  it('small tables are for one', () => {
    expect(partOfDump(0, 1024 * 1024)).toBeUndefined();
    expect(partOfDump(3, 64 * 1024 * 1024)?.file).toBe(3);
  });
});
