/** Files of the textbook stores in memory, and what their scans tell. */
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type {
  BitcaskDamage,
  BitcaskDialect,
  BitcaskPut,
  BitcaskScanContext,
} from '../../../src/formats/bitcask/model.ts';
import { bytesValue } from '../../../src/formats/bytes/value.ts';
import {
  type ByteSource,
  DEFAULT_LIMITS,
  type Finding,
  type Limits,
  type Span,
} from '../../../src/formats/format.ts';
import { MemorySource, memorySet } from '../../support/memory.ts';

export interface Told {
  offset: number;
  length: number;
  timestamp: number;
  key: unknown;
  value: unknown;
  deleted: boolean;
  salvaged: boolean;
}

export interface Scanned {
  records: Told[];
  damage: BitcaskDamage[];
}

export interface ToldEntry {
  offset: number;
  length: number;
  dataFile: number;
  position: number;
  size: number;
  timestamp: number;
  key: unknown;
}

export const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));

function contextFor(limits: Partial<Limits>): BitcaskScanContext {
  return { limits: { ...DEFAULT_LIMITS, ...limits }, set: memorySet({}) };
}

export async function scanSource(
  dialect: BitcaskDialect,
  source: ByteSource,
  limits: Partial<Limits> = {},
  more: Partial<BitcaskScanContext> = {},
): Promise<Scanned> {
  const records: Told[] = [];
  const damage: BitcaskDamage[] = [];
  await dialect.scan(
    source,
    { ...contextFor(limits), ...more },
    {
      record({ offset, length, timestamp, deleted, salvaged, ...record }) {
        const key = bytesValue(record.bytes, record.keyStart, record.keyEnd);
        const value = bytesValue(record.bytes, record.valueStart, record.valueEnd);
        records.push({ offset, length, timestamp, key, value, deleted, salvaged });
      },
      damage: (one) => damage.push(one),
    },
  );
  return { records, damage };
}

export async function scanHintFile(
  dialect: BitcaskDialect,
  source: ByteSource,
  limits: Partial<Limits> = {},
): Promise<{ entries: ToldEntry[]; damage: Finding[] }> {
  const entries: ToldEntry[] = [];
  const damage: Finding[] = [];
  await dialect.scanHint(source, contextFor(limits), {
    entry({ offset, length, dataFile, position, size, timestamp, bytes, keyStart, keyEnd }) {
      const key = bytesValue(bytes, keyStart, keyEnd);
      entries.push({ offset, length, dataFile, position, size, timestamp, key });
    },
    damage: (finding) => damage.push(finding),
  });
  return { entries, damage };
}

export async function layoutOf(
  dialect: BitcaskDialect,
  bytes: Uint8Array,
  name: string,
): Promise<Span[]> {
  const spans: Span[] = [];
  const source = new MemorySource(name, bytes);
  await dialect.layout(source, contextFor({}), (span) => spans.push(span) > 0);
  return spans;
}

/** Every byte is in one record or one lost stretch, in order. */
export function expectTiled(size: number, { records, damage }: Scanned): void {
  const spans = [...records, ...damage.filter(({ lost }) => lost)];
  let at = 0;
  for (const { offset, length } of spans.sort((a, b) => a.offset - b.offset)) {
    if (offset !== at || length <= 0) expect({ offset, length }).toEqual({ offset: at, length: 1 });
    at += length;
  }
  expect(at).toBe(size);
}

/** For thousands of comparisons, of which expect takes its time. */
export function expectSame(found: unknown, expected: unknown, what?: string): void {
  if (!isDeepStrictEqual(found, expected)) expect(found, what).toEqual(expected);
}

export function overwritten(
  bytes: Uint8Array,
  offset: number,
  by: Uint8Array | number[],
): Uint8Array {
  const copy = bytes.slice();
  copy.set(by.slice(0, copy.length - offset), offset);
  return copy;
}

export function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  return overwritten(bytes, at, [bytes[at]! ^ (1 << bit)]);
}

export function mended(bytes: Uint8Array, { mend }: BitcaskDamage): Uint8Array {
  return overwritten(bytes, mend!.offset, Buffer.from(mend!.hex, 'hex'));
}

export function put(
  key: string | Uint8Array,
  value: string | Uint8Array | undefined,
  more: Partial<BitcaskPut> = {},
): BitcaskPut {
  const bytes = (of: string | Uint8Array) => (typeof of === 'string' ? text(of) : of);
  return {
    key: bytes(key),
    value: value === undefined ? undefined : bytes(value),
    timestamp: 0,
    seq: -1,
    expires: 0,
    continued: false,
    unsynced: 0,
    ...more,
  };
}

/** Noise that is the same every time. */
export function noise(size: number, seed = 1): Uint8Array {
  let state = seed;
  return new Uint8Array(size).map(() => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 23;
  });
}

/** The live content of data files, in the order of their names. */
export async function liveOf(
  dialect: BitcaskDialect,
  files: Record<string, Uint8Array>,
): Promise<Record<string, unknown>> {
  const live = new Map<string, unknown>();
  for (const [name, bytes] of Object.entries(files).sort()) {
    if (dialect.dataFile(name) === undefined) continue;
    for (const record of (await scanSource(dialect, new MemorySource(name, bytes))).records) {
      if (record.deleted) live.delete(String(record.key));
      else live.set(String(record.key), record.value);
    }
  }
  return Object.fromEntries([...live].sort());
}

/** Bytes that come once, some at a time, and nobody knows how many there are. */
export function pipe(name: string, bytes: Uint8Array, chunk = 333): ByteSource {
  let at = 0;
  let size: number | undefined;
  return {
    name,
    forwardOnly: true,
    get size() {
      return size;
    },
    async read(target, start, length, position) {
      expect(position).toBe(at);
      const part = bytes.subarray(at, at + Math.min(length, chunk));
      target.set(part, start);
      at += part.length;
      if (part.length === 0) size = at;
      return part.length;
    },
  };
}
