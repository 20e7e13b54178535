/** RocksDB's own tool, and what it prints. */
import { peer, told } from './peers.ts';

export function ldb(...args: string[]): string {
  return peer('ldb', args);
}

const OP_NAMES: Readonly<Record<string, string>> = {
  PUT: 'put',
  DELETE: 'delete',
  SINGLE_DELETE: 'single-delete',
  DELETE_RANGE: 'delete-range',
  MERGE: 'merge',
};

/** A batch of a log as `ldb dump_wal` tells it; bytes in hex. */
export interface LdbBatch {
  seq: number;
  count: number;
  bytes: number;
  offset: number;
  operations: { op: string; cf: number; key: string | undefined; value: string | undefined }[];
}

const TITLES = 'Sequence,Count,ByteSize,Physical Offset,Key(s) : value';

/** Throws when ldb finds anything wrong with the log: it says so on stderr, and reads on. */
export function dumpWal(path: string): LdbBatch[] {
  const flags = [`--walfile=${path}`, '--header', '--print_value'];
  const { stdout, stderr } = told('ldb', ['dump_wal', ...flags]);
  if (stderr !== '') throw new Error(`ldb dump_wal ${path}: ${stderr}`);
  const [titles, ...rows] = stdout.trimEnd().split('\n');
  if (titles!.trim() !== TITLES) throw new Error(`ldb dump_wal ${path}: ${titles}`);
  return rows.map((row) => {
    const fields = /^(\d+),(\d+),(\d+),(\d+),(.*)$/.exec(row);
    if (!fields) throw new Error(`ldb dump_wal ${path}: ${row}`);
    const [seq, count, bytes, offset] = fields.slice(1, 5).map(Number);
    const words = fields[5]!.matchAll(/([A-Z_]+)\((\d+)\)((?: :? ?0x[0-9A-F]*)+)/g);
    const operations = [...words].map(([, name, cf, data]) => {
      const [key, value] = [...data!.matchAll(/0x([0-9A-F]*)/g)].map((one) =>
        one[1]!.toLowerCase(),
      );
      return { op: OP_NAMES[name!] ?? name!, cf: Number(cf), key, value };
    });
    return { seq: seq!, count: count!, bytes: bytes!, offset: offset!, operations };
  });
}

/** What `ldb manifest_dump` says of a column family. */
export interface LdbFamily {
  id: number;
  name: string;
  logNumber: number;
  comparator: string;
  /** `level number:size[smallestSeq .. largestSeq]` */
  tables: string[];
}

export interface LdbManifest {
  families: LdbFamily[];
  lastSequence: number;
  maxColumnFamily: number;
  minLogNumberToKeep: number;
}

export function dumpManifest(path: string): LdbManifest {
  const families: LdbFamily[] = [];
  let level = 0;
  const number = (text: string, name: string) =>
    Number(new RegExp(`${name} (\\d+)`).exec(text)![1]);
  const text = ldb('manifest_dump', `--path=${path}`);
  for (const line of text.split('\n')) {
    const family = /^-+ Column family "(.*)" {2}\(ID (\d+)\) -+$/.exec(line);
    if (family) {
      const [, name, id] = family;
      families.push({ id: Number(id), name: name!, logNumber: 0, comparator: '', tables: [] });
      continue;
    }
    const now = families.at(-1)!;
    if (line.startsWith('log number: ')) now.logNumber = Number(line.slice(12));
    else if (line.startsWith('comparator: ')) now.comparator = line.slice(12);
    else if (line.startsWith('--- level ')) level = Number.parseInt(line.slice(10), 10);
    else {
      const table = /^ (\d+:\d+\[\d+ \.\. \d+\])/.exec(line);
      if (table) now.tables.push(`${level} ${table[1]}`);
    }
  }
  for (const { tables } of families) tables.sort();
  return {
    families,
    lastSequence: number(text, 'last_sequence'),
    maxColumnFamily: number(text, 'max_column_family'),
    minLogNumberToKeep: number(text, 'min_log_number_to_keep'),
  };
}
