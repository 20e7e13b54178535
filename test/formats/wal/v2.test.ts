import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, type Span } from '../../../src/formats/format.ts';
import type { WalOpened, WalOperation } from '../../../src/formats/wal/model.ts';
import { applyLogRepair, planLogRepair } from '../../../src/formats/wal/repair.ts';
import { encodeSegmentHeader } from '../../../src/formats/wal/v2/headers.ts';
import { v2 } from '../../../src/formats/wal/v2/index.ts';
import { BLOCK_BYTES } from '../../../src/formats/wal/v2/layout.ts';
import { V2LogEncoder } from '../../../src/formats/wal/v2/log-encoder.ts';
import {
  decodeManifest,
  encodeManifest,
  MANIFEST_NAME,
} from '../../../src/formats/wal/v2/manifest.ts';
import { verifyLog } from '../../../src/formats/wal/verify.ts';
import { crc32c } from '../../../src/shared/crc32.ts';
import { concat, MemorySource, memorySet, scanAll, type Told } from '../../support/memory.ts';
import { memoryOutput } from '../../support/store.ts';

const NAME = '000001.wal2';
const text = (value: string) => Buffer.from(value);
const put = (key: string, value: string | Uint8Array = ''): WalOperation => ({
  op: 'put',
  key: text(key),
  value: typeof value === 'string' ? text(value) : value,
});

/** Segments of a log that holds these batches, a new segment where the list says so. */
function log(
  segments: readonly (readonly WalOperation[])[][],
  id = 7n,
): Record<string, Uint8Array> {
  const encoder = new V2LogEncoder(id);
  const files: Record<string, Uint8Array> = {};
  let seq = 1;
  segments.forEach((batches, i) => {
    const parts = [encoder.begin(i + 1, BigInt(seq)).slice()];
    for (const batch of batches) {
      parts.push(encoder.record(0, seq, batch).slice());
      seq += batch.length;
    }
    parts.push(encoder.end(i === segments.length - 1, BigInt(seq)).slice());
    files[`00000${i + 1}.wal2`] = concat(parts);
  });
  return files;
}

function opened(files: Record<string, Uint8Array>): WalOpened {
  const set = memorySet(files);
  return { set, dialect: v2, files: set.files.filter(({ name }) => v2.segmentNumber(name)) };
}
const verify = (files: Record<string, Uint8Array>) => {
  const input = opened(files);
  return verifyLog(input, { limits: DEFAULT_LIMITS, set: input.set });
};
const codes = async (files: Record<string, Uint8Array>) =>
  Object.keys((await verify(files)).counts);
const scan = (bytes: Uint8Array, window?: number, chunk?: number) =>
  scanAll(v2, bytes, window ? { windowBytes: window } : {}, NAME, chunk);
const blockOf = (offset: number) => Math.floor(offset / BLOCK_BYTES);

/** Three blocks: small records, a batch, one that spans blocks, a delete, markers. */
const sample = log([
  [
    [put('a', '1')],
    [put('b', 'x'.repeat(3000)), { op: 'delete', key: text('a'), value: text('') }, put('', '')],
    [
      put(
        'big',
        new Uint8Array(40_000).map((_, i) => i * 7),
      ),
    ],
    ...Array.from({ length: 30 }, (_, i) => [put(`k${i}`, 'v'.repeat(700))]),
    [{ op: 'checkpoint', key: text(''), value: text('') }],
    [put('last', 'value')],
  ],
])[NAME]!;

describe('round trip', () => {
  const operation = fc.record({
    op: fc.constantFrom('put', 'delete'),
    key: fc.uint8Array({ maxLength: 50 }),
    value: fc.uint8Array({ maxLength: 50 }),
  });
  const batch = fc.array(
    operation.map((one) => (one.op === 'put' ? one : { ...one, value: new Uint8Array(0) })),
    { minLength: 1, maxLength: 5 },
  );
  const big = fc.nat(90_000).map((size) => [put('big', new Uint8Array(size).fill(size))]);

  it('reads back what it writes, whatever the window', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 5, arbitrary: batch }, big), { maxLength: 30 }),
        async (batches) => {
          const bytes = log([batches])[NAME]!;
          const { records, damage } = await scan(bytes, BLOCK_BYTES, 10_000);
          expect(damage).toEqual([]);
          expect(records.map(({ op, seq }) => ({ op, seq }))).toEqual(
            batches.flat().map(({ op }, i) => ({ op, seq: i + 1 })),
          );
          expect((await verify({ [NAME]: bytes })).clean).toBe(true);
          await expectLayout(bytes);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('takes zeros behind the end for space allocated ahead', async () => {
    for (const zeros of [1, 7, 8, 40, 5000, 100_000]) {
      const result = await verify({ [NAME]: concat([sample, new Uint8Array(zeros)]) });
      expect(result.clean, `${zeros}`).toBe(true);
    }
  });
});

describe('every bit', () => {
  const last = sample.length - 16; // the mark that closes the log

  it('is covered: a flip is seen, and costs no record outside its block', async () => {
    const intact = (await scan(sample)).records;
    // Every bit of the headers and of what lies at block edges, and a stride through the rest.
    const bits: number[] = [];
    for (let byte = 0; byte < sample.length; byte++) {
      const edge = byte % BLOCK_BYTES < 200 || byte % BLOCK_BYTES > BLOCK_BYTES - 60 || byte > last;
      if (edge) for (let bit = 0; bit < 8; bit++) bits.push(byte * 8 + bit);
      else if (byte % 61 === 0) bits.push(byte * 8 + (byte % 8));
    }
    for (const bit of bits) {
      const bytes = sample.slice();
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
      const hit = blockOf(bit >>> 3);
      const outside = ({ offset, length }: Told) =>
        blockOf(offset) > hit || blockOf(offset + length - 1) < hit;
      const { records } = await scan(bytes);
      expect(records.filter(outside), `bit ${bit}`).toEqual(intact.filter(outside));
      const result = await verify({ [NAME]: bytes });
      expect(result.clean, `bit ${bit}`).toBe(false);
      if (bit >>> 3 < last) expect(result.verdict, `bit ${bit}`).toBe('damaged');
    }
  });

  it('is covered in zeros allocated ahead, where it is a torn tail', async () => {
    const whole = concat([sample, new Uint8Array(40_000)]);
    for (const at of [
      sample.length,
      sample.length + 9,
      whole.length - 1,
      2 * BLOCK_BYTES + 20_000,
    ]) {
      const bytes = whole.slice();
      bytes[at]! ^= 1;
      const result = await verify({ [NAME]: bytes });
      expect(result.verdict, `at ${at}`).toBe(at < sample.length ? 'damaged' : 'torn-tail');
    }
  });

  it('loses only the hit record where the next one bears out its frame', async () => {
    const { records } = await scan(sample);
    const victim = records.find(({ key }) => key === 'k5')!;
    const bytes = sample.slice();
    bytes[victim.offset + 100]! ^= 4;
    const after = await scan(bytes);
    expect(after.records).toEqual(records.filter(({ key }) => key !== 'k5'));
    expect(after.damage[0]).toMatchObject({ code: 'crc-mismatch', offset: victim.offset });
    expect(after.damage[0]!.diagnosis).toContain(`bit 2 of the byte at ${victim.offset + 100}`);
  });
});

describe('what stands in the wrong place', () => {
  const segment = () =>
    log([Array.from({ length: 200 }, (_, i) => [put(`key${i}`, 'v'.repeat(600))])])[NAME]!;
  const block = (bytes: Uint8Array, n: number) =>
    bytes.slice(n * BLOCK_BYTES, (n + 1) * BLOCK_BYTES);

  it('is seen when blocks are swapped, repeated or cut out', async () => {
    const whole = segment();
    const [b0, b1, b2, b3] = [0, 1, 2, 3].map((n) => block(whole, n)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    expect(await codes({ [NAME]: concat([b0, b2, b1, b3]) })).toContain('misplaced-block');
    expect(await codes({ [NAME]: concat([b0, b1, b1, b3]) })).toContain('misplaced-block');
    expect(await codes({ [NAME]: concat([b0, b1, b3]) })).not.toEqual([]);
  });

  it('is seen when a record is cut out, repeated or swapped', async () => {
    const whole = segment();
    const { records } = await scan(whole);
    const [a, b] = records.slice(5, 7) as [Told, Told];
    const span = (one: Told) => whole.slice(one.offset, one.offset + one.length);
    const head = whole.slice(0, a.offset);
    const tail = whole.slice(b.offset + b.length);
    for (const middle of [[span(b)], [span(a)], [span(b), span(a)], [span(a), span(a), span(b)]]) {
      const result = await verify({ [NAME]: concat([head, ...middle, tail]) });
      expect(result.verdict).toBe('damaged');
    }
  });

  it('is seen when a block or a segment is of another log', async () => {
    const mine = segment();
    const other = log(
      [Array.from({ length: 200 }, (_, i) => [put(`key${i}`, 'v'.repeat(600))])],
      8n,
    )[NAME]!;
    const mixed = concat([
      block(mine, 0),
      block(other, 1),
      block(mine, 2),
      mine.slice(3 * BLOCK_BYTES),
    ]);
    expect(await codes({ [NAME]: mixed })).toContain('misplaced-block');
    const two = log([[[put('a')]], [[put('b')]]]);
    const foreign = log([[[put('a')]], [[put('b')]]], 9n);
    expect(await codes({ ...two, '000002.wal2': foreign['000002.wal2']! })).toContain(
      'foreign-segment',
    );
  });

  it('is seen when the end of a segment is cut off before the next', async () => {
    const files = log([[[put('a')], [put('b')]], [[put('c')]]]);
    expect((await verify(files)).clean).toBe(true);
    const first = files[NAME]!;
    const { records } = await scan(first);
    const cut = { ...files, [NAME]: first.slice(0, records[1]!.offset) };
    expect(await codes(cut)).toContain('chain-broken');
  });
});

describe('marks', () => {
  const closed = log([[[put('a', '1')], [put('b', '2')]]])[NAME]!;
  const mark = closed.length - 20;

  it('make a hole of what is destroyed before them, whatever is left of that', async () => {
    for (let from = 96; from < mark; from++) {
      const hit = Uint8Array.from(closed).fill(0xff, from, mark);
      const { records, damage } = await scan(hit);
      expect({ from, tails: damage.map(({ tail }) => tail) }).toEqual({ from, tails: [false] });
      expect(records.length).toBe(from < 118 ? 0 : 1);
    }
  });

  it('of another place prove nothing', async () => {
    for (const elsewhere of [log([[[put('a', '1')], [put('b', '2')]]], 8n)[NAME]!, closed]) {
      const hit = Uint8Array.from(closed).fill(0xff, 118);
      const at = elsewhere === closed ? mark - 1 : mark;
      hit.set(elsewhere.subarray(mark), at);
      const { damage } = await scan(hit);
      expect(damage.map(({ tail }) => tail)).toEqual([true]);
    }
  });

  it('of older writers have no checksum of their own, and are read', async () => {
    // The example of the page on the layout as it was before.
    const ended = 'c0ec2cce090005020300000000000000';
    const records =
      '4444494157414c0202004000000000000000000000800000fd22cab7fb0e368601000000000000000100000000000000' +
      '000000000000000000000000a69748fff034a09400000000fd22cab7fb0e368601000000a69748ff60000000424c4b32' +
      'd29204961e0001010000000000000001020106757365723a31034164610206757365723a32';
    const { damage, records: told } = await scan(Buffer.from(records + ended, 'hex'));
    expect(damage).toEqual([]);
    expect(told).toHaveLength(2);
  });
});

describe('a manifest that says how far the log reaches', () => {
  const whole = log([[[put('a')]], [[put('b')], [put('c')]]]);
  const said = (segment: number, seq: bigint) => ({
    [MANIFEST_NAME]: encodeManifest({
      logId: 7n,
      firstSegment: 1,
      truncatedSeq: 0n,
      reached: { segment, seq },
    }),
  });

  it('is right of a log that goes further', async () => {
    for (const [segment, seq] of [[0, 0n] as const, [1, 1n] as const, [2, 3n] as const]) {
      expect(await codes({ ...whole, ...said(segment, seq) })).toEqual([]);
    }
  });

  it('misses what is gone behind its end', async () => {
    expect(await codes({ ...whole, ...said(2, 4n) })).toEqual(['seq-gap']);
    expect(await codes({ ...whole, ...said(3, 3n) })).toEqual(['segment-gap']);
    const { '000002.wal2': _, ...first } = whole;
    expect(await codes({ ...first, ...said(2, 1n) })).toEqual(['segment-gap']);
    expect(await codes({ ...whole, '000002.wal2': new Uint8Array(0), ...said(2, 1n) })).toContain(
      'segment-gap',
    );
    expect(await codes(said(1, 0n))).toEqual(['segment-gap']);
  });

  it('says that a copy of a log that was written meanwhile looks so too', async () => {
    const input = opened({ ...whole, ...said(3, 3n) });
    const { findings } = await verifyLog(input, { limits: DEFAULT_LIMITS, set: input.set });
    expect(findings.map(({ repair }) => repair).join()).toContain('while the log was written');
  });

  it('is not held against a log that grows while it is read', async () => {
    const input = opened({ ...whole, ...said(2, 1n) });
    const [first] = input.files;
    const listed = { ...input, files: [first!] };
    const { findings } = await verifyLog(listed, { limits: DEFAULT_LIMITS, set: input.set });
    expect(findings).toEqual([]);
  });

  it('makes a hole of a torn tail that was durable', async () => {
    const cut = { ...whole, '000002.wal2': whole['000002.wal2']!.subarray(0, 130) };
    expect(await codes({ ...cut, ...said(2, 1n) })).toEqual(['torn-tail']);
    expect(await codes({ ...cut, ...said(2, 3n) })).toEqual(['crc-mismatch', 'seq-gap']);
  });

  it('does not say so any more of what a repair has left', async () => {
    const cut = { ...whole, '000002.wal2': whole['000002.wal2']!.subarray(0, 96 + 21) };
    const input = opened({ ...cut, ...said(2, 3n) });
    const context = { limits: DEFAULT_LIMITS, set: input.set };
    const plan = { ...(await planLogRepair(input, { mend: false }, context)), inputs: [] };
    expect(plan.consequences.join()).toContain('what stood there is lost');
    const left: Record<string, Uint8Array> = {};
    await applyLogRepair(input, plan, context, memoryOutput(left));
    expect(await codes(left)).toEqual([]);
    expect(decodeManifest(left[MANIFEST_NAME]!)).toMatchObject({ reached: undefined });
  });
});

describe('torn tails', () => {
  it('are told for every truncation, with no record lost before', async () => {
    const intact = (await scan(sample)).records;
    for (let size = 0; size < sample.length; size += size < 300 || size > 70_000 ? 1 : 97) {
      const { records } = await scan(sample.slice(0, size));
      expect(records, `size ${size}`).toEqual(
        intact.filter(({ offset, length }) => offset + length <= size),
      );
      const { verdict } = await verify({ [NAME]: sample.slice(0, size) });
      expect(verdict, `size ${size}`).not.toBe('damaged');
    }
  });

  it('are told where a whole segment has become zeros', async () => {
    const { verdict, findings } = await verify({ [NAME]: new Uint8Array(sample.length) });
    expect(verdict).toBe('torn-tail');
    expect(findings[0]!.message).toContain('zeros where the segment header');
    const two = log([[[put('a')]], [[put('b')]]]);
    const first = { ...two, [NAME]: new Uint8Array(two[NAME]!.length) };
    expect((await verify(first)).verdict).toBe('damaged');
  });

  it('never yield part of a batch', async () => {
    const files = log([[[put('x')], [put('a', 'y'.repeat(40_000)), put('b'), put('c')]]]);
    for (const size of [200, 20_000, 33_000, 40_050]) {
      const { records } = await scan(files[NAME]!.slice(0, size));
      expect(records.map(({ key }) => key)).toEqual(['x']);
    }
  });
});

describe('headers', () => {
  it('refuse a flag that must be understood, by name', async () => {
    const bytes = sample.slice();
    bytes[16] = 4;
    new DataView(bytes.buffer).setUint32(60, crc32c.of(bytes, 0, 60), true);
    const { findings } = await verify({ [NAME]: bytes });
    expect(findings[0]).toMatchObject({ code: 'unsupported' });
    expect(findings[0]!.message).toContain('00000004');
  });

  it('ignore a compatible flag', async () => {
    const header = encodeSegmentHeader({
      logId: 1n,
      segment: 1,
      previousChain: 0,
      baseSeq: 1n,
      previousSeq: 0n,
    });
    header[12] = 9;
    new DataView(header.buffer).setUint32(60, crc32c.of(header, 0, 60), true);
    expect(await codes({ [NAME]: header })).toEqual([]);
  });
});

describe('repair', () => {
  it('keeps every other record of a hit log, and the result is clean but for the gap', async () => {
    const files = log([
      Array.from({ length: 90 }, (_, i) => [put(`k${i}`, 'v'.repeat(600))]),
      [[put('next')], [put('end')]],
    ]);
    const { records } = await scan(files[NAME]!);
    const victim = records[40]!;
    files[NAME]![victim.offset + 50]! ^= 1;
    const input = opened(files);
    const context = { limits: DEFAULT_LIMITS, set: input.set };
    const plan = { ...(await planLogRepair(input, { mend: false }, context)), inputs: [] };
    const out: Record<string, Uint8Array> = {};
    await applyLogRepair(input, plan, context, memoryOutput(out));
    const left = await scan(out[NAME]!);
    expect(left.records.map(({ seq }) => seq)).toEqual(
      records.filter((one) => one !== victim).map(({ seq }) => seq),
    );
    expect(await codes(out)).toEqual(['seq-gap']);
  });
});

describe('anything', () => {
  it('is read in bounds, and every byte is accounted for', async () => {
    const pieces = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.constant(sample),
      fc.constant(new Uint8Array(BLOCK_BYTES)),
      fc
        .tuple(fc.nat(sample.length), fc.nat(sample.length))
        .map(([a, b]) => sample.slice(Math.min(a, b), Math.max(a, b))),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 4 }).map(concat), async (bytes) => {
        const input = opened({ [NAME]: bytes });
        const plan = await planLogRepair(
          input,
          { mend: true },
          { limits: DEFAULT_LIMITS, set: input.set },
        );
        expect(plan.ledger.reduce((sum, span) => sum + span.length, 0)).toBe(bytes.length);
        await expectLayout(bytes);
      }),
      { numRuns: 150 },
    );
  });
});

async function expectLayout(bytes: Uint8Array): Promise<void> {
  const spans: Span[] = [];
  const context = { limits: DEFAULT_LIMITS, set: memorySet({ [NAME]: bytes }) };
  await v2.layout(new MemorySource(NAME, bytes), context, (span) => {
    spans.push(span);
    return true;
  });
  expectTiling(spans, 0, bytes.length);
}

function expectTiling(spans: readonly Span[], start: number, end: number): void {
  let at = start;
  for (const span of spans) {
    if (span.offset !== at) expect(span, `at ${at}`).toMatchObject({ offset: at });
    at += span.length;
    if (span.children) expectTiling(span.children, span.offset, span.offset + span.length);
  }
  expect(at).toBe(end);
}
