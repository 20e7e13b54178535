/**
 * A whole directory of a store of levels, of ours (`v2`), of LevelDB or of RocksDB: what its
 * manifest says is live, and the files that there are. Everything is read, nothing is ever written:
 * no lock is taken either.
 */
import type { FileSet, Finding } from '../format.ts';
import type { TableDialect } from '../sstable/model.ts';
import type { WalDialect } from '../wal/model.ts';
import type { ManifestTable } from './manifest.ts';

export const SOFTWARE = ['v2', 'leveldb', 'rocksdb'] as const;
export type Software = (typeof SOFTWARE)[number];

/** An end of a table's range, as the MANIFEST has it. */
export interface InternalKey {
  readonly userKey: Uint8Array;
  readonly seq: bigint;
  /** Name of the entry's type; a number where that has no name. */
  readonly type: string | number;
}

/** A live table, by its entry in the MANIFEST. */
export interface TableFile {
  readonly number: number;
  readonly level: number;
  readonly size: number;
  /** Undefined where the MANIFEST is lost and the table was found in the directory. */
  readonly smallest: InternalKey | undefined;
  readonly largest: InternalKey | undefined;
  readonly smallestSeq: bigint | undefined;
  readonly largestSeq: bigint | undefined;
  /** Name in the directory; undefined where no such file is there. */
  name: string | undefined;
  /** Where its edit lies in the MANIFEST. */
  readonly offset: number;
  readonly length: number;
  /** Of a store of ours: all that its manifest says of the table. */
  readonly entry?: ManifestTable;
}

export interface ColumnFamily {
  readonly id: number;
  name: string;
  comparator: string;
  /** Logs with a lower number hold nothing of it that is not in tables. */
  logNumber: number;
  /** By number. */
  readonly tables: Map<number, TableFile>;
}

/** The sum of the MANIFEST's edits. */
export interface Version {
  edits: number;
  readonly families: Map<number, ColumnFamily>;
  lastSequence: bigint | undefined;
  nextFileNumber: number | undefined;
  prevLogNumber: number;
  minLogNumberToKeep: number;
  /** Blob files that are live, by number. */
  readonly blobFiles: Set<number>;
  /** Of a store of ours: what the log holds up to this number is in tables. Otherwise 0. */
  flushedSeq: number;
}

export interface LogFile {
  readonly number: number;
  readonly name: string;
  readonly size: number;
}

export interface Database {
  readonly set: FileSet;
  /** Where the logs lie: in the same directory, or in one below; and how to name them from here. */
  readonly logSet: FileSet;
  readonly logPrefix: string;
  readonly software: Software;
  readonly wal: WalDialect;
  readonly sstable: TableDialect;
  /** Name of the MANIFEST that counts; undefined: there is none. */
  readonly manifest: string | undefined;
  readonly version: Version;
  /** Logs that are replayed, oldest first. */
  readonly logs: readonly LogFile[];
  /** True where the MANIFEST could not be read whole: tables were looked for in the directory. */
  readonly guessed: boolean;
  /** What CURRENT, MANIFEST and the listing of the directory had wrong. */
  readonly findings: readonly Finding[];
  /** What the manifest of a store of ours says beside its tables, where it is whole. */
  readonly identity?: { readonly storeId: bigint; readonly generation: bigint } | undefined;
}

export const DEFAULT_FAMILY = 'default';

/** The highest sequence number: of a table's end that is the open end of a range deletion. */
export const SEQ_MAX = (1n << 56n) - 1n;
