/** Files of the riak dialect in memory, and what its scans tell of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { selectFiles } from '../../../src/formats/bitcask/files.ts';
import {
  type BitcaskDamage,
  type BitcaskOpened,
  type BitcaskPut,
  type BitcaskScanContext,
  HintEntry,
} from '../../../src/formats/bitcask/model.ts';
import { riak } from '../../../src/formats/bitcask/riak/index.ts';
import { bytesValue } from '../../../src/formats/bytes/value.ts';
import {
  type ByteSource,
  DEFAULT_LIMITS,
  type Finding,
  type Limits,
} from '../../../src/formats/format.ts';
import { MemorySource, memorySet, root } from '../../support/memory.ts';

export const DATA = '1.bitcask.data';
export const HINT = '1.bitcask.hint';

export const text = (value: string): Uint8Array => Buffer.from(value);

export interface Told {
  offset: number;
  length: number;
  timestamp: number;
  key: unknown;
  value: unknown;
  deleted: boolean;
  extra: unknown;
}

export interface ToldEntry {
  offset: number;
  length: number;
  position: number;
  size: number;
  timestamp: number;
  deleted: boolean;
  key: unknown;
}

function contextFor(
  name: string,
  bytes: Uint8Array,
  limits: Partial<Limits>,
  more: Partial<BitcaskScanContext>,
): BitcaskScanContext {
  const set = memorySet({ [name]: bytes });
  return { limits: { ...DEFAULT_LIMITS, ...limits }, set, ...more };
}

export async function scanData(
  bytes: Uint8Array,
  limits: Partial<Limits> = {},
  more: Partial<BitcaskScanContext> & { chunk?: number; stream?: boolean } = {},
): Promise<{ records: Told[]; damage: BitcaskDamage[] }> {
  const records: Told[] = [];
  const damage: BitcaskDamage[] = [];
  const { chunk, stream, ...context } = more;
  const source = stream ? new Stream(DATA, bytes, chunk) : new MemorySource(DATA, bytes, chunk);
  await riak.scan(source, contextFor(DATA, bytes, limits, context), {
    record({ offset, length, timestamp, deleted, extra, ...record }) {
      const key = bytesValue(record.bytes, record.keyStart, record.keyEnd);
      const value = bytesValue(record.bytes, record.valueStart, record.valueEnd);
      records.push({ offset, length, timestamp, key, value, deleted, extra });
    },
    damage: (one) => damage.push(one),
  });
  return { records, damage };
}

export async function scanHints(
  bytes: Uint8Array,
  limits: Partial<Limits> = {},
  source: ByteSource = new MemorySource(HINT, bytes),
): Promise<{ entries: ToldEntry[]; damage: Finding[] }> {
  const entries: ToldEntry[] = [];
  const damage: Finding[] = [];
  await riak.scanHint(source, contextFor(HINT, bytes, limits, {}), {
    entry({ offset, length, position, size, timestamp, deleted, ...entry }) {
      const key = bytesValue(entry.bytes, entry.keyStart, entry.keyEnd);
      entries.push({ offset, length, position, size, timestamp, deleted, key });
    },
    damage: (one) => damage.push(one),
  });
  return { entries, damage };
}

/** Bytes that come once and forward, of which nobody knows how many there are. */
export class Stream implements ByteSource {
  readonly size = undefined;
  readonly forwardOnly = true;
  readonly #source: MemorySource;

  constructor(
    readonly name: string,
    bytes: Uint8Array,
    chunk?: number,
  ) {
    this.#source = new MemorySource(name, bytes, chunk);
  }

  async read(target: Uint8Array, start: number, length: number, position: number) {
    return this.#source.read(target, start, length, position);
  }
}

export function opened(files: Record<string, Uint8Array>): BitcaskOpened {
  const set = memorySet(files);
  return { set, dialect: riak, files: selectFiles(set, riak) };
}

export function put(key: string | Uint8Array, value?: string | Uint8Array, timestamp = 1000) {
  const bytes = (of: string | Uint8Array) => (typeof of === 'string' ? text(of) : of);
  const whole: BitcaskPut = {
    key: bytes(key),
    value: value === undefined ? undefined : bytes(value),
    timestamp,
    seq: -1,
    expires: 0,
    continued: false,
    unsynced: 0,
  };
  return whole;
}

export function record(
  key: string | Uint8Array,
  value?: string | Uint8Array,
  timestamp?: number,
): Uint8Array {
  return riak
    .encoder!.open(0n)
    .record(put(key, value, timestamp), 0)
    .slice();
}

/** The hint file of a data file that holds these records, one after the other. */
export function hintOf(records: readonly Told[]): Uint8Array {
  const writer = riak.encoder!.open(0n);
  const parts = [writer.hint(1, 0, records.length).slice()];
  const entry = new HintEntry();
  for (const { offset, length, timestamp, deleted, key } of records) {
    entry.bytes =
      typeof key === 'string' ? text(key) : Buffer.from((key as { hex: string }).hex, 'hex');
    entry.keyEnd = entry.bytes.length;
    Object.assign(entry, { position: offset, size: length, timestamp, deleted });
    parts.push(writer.entry(entry).slice());
  }
  parts.push(writer.hintEnd().slice());
  return new Uint8Array(Buffer.concat(parts));
}

/** Bitcask's own account of the store in the fixtures. */
export function expectedContent(): Map<string, string> {
  const lines = readFileSync(join(root, 'fixtures/bitcask/riak/expected.tsv'), 'utf8').split('\n');
  return new Map(
    lines.filter((line) => line !== '').map((line) => line.split('\t') as [string, string]),
  );
}
