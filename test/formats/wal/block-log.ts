/** Block logs made by hand, and what a scan and a layout tell of them. */
import { bytesValue } from '../../../src/formats/bytes/value.ts';
import { coverageFaults } from '../../../src/formats/coverage.ts';
import { DEFAULT_LIMITS, type Limits, type Span } from '../../../src/formats/format.ts';
import { BlockLogWriter } from '../../../src/formats/wal/block-log/writer.ts';
import type { WalDamage, WalDialect, WalRecord } from '../../../src/formats/wal/model.ts';
import { concat, MemorySource, memorySet } from '../../support/memory.ts';

type Field = string | Uint8Array | number;

/** Little-endian and variable-length integers, strings with their length in front. */
export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

export function varstring(value: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(value);
  return concat([Uint8Array.from(varint(bytes.length)), bytes]);
}

export function fixed(value: number | bigint, size: 2 | 4 | 8): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes.slice(0, size);
}

/** An operation: its tag, then numbers as varints and all else as strings with a length. */
export type Operation = readonly [tag: number, ...fields: Field[]];

export function batch(
  seq: number | bigint,
  operations: readonly Operation[],
  count = operations.length,
): Uint8Array {
  const parts = operations.map(([tag, ...fields]) =>
    concat([
      Uint8Array.of(tag),
      ...fields.map((f) => (typeof f === 'number' ? Uint8Array.from(varint(f)) : varstring(f))),
    ]),
  );
  return concat([fixed(seq, 8), fixed(count, 4), ...parts]);
}

/** The file that holds these payloads, and where each record lies in it. */
export function logOf(payloads: readonly Uint8Array[], logNumber?: number) {
  const writer = new BlockLogWriter(logNumber);
  const places: { offset: number; end: number }[] = [];
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const payload of payloads) {
    const bytes = writer.add(payload);
    parts.push(bytes);
    // A trailer in front belongs to no record.
    let offset = at;
    const header = logNumber === undefined ? 7 : 11;
    const left = 32768 - (at % 32768);
    if (left < header) offset += left;
    at += bytes.length;
    places.push({ offset, end: at });
  }
  return { bytes: concat(parts), places };
}

/** `count` batches of one put each, with values of `size` bytes. */
export function puts(count: number, size: number, seq = 1): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const value = `${i}:`.repeat(size).slice(0, size);
    return batch(seq + i, [[1, `key-${String(i).padStart(5, '0')}`, value]]);
  });
}

export interface Told {
  offset: number;
  length: number;
  seq: string;
  op: string;
  cf: number;
  index: number;
  batchSize: number;
  numbered: boolean;
  salvaged: boolean;
  key: unknown;
  value: unknown;
  extra: unknown;
}

export function tell(record: WalRecord): Told {
  const { offset, length, seqText, op, index, batchSize, numbered, salvaged, bytes } = record;
  const span = (start: number, end: number) =>
    start < 0 ? undefined : bytesValue(bytes, start, end);
  return {
    offset,
    length,
    seq: seqText,
    op,
    cf: record.columnFamily,
    index,
    batchSize,
    numbered,
    salvaged,
    key: span(record.keyStart, record.keyEnd),
    value: span(record.valueStart, record.valueEnd),
    extra: record.extra,
  };
}

export interface ScanOptions {
  name?: string;
  limits?: Partial<Limits>;
  chunk?: number;
  signal?: AbortSignal;
  from?: number;
}

export function contextOf({ limits, signal, from }: ScanOptions = {}) {
  return { limits: { ...DEFAULT_LIMITS, ...limits }, set: memorySet({}), signal, from };
}

/**
 * What a scan tells. Throws if records and lost bytes overlap, or come in another order than that
 * of the file: a repair could not account for them.
 */
export async function scan(dialect: WalDialect, bytes: Uint8Array, options: ScanOptions = {}) {
  const records: Told[] = [];
  const damage: WalDamage[] = [];
  const source = new MemorySource(options.name ?? '000007.log', bytes, options.chunk);
  let end = 0;
  const account = (what: string, offset: number, length: number) => {
    if (offset < end) throw new Error(`${what} at ${offset} overlaps what ends at ${end}`);
    end = offset + length;
    if (end > bytes.length) throw new Error(`${what} ends at ${end}, behind the file`);
  };
  await dialect.scan(source, contextOf(options), {
    record(record) {
      if (record.index === 0) account(record.op, record.offset, record.length);
      records.push(tell(record));
    },
    damage(one) {
      if (one.lost) account(one.code, one.offset, one.length);
      damage.push(one);
    },
  });
  return { records, damage };
}

export async function layout(dialect: WalDialect, bytes: Uint8Array, name = '000007.log') {
  const spans: Span[] = [];
  await dialect.layout(new MemorySource(name, bytes), contextOf(), (span) => {
    spans.push(span);
    return true;
  });
  return spans;
}

/** What is wrong with the layout of a file: nothing, if its leaves tile it. */
export async function layoutFaults(dialect: WalDialect, bytes: Uint8Array, name?: string) {
  return coverageFaults(await layout(dialect, bytes, name), 0, bytes.length);
}

export function flip(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes); // slice() of a Buffer is no copy
  copy[at]! ^= 1 << bit;
  return copy;
}

/** Replaces the records that a repair keeps, as the family's repair does. */
export async function rewrite(dialect: WalDialect, bytes: Uint8Array, name = '000007.log') {
  const writer = dialect.rewrite!.open();
  writer.segment(7);
  const parts: Uint8Array[] = [];
  await dialect.scan(new MemorySource(name, bytes), contextOf(), {
    record: (record) => parts.push(writer.record(record).slice()),
    damage() {},
  });
  parts.push(writer.end(true));
  return concat(parts);
}

/** Three blocks: small records, one that spans all of them, small ones again. */
export function threeBlocks(logNumber?: number) {
  const large = batch(101, [[1, 'large', 'x'.repeat(60_000)]]);
  return logOf([...puts(100, 40), large, ...puts(20, 40, 102)], logNumber);
}
