/** Within a damaged block: the data behind the damage are found again, and nothing else is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Cursor } from '../../../src/formats/avro/codec/cursor.ts';
import { JsonOut } from '../../../src/formats/avro/codec/json-out.ts';
import { valueWriter } from '../../../src/formats/avro/codec/write-value.ts';
import { Writer } from '../../../src/formats/avro/codec/writer.ts';
import { avro } from '../../../src/formats/avro/index.ts';
import { BlockData } from '../../../src/formats/avro/ocf/block-data.ts';
import { loadCodec } from '../../../src/formats/avro/ocf/codecs.ts';
import { ocf } from '../../../src/formats/avro/ocf/index.ts';
import { printingReader } from '../../../src/formats/avro/ocf/readers.ts';
import { RESYNC_BYTES_MAX, Resync } from '../../../src/formats/avro/ocf/resync.ts';
import { Block } from '../../../src/formats/avro/ocf/scan.ts';
import type { CodecName } from '../../../src/formats/avro/ocf/spec.ts';
import { ContainerWriter, markerOf } from '../../../src/formats/avro/ocf/write.ts';
import { parseSchema } from '../../../src/formats/avro/schema/parse.ts';
import { coverageFaults } from '../../../src/formats/coverage.ts';
import { DEFAULT_LIMITS, type Opened, type Span } from '../../../src/formats/format.ts';
import { memorySet } from '../../support/memory.ts';

const context = { limits: DEFAULT_LIMITS };
const SCHEMA = JSON.stringify({
  type: 'record',
  name: 'R',
  fields: [
    { name: 'id', type: 'int' },
    { name: 'name', type: ['null', 'string'] },
    { name: 'tags', type: { type: 'array', items: 'string' } },
    { name: 'ok', type: 'boolean' },
  ],
});
const schema = parseSchema(SCHEMA);
const put = valueWriter(schema.root, 'value');
const RECORDS = 40;

const row = (id: number) => ({
  id,
  name: id % 3 === 0 ? null : `name ${id}`,
  tags: id % 2 === 0 ? [] : ['a', `tag ${id}`],
  ok: id % 5 === 0,
});

/** The data of a block, and where each of them ends. */
function encoded(): { bytes: Buffer; ends: number[] } {
  const writer = new Writer();
  const ends = Array.from({ length: RECORDS }, (_, id) => {
    put(writer, row(id));
    return writer.at;
  });
  return { bytes: Buffer.from(writer.written), ends };
}

async function blockData(codec: CodecName = 'null'): Promise<BlockData> {
  const header = { schema, codec } as Parameters<typeof BlockData.open>[0];
  return BlockData.open(header, 'a.avro', DEFAULT_LIMITS.recordBytes)!;
}

function blockOf(bytes: Uint8Array, count = RECORDS): Block {
  const block = new Block();
  Object.assign(block, { bytes, end: bytes.length, count, length: bytes.length });
  return block;
}

/** What is read of a block: numbers and values, as printed. */
function readAll(data: BlockData, block: Block) {
  const out = new JsonOut();
  const numbers: number[] = [];
  const outcome = data.read(block, printingReader(out, data.type), (index) => {
    numbers.push(index);
    return true;
  });
  const values = out.text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
  return { outcome, numbers, values };
}

describe('behind a damaged datum', () => {
  it('all the others are read, whichever byte is hit, and none that was not written', async () => {
    const data = await blockData();
    const { bytes, ends } = encoded();
    const told = { found: 0, all: 0 };
    for (let at = 0; at < bytes.length - 1; at++) {
      const hit = Buffer.from(bytes);
      hit[at] = 0xff;
      const { outcome, numbers, values } = readAll(data, blockOf(hit));
      const lost = ends.findIndex((end) => at < end);
      const error = outcome.findings.find(({ severity }) => severity === 'error');
      // A datum that was hit and still is one has another value; those behind it have their own.
      const behind = numbers.flatMap((number, i) => (number > lost ? [values[i]] : []));
      expect(behind).toEqual(behind.length === 0 ? [] : rowsFrom(RECORDS - behind.length));
      if (error?.offset === undefined || outcome.runs.length === 1) continue;
      told.found++;
      if (outcome.read === RECORDS - 1) told.all++;
    }
    expect(told.found).toBeGreaterThan(bytes.length / 3);
    expect(told.all / told.found).toBeGreaterThan(0.8);
  });

  const rowsFrom = (first: number) =>
    Array.from({ length: RECORDS - first }, (_, i) => row(first + i));

  it('a lost stretch costs what it covers, and at most two data more', async () => {
    const data = await blockData();
    const { bytes, ends } = encoded();
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: bytes.length - 150 }),
        fc.integer({ min: 40, max: 100 }),
        (at, length) => {
          const hit = Buffer.from(bytes).fill(0xff, at, at + length);
          const { outcome, values } = readAll(data, blockOf(hit));
          const first = ends.findIndex((end) => end >= at + length) + 1;
          const [before, behind] = outcome.runs;
          expect(behind).toBeDefined();
          expect(values.slice(before!.records)).toEqual(rowsFrom(RECORDS - behind!.records));
          expect(RECORDS - behind!.records).toBeGreaterThanOrEqual(first);
          expect(RECORDS - behind!.records).toBeLessThanOrEqual(first + 2);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is told what was lost, and from where on it is read', async () => {
    const data = await blockData();
    const { bytes, ends } = encoded();
    const branch = ends[10]! + 1;
    bytes[branch] = 8;
    const block = blockOf(bytes);
    block.dataOffset = 1000;
    const { outcome } = readAll(data, block);
    expect(outcome.read).toBe(RECORDS - 1);
    expect(outcome.findings).toMatchObject([
      {
        code: 'bad-union-branch',
        offset: 1000 + branch,
        message: 'datum 11 of the block: R.name: branch 4 of a union, expected 0 to 1',
        evidence: `28 data follow from byte ${1000 + ends[11]!} on, to the block's end; between lie ${ends[11]! - ends[10]!} bytes, of 1 data`,
        repair: 'keep the data before it and those that are found again',
      },
    ]);
  });

  it('two damaged places cost what lies between them', async () => {
    const data = await blockData();
    const { bytes, ends } = encoded();
    bytes[ends[5]! + 1] = 8;
    bytes[ends[30]! + 1] = 8;
    const { outcome, values } = readAll(data, blockOf(bytes));
    expect(outcome.findings).toHaveLength(1);
    expect(outcome.findings[0]?.evidence).toMatch(
      /^of the 33 data that the count leaves, the last 7/,
    );
    expect(values).toEqual([...rowsFrom(0).slice(0, 6), ...rowsFrom(33)]);
  });
});

it('a datum that a reader’s schema has no place for costs no other', async () => {
  const data = await blockData();
  const fields = [
    { name: 'id', type: 'int' },
    { name: 'name', type: 'string' },
  ];
  const reader = parseSchema(JSON.stringify({ type: 'record', name: 'R', fields }));
  const out = new JsonOut();
  const reading = printingReader(out, data.type, reader.root);
  const { findings, read } = data.read(blockOf(encoded().bytes), reading);
  const nameless = Array.from({ length: RECORDS }, (_, id) => id).filter((id) => id % 3 === 0);
  expect(read).toBe(RECORDS - nameless.length);
  expect(findings.map(({ message }) => Number(/^datum (\d+)/.exec(message)?.[1]))).toEqual(
    nameless,
  );
  expect(new Set(findings.map(({ code, repair }) => `${code}: ${repair}`))).toEqual(
    new Set(['unresolvable: nothing: the datum is whole']),
  );
});

describe('a search', () => {
  const find = (type: string, bytes: Uint8Array, left: number) => {
    const cursor = new Cursor();
    cursor.open(bytes, 0, bytes.length);
    return new Resync(parseSchema(type).root).find(cursor, 0, left);
  };

  it('takes nothing where two readings of the same number never come together', () => {
    // Behind the first byte: "a" and "b", or from one byte later on one of 'b' and one of nothing.
    expect(
      find('"string"', Buffer.from('ff04610204620000'.slice(0, 12), 'hex'), 1),
    ).toBeUndefined();
    expect(find('"boolean"', Buffer.from([9, 1, 0]), 2)).toEqual({
      start: 1,
      records: 2,
      exact: true,
    });
    expect(find('"boolean"', Buffer.from([9, 1, 0]), 3)).toEqual({
      start: 2,
      records: 1,
      exact: false,
    });
  });

  it('is given up where bytes are made to be read again and again', () => {
    // From every third byte on nearly all that is left is one item.
    const hostile = Buffer.alloc(150_000);
    for (let at = 0; at < hostile.length; at += 3) hostile.set([0x80, 0x80, 0x06], at);
    expect(find('"bytes"', hostile, 100)).toBeUndefined();
    const nothings = Buffer.alloc(20_000, 0x7e);
    expect(find('{"type":"array","items":"null"}', nothings, 100)).toBeUndefined();
    expect(find('"int"', Buffer.alloc(RESYNC_BYTES_MAX + 1), 3)).toBeUndefined();
    expect(find('"null"', Buffer.alloc(10), 3)).toBeUndefined();
  });

  it('ends at whatever it meets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ max: 50 }), (bytes, left) => {
        const found = find(SCHEMA, bytes, left);
        if (!found) return;
        expect(found.records).toBeLessThanOrEqual(left);
        expect(found.start).toBeGreaterThan(0);
      }),
    );
  });
});

describe('data that break off', () => {
  async function container(codec: CodecName): Promise<Buffer> {
    const parts: Buffer[] = [];
    const writer = new ContainerWriter(
      {
        codec,
        compression: await loadCodec(codec),
        schemaText: SCHEMA,
        marker: markerOf('resync'),
        blockBytes: 400_000,
      },
      (bytes) => parts.push(Buffer.from(bytes)),
    );
    for (let id = 0; id < 2000; id++) writer.datum((to) => put(to, row(id)));
    writer.flush();
    return Buffer.concat(parts);
  }

  function opened(bytes: Uint8Array): Opened {
    const set = memorySet({ 'a.avro': bytes });
    return { set, dialect: ocf, files: set.files };
  }

  async function repaired(bytes: Uint8Array) {
    const input = opened(bytes);
    const plan = await avro.planRepair!(input, { mend: false }, context);
    const parts: Buffer[] = [];
    await avro.applyRepair!(input, { ...plan, inputs: [] }, context, {
      create: () => ({
        write: (from, start, end) => parts.push(Buffer.from(from.subarray(start, end))),
        finish() {},
      }),
    });
    return { plan, out: Buffer.concat(parts) };
  }

  it.each(['deflate', 'snappy', 'xz'] as const)('of %s are kept up to there', async (codec) => {
    const bytes = await container(codec);
    const cut = bytes.subarray(0, Math.floor(bytes.length * 0.8));
    const { plan, out } = await repaired(cut);
    const after = await avro.verify(opened(out), context);
    expect(after).toMatchObject({ clean: true, stats: { blocks: 1 } });
    const records = after.stats['records'] as number;
    expect(records).toBeGreaterThan(1000);
    expect(plan.ledger.at(-1)).toMatchObject({ fate: 'dropped', recordsAtMost: 2000 - records });
    const whole = await dumped(bytes);
    expect(await dumped(out)).toEqual(whole.slice(0, records));
  });

  it('in the middle of a file too, with what they were told of', async () => {
    const bytes = await container('deflate');
    const hit = Buffer.from(bytes);
    // A block of the type 3, which there is none of, from here on.
    hit.fill(0xff, Math.floor(bytes.length * 0.7), bytes.length - 16);
    const { findings, stats } = await avro.verify(opened(hit), context);
    expect(findings).toMatchObject([
      { code: 'bad-compression', evidence: expect.stringMatching(/^before the break \d+ bytes/) },
    ]);
    expect(stats['records']).toBeGreaterThan(800);
    const { plan, out } = await repaired(hit);
    expect(plan.consequences[0]).toContain('nothing vouches for those kept');
    const after = await avro.verify(opened(out), context);
    expect(after).toMatchObject({ clean: true, stats: { records: stats['records'] } });
    const spans: Span[] = [];
    const input = opened(hit);
    await avro.layout(input, input.set.open('a.avro'), context, (span) => spans.push(span) > 0);
    expect(coverageFaults(spans, 0, hit.length)).toEqual([]);
  });

  async function dumped(bytes: Uint8Array): Promise<unknown[]> {
    const values: unknown[] = [];
    const ignore = () => {};
    const sink = {
      begin: ignore,
      word: ignore,
      text: ignore,
      integer: ignore,
      integer64: ignore,
      time: ignore,
      flag: ignore,
      bytes: ignore,
      end: ignore,
      json: (_: string, value: unknown) => values.push(value),
    };
    await avro.dump(opened(bytes), {}, context, sink, ignore);
    return values;
  }
});
