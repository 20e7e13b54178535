/** Containers: what Apache Avro wrote, what is written here, and damage of every kind. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { JsonOut } from '../../../src/formats/avro/codec/json-out.ts';
import { valueWriter } from '../../../src/formats/avro/codec/write-value.ts';
import { avro } from '../../../src/formats/avro/index.ts';
import { BlockData } from '../../../src/formats/avro/ocf/block-data.ts';
import { loadCodec } from '../../../src/formats/avro/ocf/codecs.ts';
import { ocf } from '../../../src/formats/avro/ocf/index.ts';
import { printingReader } from '../../../src/formats/avro/ocf/readers.ts';
import { scanContainer } from '../../../src/formats/avro/ocf/scan.ts';
import { CODECS, type CodecName } from '../../../src/formats/avro/ocf/spec.ts';
import { ContainerWriter, markerOf } from '../../../src/formats/avro/ocf/write.ts';
import { parseSchema } from '../../../src/formats/avro/schema/parse.ts';
import { coverageFaults } from '../../../src/formats/coverage.ts';
import { DEFAULT_LIMITS, type Opened, type Span } from '../../../src/formats/format.ts';
import { memorySet } from '../../support/memory.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures/avro/ocf');
const context = { limits: DEFAULT_LIMITS };

function opened(bytes: Uint8Array): Opened {
  const set = memorySet({ 'a.avro': bytes });
  return { set, dialect: ocf, files: set.files };
}

const verify = (bytes: Uint8Array) => avro.verify(opened(bytes), context);

/** All data as JSON. */
async function rows(bytes: Uint8Array): Promise<Record<string, unknown>[]> {
  const out = new JsonOut();
  const input = opened(bytes);
  let data: BlockData | undefined;
  await scanContainer(input.set.open('a.avro'), context, {
    async header(header) {
      data = BlockData.open(header, 'a.avro', DEFAULT_LIMITS.recordBytes);
    },
    block: (block) => data?.read(block, printingReader(out, data.type)),
    damage() {},
  });
  return out.text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function repaired(bytes: Uint8Array): Promise<{ plan: { ledger: unknown[] }; out: Buffer }> {
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

async function layout(bytes: Uint8Array): Promise<Span[]> {
  const input = opened(bytes);
  const spans: Span[] = [];
  await avro.layout(input, input.set.open('a.avro'), context, (span) => {
    spans.push(span);
    return true;
  });
  return spans;
}

const SCHEMA = JSON.stringify({
  type: 'record',
  name: 'R',
  fields: [
    { name: 'id', type: 'int' },
    { name: 'name', type: ['null', 'string'] },
  ],
});

async function container(codec: CodecName, records: number, blockBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  const put = valueWriter(parseSchema(SCHEMA).root, 'value');
  const writer = new ContainerWriter(
    {
      codec,
      compression: await loadCodec(codec),
      schemaText: SCHEMA,
      marker: markerOf('test'),
      blockBytes,
      meta: new Map([['note', Buffer.from('kept')]]),
    },
    (bytes) => parts.push(Buffer.from(bytes)),
  );
  for (let id = 0; id < records; id++) {
    writer.datum((to) => put(to, { id, name: id % 3 === 0 ? null : `name ${id}` }));
  }
  writer.flush();
  return Buffer.concat(parts);
}

describe('what Apache Avro for Python wrote', () => {
  const expected = JSON.parse(readFileSync(join(fixtures, 'expected-rows.json'), 'utf8')) as Record<
    string,
    unknown
  >[];
  const NAMES = ['null', 'deflate', 'snappy', 'bzip2', 'zstandard'];

  it.each(NAMES)('is read: %s', async (codec) => {
    const bytes = readFileSync(join(fixtures, `users-${codec}.avro`));
    const found = (await rows(bytes)).map((row) => ({
      ...row,
      id: Number(row['id']),
      raw: (row['raw'] as { hex: string }).hex,
      blob: (row['blob'] as { hex: string }).hex,
    }));
    expect(found).toEqual(expected);
    expect(await verify(bytes)).toMatchObject({ clean: true, stats: { records: 400, blocks: 4 } });
  });

  it.each(NAMES)('is accounted for to the last byte: %s', async (codec) => {
    const bytes = readFileSync(join(fixtures, `users-${codec}.avro`));
    const spans = await layout(bytes);
    expect(coverageFaults(spans, 0, bytes.length)).toEqual([]);
    expect(spans.map(({ name }) => name)).toEqual(['header', ...Array(4).fill('block')]);
  });
});

function renamed({ 'overlong-varint': overlong, ...rest }: Record<string, number>) {
  return { overlong, ...rest } as { overlong?: number };
}

describe.each(CODECS)('a container written with %s', (codec) => {
  let bytes: Buffer;
  beforeAll(async () => {
    bytes = await container(codec, 100, 300);
  });

  it('comes back', async () => {
    const found = await rows(bytes);
    expect(found).toHaveLength(100);
    expect(found[7]).toEqual({ id: 7, name: 'name 7' });
    expect((await verify(bytes)).clean).toBe(true);
    expect(coverageFaults(await layout(bytes), 0, bytes.length)).toEqual([]);
  });

  it('cut at any length is at worst torn, and what is whole is kept', async () => {
    const header = (await layout(bytes))[0]!.length;
    for (let length = 0; length < bytes.length; length += codec === 'null' ? 5 : 23) {
      const cut = bytes.subarray(0, length);
      const result = await verify(cut);
      expect(result.verdict).not.toBe('damaged');
      expect(coverageFaults(await layout(cut), 0, length)).toEqual([]);
      if (length < header) continue;
      const { out } = await repaired(cut);
      const after = await verify(out);
      expect(after.clean).toBe(true);
      expect(await rows(out)).toEqual(
        (await rows(bytes)).slice(0, after.stats['records'] as number),
      );
    }
  });

  it('hit by any bit is told of or holds other values, and a repair is clean', async () => {
    const spans = await layout(bytes);
    const header = spans[0]!.length;
    const step = codec === 'null' ? 7 : 29;
    for (let at = header; at < bytes.length; at += step) {
      const hit = Buffer.from(bytes);
      hit[at]! ^= 1 << (at & 7);
      const before = await verify(hit);
      expect(before.verdict).not.toBe('torn-tail');
      const found = await layout(hit);
      expect(coverageFaults(found, 0, hit.length)).toEqual([]);
      const { plan, out } = await repaired(hit);
      // What could be shorter is read all the same, and stays as it is.
      const { overlong = 0, ...worse } = renamed((await verify(out)).counts);
      expect({ worse, overlong: overlong > 1 }).toEqual({ worse: {}, overlong: false });
      if (before.clean) expect(plan.ledger).toHaveLength(1);
      // One bit costs no more than one block; there are three.
      expect((await rows(out)).length).toBeGreaterThanOrEqual(55);
    }
  });
});

describe('damage', () => {
  const codes = async (bytes: Uint8Array) => (await verify(bytes)).findings.map(({ code }) => code);
  let bytes: Buffer;
  let blocks: Span[];
  beforeAll(async () => {
    bytes = await container('null', 100, 300);
    blocks = (await layout(bytes)).slice(1);
  });

  function changed(at: number, ...values: number[]): Buffer {
    const copy = Buffer.from(bytes);
    copy.set(values, at);
    return copy;
  }

  it('of a marker is mended, and nothing is lost', async () => {
    const end = blocks[1]!.offset + blocks[1]!.length;
    const hit = changed(end - 5, 0, 0, 0);
    const { findings } = await verify(hit);
    expect(findings).toMatchObject([{ code: 'bad-marker', offset: end - 16, length: 16 }]);
    expect((await repaired(hit)).out).toEqual(bytes);
  });

  it('of the last marker too', async () => {
    const hit = changed(bytes.length - 1, 0x55);
    expect(await codes(hit)).toEqual(['bad-marker']);
    expect((await repaired(hit)).out).toEqual(bytes);
  });

  it('of the magic number is mended', async () => {
    const hit = changed(0, 0x50);
    expect(await codes(hit)).toEqual(['bad-magic']);
    expect((await repaired(hit)).out).toEqual(bytes);
  });

  it('of a size costs the block and no more', async () => {
    const { offset, length } = blocks[1]!;
    const hit = changed(offset + 1, 0xff, 0xff, 0xff, 0xff, 0x7f);
    expect((await verify(hit)).findings).toMatchObject([{ code: 'bad-block', offset, length }]);
    const kept = await rows((await repaired(hit)).out);
    const [first, last] = [kept[0]!, kept.at(-1)!];
    expect([first['id'], last['id']]).toEqual([0, 99]);
  });

  it('of a datum keeps those before it and behind it, and tells its place in the file', async () => {
    const [, , , datum] = blocks[1]!.children!.filter(({ name }) => name.startsWith('datum'));
    const branch = datum!.children![1]!.children![0]!;
    const hit = changed(branch.offset, 8);
    const { findings } = await verify(hit);
    expect(findings).toMatchObject([
      {
        code: 'bad-union-branch',
        offset: branch.offset,
        message: expect.stringMatching(/^datum 3 of .*R\.name: branch 4/),
      },
    ]);
    const { plan, out } = await repaired(hit);
    expect((await verify(out)).clean).toBe(true);
    expect(plan.ledger).toMatchObject([
      { fate: 'kept' },
      { fate: 'salvaged', records: 3 },
      { fate: 'dropped', code: 'bad-union-branch', records: 1 },
      { fate: 'salvaged', code: 'bad-union-branch' },
      { fate: 'kept' },
    ]);
    const all = await rows(bytes);
    const lost = (datum!.children![0]!.value as number) ?? -1;
    expect(await rows(out)).toEqual(all.filter((row) => row['id'] !== lost));
  });

  it('of a count is found on either side', async () => {
    const { offset } = blocks[0]!;
    const count = blocks[0]!.children![0]!.value as number;
    expect(await codes(changed(offset, (count + 1) * 2))).toEqual(['truncated-datum']);
    expect(await codes(changed(offset, (count - 1) * 2))).toEqual(['trailing-bytes']);
  });

  it('that leaves room for no such count asks for no memory', async () => {
    const head = bytes.subarray(0, blocks[0]!.offset);
    const marker = bytes.subarray(-16);
    const huge = Buffer.from('feffffffffffff0f02'.concat('00'), 'hex');
    expect(await codes(Buffer.concat([head, huge, marker]))).toContain('bad-datum-count');
  });

  it('of the header is said, and what stands behind it is still looked at', async () => {
    const at = bytes.indexOf('"int"');
    const hit = changed(at + 1, 0x58);
    const { findings, stats } = await verify(hit);
    expect(findings).toMatchObject([
      { code: 'bad-header', message: expect.stringMatching(/no type of the name "Xnt"/) },
    ]);
    expect(stats).toMatchObject({ records: 100 });
    expect(
      await codes(changed(4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2)),
    ).toEqual(['bad-header']);
  });

  it('of Snappy is found by its CRC', async () => {
    const snappy = await container('snappy', 10, 10_000);
    snappy[snappy.length - 17]! ^= 1;
    expect(await codes(snappy)).toEqual(['crc-mismatch']);
  });

  it('a bomb is no memory, but a finding', async () => {
    const deflate = await loadCodec('deflate');
    const parts: Buffer[] = [];
    const writer = new ContainerWriter(
      { codec: 'deflate', compression: deflate, schemaText: '"bytes"', marker: markerOf('b') },
      (part) => parts.push(Buffer.from(part)),
    );
    writer.block(1, deflate.compress(Buffer.alloc(8 * 1024 * 1024)));
    writer.flush();
    const limits = { ...DEFAULT_LIMITS, recordBytes: 1024 * 1024 };
    const result = await avro.verify(opened(Buffer.concat(parts)), { limits });
    expect(result.findings).toMatchObject([
      { code: 'bad-compression', message: expect.stringMatching(/more than 1048576/) },
    ]);
  });
});

describe('a header hit by any bit', () => {
  it('is told of or is another header, and crashes nothing', async () => {
    const bytes = await container('null', 30, 300);
    const header = (await layout(bytes))[0]!.length;
    for (let at = 0; at < header; at++) {
      const hit = Buffer.from(bytes);
      hit[at]! ^= 1 << (at & 7);
      const { verdict } = await verify(hit);
      expect(coverageFaults(await layout(hit), 0, hit.length)).toEqual([]);
      // Of a marker that was hit no block has the like, so they all look torn or bad.
      if (at >= header - 16) expect(verdict).not.toBe('clean');
      const { plan } = await repaired(hit);
      const total = (plan.ledger as { length: number }[]).reduce((sum, one) => sum + one.length, 0);
      expect(total).toBe(bytes.length);
    }
  });
});

describe('a stream', () => {
  /** Once, forward, in small pieces, and without a size until its end. */
  function streamed(bytes: Uint8Array, piece: number): Opened {
    const source = {
      name: '-',
      size: undefined as number | undefined,
      forwardOnly: true,
      at: 0,
      read(target: Uint8Array, start: number, length: number, position: number) {
        // What was read last can be had again from the front, as of standard input.
        expect(position === this.at || position + length <= this.at).toBe(true);
        const part = bytes.subarray(position, position + Math.min(length, piece));
        target.set(part, start);
        this.at = Math.max(this.at, position + part.length);
        if (part.length === 0) this.size = position;
        return Promise.resolve(part.length);
      },
    };
    const files = [{ name: '-', size: undefined }];
    const set = { path: '-', isDirectory: false, files, siblings: files, open: () => source };
    return { set, dialect: ocf, files };
  }

  it.each([1, 7, 4096])('in pieces of %i bytes is read like a file', async (piece) => {
    const bytes = await container('deflate', 100, 300);
    bytes[400]! ^= 0x10;
    const limits = { ...DEFAULT_LIMITS, windowBytes: 256 };
    const whole = await verify(bytes);
    const { findings, stats, verdict } = await avro.verify(streamed(bytes, piece), { limits });
    expect(stats).toEqual(whole.stats);
    expect(verdict).toBe('damaged');
    expect(findings.map((one) => ({ ...one, file: '' }))).toEqual(
      whole.findings.map((one) => ({ ...one, file: '' })),
    );
  });
});

describe('stat', () => {
  it('accounts for every byte of the data', async () => {
    const stat = await avro.stat(opened(await container('snappy', 100, 300)), context);
    const fields = stat['fields'] as { field: string; bytes: number; values: number }[];
    const bytesOf = (name: string) => fields.find(({ field }) => field === name)!.bytes;
    expect(bytesOf('R')).toBe(stat['dataBytes']);
    expect(bytesOf('R.id') + bytesOf('R.name')).toBe(bytesOf('R'));
    expect(stat).toMatchObject({ codec: 'snappy', schema: 'R', records: 100, damaged: 0 });
  });
});

it('the page on the layout has an example that is a whole container', async () => {
  const page = readFileSync(
    join(import.meta.dirname, '../../../src/formats/avro/ocf/FORMAT.md'),
    'utf8',
  );
  const [, drawn = ''] = page.split('## A worked example')[1]!.split('```');
  const digits = drawn
    .trim()
    .split('\n')
    .map((line) => /^(?:[0-9a-f]{2} ?)+/.exec(line)![0]);
  const bytes = Buffer.from(digits.join('').replaceAll(' ', ''), 'hex');
  expect((await verify(bytes)).clean).toBe(true);
  expect(await rows(bytes)).toEqual([5]);
});

describe('detection', () => {
  const detect = (head: Uint8Array) =>
    ocf.detect({ name: 'x', size: head.length, head, siblings: [] }).confidence;

  it('is certain of a header, and no more than likely of its front', async () => {
    const bytes = await container('null', 1, 100);
    expect(detect(bytes)).toBe('certain');
    expect(detect(bytes.subarray(0, 40))).toBe('certain');
    expect(detect(bytes.subarray(0, 10))).toBe('likely');
    expect(detect(Buffer.from('Obj'))).toBe('no');
    expect(detect(new Uint8Array(0))).toBe('no');
  });
});
