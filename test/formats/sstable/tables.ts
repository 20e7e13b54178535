/** Tables in memory, for the tests of the family. */
import { bytesValue } from '../../../src/formats/bytes/value.ts';
import { CapturingSink } from '../../../src/formats/captured-record.ts';
import { Coverage } from '../../../src/formats/coverage.ts';
import { DEFAULT_LIMITS, type Span } from '../../../src/formats/format.ts';
import { dumpTables } from '../../../src/formats/sstable/dump.ts';
import { TYPE, typeName } from '../../../src/formats/sstable/entry-block.ts';
import { EntryCopy } from '../../../src/formats/sstable/entry-copy.ts';
import type {
  Depth,
  TableDamage,
  TableDialect,
  TableOpened,
  TableWriteOptions,
} from '../../../src/formats/sstable/model.ts';
import { applyTableRepair, planTableRepair } from '../../../src/formats/sstable/repair.ts';
import { verifyTables } from '../../../src/formats/sstable/verify.ts';
import { MemorySource, memorySet } from '../../support/memory.ts';

export interface Told {
  key: unknown;
  value: unknown;
  op: string;
  seq?: string | undefined;
  timestamp?: number | undefined;
  offset: number;
}

export const context = { limits: DEFAULT_LIMITS };

export function opened(dialect: TableDialect, bytes: Uint8Array, name = 't.sst'): TableOpened {
  const set = { ...memorySet({ [name]: bytes }), isDirectory: false };
  return { set, dialect, files: set.files };
}

export async function scanTable(dialect: TableDialect, bytes: Uint8Array, depth: Depth = 'full') {
  const entries: Told[] = [];
  const damage: TableDamage[] = [];
  const source = new MemorySource('t.sst', bytes);
  await dialect.scan(
    source,
    { ...context, depth },
    {
      block(block) {
        if (block.rangeDeletions) return;
        for (let i = 0; i < block.count; i++) {
          const seq = (BigInt(block.seqHigh[i]!) << 32n) | BigInt(block.seqLow[i]!);
          const value = block.value(i);
          entries.push({
            key: bytesValue(block.key(i)),
            value: value ? bytesValue(value) : null,
            op: typeName(block.types[i]!),
            seq: dialect.hasSeq ? String(seq) : undefined,
            timestamp: block.timestamps?.[i],
            offset: block.offsets?.[i] ?? block.offset,
          });
        }
      },
      damage: (one) => damage.push(one),
    },
  );
  return { entries, damage };
}

export const verify = (dialect: TableDialect, bytes: Uint8Array, quick = false) =>
  verifyTables(opened(dialect, bytes), { ...context, quick });

export async function codes(dialect: TableDialect, bytes: Uint8Array): Promise<string[]> {
  return Object.keys((await verify(dialect, bytes)).counts).sort();
}

/** Every byte in exactly one leaf: what a layout leaves out or claims twice, by name. */
export async function uncovered(dialect: TableDialect, bytes: Uint8Array): Promise<string[]> {
  const coverage = new Coverage(0, bytes.length);
  const odd: string[] = [];
  const look = ({ name, offset, damage, children }: Span): void => {
    if (name === 'unaccounted' || damage === 'overlap') odd.push(`${name} @ ${offset} ${damage}`);
    for (const child of children ?? []) look(child);
  };
  await dialect.layout(new MemorySource('t.sst', bytes), context, (span) => {
    for (const one of coverage.next(span)) look(one);
    return true;
  });
  for (const one of coverage.end(bytes.length)) look(one);
  return odd;
}

export async function repaired(dialect: TableDialect, bytes: Uint8Array) {
  const input = opened(dialect, bytes);
  const plan = { ...(await planTableRepair(input, { mend: false }, context)), inputs: [] };
  const pieces: Buffer[] = [];
  await applyTableRepair(input, plan, context, {
    create: () => ({
      write: (b, s, e) => void pieces.push(Buffer.from(b.subarray(s, e))),
      finish() {},
    }),
  });
  const total = plan.ledger.reduce((sum, { length }) => sum + length, 0);
  return { plan, bytes: new Uint8Array(Buffer.concat(pieces)), total };
}

export interface Entry {
  key: string;
  value?: string;
  seq?: number;
  timestamp?: number;
  type?: number;
}

/** A table of ours. */
export function tableOf(
  dialect: TableDialect,
  entries: readonly Entry[],
  options: TableWriteOptions = {},
): Uint8Array {
  const pieces: Buffer[] = [];
  const patches: [number, Uint8Array][] = [];
  const target = {
    write: (b: Uint8Array, s: number, e: number) => void pieces.push(Buffer.from(b.subarray(s, e))),
    patch: (at: number, b: Uint8Array) => void patches.push([at, b]),
  };
  const writer = dialect.encoder!.open(target, options);
  const copy = new EntryCopy();
  for (const { key, value, seq = 0, timestamp, type } of entries) {
    const entry = {
      type: type ?? (value === undefined ? TYPE.delete : TYPE.put),
      key: Buffer.from(key),
      value: value === undefined ? undefined : Buffer.from(value),
      seqHigh: Math.floor(seq / 2 ** 32),
      seqLow: seq >>> 0,
      timestamp,
    };
    writer.add(copy.set(entry).block, 0);
  }
  const size = writer.finish();
  const bytes = new Uint8Array(Buffer.concat(pieces));
  if (bytes.length !== size) throw new Error(`${bytes.length} bytes, the writer says ${size}`);
  for (const [at, patch] of patches) bytes.set(patch, at);
  return bytes;
}

/** What dump prints, as records. */
export async function dumped(dialect: TableDialect, bytes: Uint8Array, options = {}) {
  const records: Record<string, unknown>[] = [];
  const sink = new CapturingSink((record) => {
    const fields = record.fields.map((field) => [field.name, 'value' in field ? field.value : 0]);
    records.push(Object.fromEntries(fields));
  });
  await dumpTables(opened(dialect, bytes), options, context, sink, () => {});
  return records;
}
