/** Files in memory, for tests of formats: the same interfaces as on disk. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { bytesValue } from '../../src/formats/bytes/value.ts';
import {
  type ByteSource,
  DEFAULT_LIMITS,
  type FileSet,
  type Limits,
} from '../../src/formats/format.ts';
import type { WalDamage, WalDialect, WalRecord } from '../../src/formats/wal/model.ts';

export const root = join(import.meta.dirname, '../..');

export class MemorySource implements ByteSource {
  readonly size: number;

  constructor(
    readonly name: string,
    readonly bytes: Uint8Array,
    /** Bytes a read returns at most: small ones exercise the window's edges. */
    readonly chunk = Number.POSITIVE_INFINITY,
  ) {
    this.size = bytes.length;
  }

  read(target: Uint8Array, start: number, length: number, position: number): number {
    const end = Math.min(position + Math.min(length, this.chunk), this.bytes.length);
    if (end <= position) return 0;
    target.set(this.bytes.subarray(position, end), start);
    return end - position;
  }
}

/** Files of directories below are given as `directory/name`. */
export function memorySet(files: Record<string, Uint8Array>, path = 'memory'): FileSet {
  const entries = Object.entries(files)
    .filter(([name]) => !name.includes('/'))
    .map(([name, bytes]) => ({ name, size: bytes.length }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    path,
    isDirectory: true,
    files: entries,
    siblings: entries,
    open: (name) => new MemorySource(name, files[name]!),
    below(name) {
      const inner = Object.entries(files).filter(([path]) => path.startsWith(`${name}/`));
      const named = inner.map(([path, bytes]) => [path.slice(name.length + 1), bytes] as const);
      return named.length > 0 ? memorySet(Object.fromEntries(named), `${path}/${name}`) : undefined;
    },
  };
}

/** A directory of fixtures, in memory. */
export function fixtureFiles(directory: string): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  for (const name of readdirSync(join(root, 'fixtures', directory))) {
    if (/\.(json|md|txt|py)$/.test(name)) continue;
    files[basename(name)] = readFileSync(join(root, 'fixtures', directory, name));
  }
  return files;
}

export function fixtureJson<T>(path: string): T {
  return JSON.parse(readFileSync(join(root, 'fixtures', path), 'utf8')) as T;
}

/** What a scan told, with bytes of its own. */
export interface Told {
  seq: number;
  op: string;
  key: unknown;
  value: unknown;
  offset: number;
  length: number;
}

export async function scanAll(
  dialect: WalDialect,
  bytes: Uint8Array,
  limits: Partial<Limits> = {},
  name = '000001.wal',
  chunk?: number,
): Promise<{ records: Told[]; damage: WalDamage[] }> {
  const records: Told[] = [];
  const damage: WalDamage[] = [];
  const context = { limits: { ...DEFAULT_LIMITS, ...limits }, set: memorySet({ [name]: bytes }) };
  await dialect.scan(new MemorySource(name, bytes, chunk), context, {
    record: (record) => records.push(told(record)),
    damage: (one) => damage.push(one),
  });
  return { records, damage };
}

export function told(record: WalRecord): Told {
  const { seq, op, offset, length, bytes } = record;
  return {
    seq,
    op,
    key: record.keyStart < 0 ? undefined : bytesValue(bytes, record.keyStart, record.keyEnd),
    value:
      record.valueStart < 0 ? undefined : bytesValue(bytes, record.valueStart, record.valueEnd),
    offset,
    length,
  };
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
