/** Stores of bitcask v2 in memory, and what is found in them. */
import { selectFiles } from '../../../src/formats/bitcask/files.ts';
import type {
  BitcaskDamage,
  BitcaskPut,
  BitcaskRecord,
  HintEntry,
} from '../../../src/formats/bitcask/model.ts';
import { v2 } from '../../../src/formats/bitcask/v2/index.ts';
import { dataName, hintName, MANIFEST_NAME } from '../../../src/formats/bitcask/v2/layout.ts';
import {
  decodeManifest,
  encodeManifest,
  type StoreManifest,
} from '../../../src/formats/bitcask/v2/manifest.ts';
import { verifyStore } from '../../../src/formats/bitcask/verify.ts';
import { StoreWriter } from '../../../src/formats/bitcask/write.ts';
import { DEFAULT_LIMITS, type Finding, type Limits } from '../../../src/formats/format.ts';
import { concat, MemorySource, memorySet } from '../../support/memory.ts';

export type Files = Record<string, Uint8Array>;
export const STORE = 0x1122_3344_5566_7788n;

export const text = (value: string): Uint8Array => Buffer.from(value);

export type Put = Partial<BitcaskPut> & { seq: number };

/** A write; `value` undefined deletes. */
export function put(seq: number, key: string, value: string | undefined, more: Partial<Put> = {}) {
  return {
    ...{ seq, key: text(key), value: value === undefined ? undefined : text(value) },
    ...{ timestamp: 1_700_000_000 + seq, expires: 0, continued: false, unsynced: 1 },
    ...more,
  };
}

/** The files of a closed store: a data file for each list, `merged` those with these indices. */
export function store(
  lists: readonly (readonly BitcaskPut[])[],
  options: { storeId?: bigint; merged?: readonly number[]; firstFile?: number } = {},
): Files {
  const { storeId = STORE, merged = [], firstFile = 1 } = options;
  const files: Files = {};
  let name = '';
  let parts: Uint8Array[] = [];
  const writer = new StoreWriter(
    v2,
    { storeId, merged: false },
    {
      begin(given) {
        name = given;
        parts = [];
      },
      write: (bytes) => parts.push(bytes.slice()),
      finish() {
        files[name] = concat(parts);
      },
    },
  );
  lists.forEach((puts, i) => {
    writer.begin(firstFile + i, merged.includes(i));
    for (const one of puts) writer.put(one);
  });
  writer.end();
  return files;
}

export function manifestIn(files: Files): StoreManifest {
  const manifest = decodeManifest(files[MANIFEST_NAME]!);
  if (typeof manifest === 'string') throw new Error(manifest);
  return manifest;
}

/**
 * The same files as those of a store that was not closed: the last data file is written to, and
 * `durableBytes` of it, with these records, are known to be durable.
 */
export function reopened(
  files: Files,
  durable: { dataBytes?: number; records?: number; seqFirst?: number; seqLast?: number } = {},
): Files {
  const manifest = manifestIn(files);
  const last = manifest.files.at(-1)!;
  const known = { dataBytes: 64, records: 0, seqFirst: 0, seqLast: 0, ...durable };
  const nextSeq = Math.max(1, known.seqLast + 1, (manifest.files.at(-2)?.seqLast ?? 0) + 1);
  const open = { ...last, ...known, sealed: false, hint: false, hintCrc: 0 };
  const entries = [...manifest.files.slice(0, -1), open];
  const changed = encodeManifest({ ...manifest, files: entries, closed: false, nextSeq });
  const result: Files = { ...files, [MANIFEST_NAME]: changed };
  delete result[hintName(last.file)];
  return result;
}

/** What a scan told, with bytes of its own. */
export interface Told {
  seq: number;
  key: string;
  value: string | undefined;
  offset: number;
  length: number;
  timestamp: number;
  expires: number;
  continued: boolean;
  unsynced: number;
  salvaged: boolean;
}

export function told(record: BitcaskRecord): Told {
  const { seq, offset, length, timestamp, expires, continued, unsynced, salvaged } = record;
  const { bytes, keyStart, keyEnd, valueStart, valueEnd, deleted } = record;
  const latin1 = (from: number, to: number) =>
    Buffer.from(bytes.slice(from, to)).toString('latin1');
  const key = latin1(keyStart, keyEnd);
  const value = deleted ? undefined : latin1(valueStart, valueEnd);
  return { seq, key, value, offset, length, timestamp, expires, continued, unsynced, salvaged };
}

export interface Scanned {
  records: Told[];
  damage: BitcaskDamage[];
  /** In the order in which they came: numbers of records, codes of damage. */
  order: (number | string)[];
}

export async function scan(
  files: Files,
  options: { name?: string; limits?: Partial<Limits>; chunk?: number; from?: number } = {},
): Promise<Scanned> {
  const { name = dataName(1), limits = {}, chunk, from } = options;
  const result: Scanned = { records: [], damage: [], order: [] };
  const set = memorySet(files);
  const context = { limits: { ...DEFAULT_LIMITS, ...limits }, set, from };
  await v2.scan(new MemorySource(name, files[name]!, chunk), context, {
    record(record) {
      result.records.push(told(record));
      result.order.push(record.seq);
    },
    damage(damage) {
      result.damage.push(damage);
      result.order.push(damage.code);
    },
  });
  return result;
}

export async function scanHint(
  files: Files,
  options: { name?: string; limits?: Partial<Limits> } = {},
): Promise<{ entries: Record<string, unknown>[]; damage: Finding[] }> {
  const { name = hintName(1), limits = {} } = options;
  const entries: Record<string, unknown>[] = [];
  const damage: Finding[] = [];
  const context = { limits: { ...DEFAULT_LIMITS, ...limits }, set: memorySet(files) };
  await v2.scanHint(new MemorySource(name, files[name]!), context, {
    entry(entry: HintEntry) {
      const { bytes, keyStart, keyEnd, ...rest } = entry;
      entries.push({ ...rest, key: Buffer.from(bytes.slice(keyStart, keyEnd)).toString('latin1') });
    },
    damage: (one) => damage.push(one),
  });
  return { entries, damage };
}

export async function verify(files: Files, limits: Partial<Limits> = {}) {
  const set = memorySet(files);
  const input = { set, dialect: v2, files: selectFiles(set, v2) };
  return verifyStore(input, { limits: { ...DEFAULT_LIMITS, ...limits }, set });
}

export const codesOf = async (files: Files): Promise<string[]> =>
  Object.keys((await verify(files)).counts).sort();

/** The same files with `bytes` in place of those of `name`. */
export const withFile = (files: Files, name: string, bytes: Uint8Array): Files => ({
  ...files,
  [name]: bytes,
});

export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >>> 3]! ^= 1 << (bit & 7);
  return copy;
}

/** `bytes` without those of [from, to). */
export const cutOut = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  concat([bytes.slice(0, from), bytes.slice(to)]);
