/**
 * Replays the write-ahead logs of a database into memory: of each column family what its tables do
 * not hold yet. Prepared transactions count from their commit on, as RocksDB has it.
 */
import { DdiaError } from '../../shared/errors.ts';
import { findingOf } from '../damage.ts';
import type { Finding, ScanContext } from '../format.ts';
import { TYPE } from '../sstable/entry-block.ts';
import type { KeyRange } from '../sstable/range.ts';
import type { WalOpened, WalRecord } from '../wal/model.ts';
import { type LogVisitor, scanLog } from '../wal/reader.ts';
import { fromLog } from './log-operation.ts';
import { LOG_DIRECTORY } from './manifest.ts';
import { Memtable } from './memtable.ts';
import type { ColumnFamily, Database, LogFile } from './model.ts';

/** Bytes of keys and values that are held in memory, unless the user says otherwise. */
export const LOG_BYTES_MAX = 256 * 1024 * 1024;

/** Types of table entries by what the family `wal` calls the operations. */
const TYPES: Readonly<Record<string, number>> = {
  put: TYPE.put,
  delete: TYPE.delete,
  'single-delete': TYPE.singleDelete,
  merge: TYPE.merge,
  'delete-range': TYPE.rangeDelete,
  'blob-index': TYPE.blobIndex,
  'put-entity': TYPE.wideColumns,
  'timed-put': TYPE.putWithWriteTime,
};

export interface Replayed {
  memtable: Memtable;
  findings: Finding[];
}

/** An operation of a transaction that is prepared and not committed. */
interface Prepared {
  file: string;
  offset: number;
  length: number;
  type: number;
  key: Uint8Array;
  value: Uint8Array;
}

export async function replayLogs(
  database: Database,
  family: ColumnFamily,
  order: 1 | -1,
  range: KeyRange,
  context: ScanContext,
): Promise<Replayed> {
  const { logs, software } = database;
  const replay = new Replay(
    software === 'v2' ? LOG_DIRECTORY : '*.log',

    family,
    order,
    range,
    logBytesMax(context),
    database.version.flushedSeq,
  );
  const numbers = new Map(logs.map(({ name, number }) => [name, number]));
  await scanLogs(database, context, {
    record(record) {
      if (software === 'v2') replay.ours(record);
      else replay.record(record, (numbers.get(record.file) ?? 0) < family.logNumber);
    },
    damage(damage) {
      if (damage.severity !== 'info') replay.findings.push(inLog(database, findingOf(damage)));
    },
  });
  replay.end();
  return { memtable: replay.memtable.seal(), findings: replay.findings };
}

/** The logs as the family `wal` reads them. */
export function logInput({ logSet: set, wal: dialect, logs }: Database): WalOpened {
  return { set, dialect, files: logs.map(({ name, size }: LogFile) => ({ name, size })) };
}

export function scanLogs(
  database: Database,
  context: ScanContext,
  visitor: LogVisitor,
): Promise<void> {
  return scanLog(logInput(database), { ...context, set: database.logSet }, visitor);
}

/** What is told of a file of the log, by the name that it has from here. */
export function inLog<Told extends { file: string }>({ logPrefix }: Database, told: Told): Told {
  return logPrefix === '' ? told : { ...told, file: `${logPrefix}${told.file}` };
}

function logBytesMax(context: ScanContext): number {
  const given = context.options?.['max-log-bytes'];
  return typeof given === 'number' ? given : LOG_BYTES_MAX;
}

class Replay {
  readonly memtable: Memtable;
  readonly findings: Finding[] = [];
  /** By the transaction's name, as a string of one character a byte. */
  readonly #transactions = new Map<string, Prepared[]>();
  #section: Prepared[] | undefined;
  #held = 0;
  #compressed: string | undefined;

  constructor(
    file: string,
    readonly family: ColumnFamily,
    order: 1 | -1,
    readonly range: KeyRange,
    readonly bytesMax: number,
    readonly flushedSeq: number,
  ) {
    this.memtable = new Memtable(order, file);
  }

  /** `old`: what the log holds of the family is in its tables, but for what is only prepared. */
  record(record: WalRecord, old: boolean): void {
    const { op } = record;
    const type = TYPES[op];
    if (type !== undefined) this.#operation(record, type, old);
    else if (op === 'begin-prepare') this.#section = [];
    else if (op === 'end-prepare') this.#prepared(record);
    else if (op === 'commit-xid' || op === 'commit-xid-timestamp') this.#commit(record, old);
    else if (op === 'rollback-xid') this.#transactions.delete(nameOf(record));
    else if (op === 'compressed' && this.#compressed !== record.file) this.#unread(record);
  }

  /** A record of our own log. */
  ours(record: WalRecord): void {
    const { op, seqHigh, seqLow } = record;
    if (record.seq <= this.flushedSeq || (op !== 'put' && op !== 'delete')) return;
    fromLog(record, (type, _seq, bytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd) => {
      const key = bytes.subarray(keyStart, keyEnd);
      const value = type === TYPE.delete ? undefined : valueBytes.subarray(valueStart, valueEnd);
      if (type !== TYPE.rangeDelete && !this.#wanted(key)) return;
      this.#add(record, type, key, value, seqHigh, seqLow);
    });
  }

  #operation(record: WalRecord, type: number, old: boolean): void {
    if (Math.max(record.columnFamily, 0) !== this.family.id || (old && !this.#section)) return;
    const { file, offset, length, bytes, keyStart, keyEnd, valueStart, valueEnd } = record;
    const key = bytes.subarray(keyStart, keyEnd);
    const value = bytes.subarray(Math.max(valueStart, 0), Math.max(valueEnd, 0));
    if (type !== TYPE.rangeDelete && !this.#wanted(key)) return;
    if (this.#section) {
      this.#hold(key.length + value.length, record);
      const copy = { key: key.slice(), value: value.slice() };
      this.#section.push({ file, offset, length, type, ...copy });
    } else this.#add(record, type, key, value, record.seqHigh, record.seqLow);
  }

  /** Bounds are those of bytes, whatever the order. */
  #wanted(key: Uint8Array): boolean {
    const { from, to } = this.range;
    if (from && Buffer.compare(key, from) < 0) return false;
    return !to || Buffer.compare(key, to) < 0;
  }

  #add(
    place: { file: string; offset: number; length: number },
    type: number,
    key: Uint8Array,
    value: Uint8Array | undefined,
    seqHigh: number,
    seqLow: number,
  ): void {
    const { memtable } = this;
    this.#hold(0, place);
    if (type === TYPE.rangeDelete) memtable.addRange(key, value ?? key, seqHigh, seqLow, type);
    else memtable.add(type, key, value, seqHigh, seqLow);
  }

  #hold(more: number, { file, offset }: { file: string; offset: number }): void {
    this.#held += more;
    if (this.#held + this.memtable.bytes <= this.bytesMax) return;
    throw new DdiaError(
      'log-too-large',
      `the logs hold over ${this.bytesMax} bytes that no table has, up to ${file} @ ${offset}`,
      'raise --max-log-bytes, or ask for a narrower range of keys',
    );
  }

  #prepared(record: WalRecord): void {
    if (this.#section) this.#transactions.set(nameOf(record), this.#section);
    this.#section = undefined;
  }

  /** The operations are numbered from the commit's number on. */
  #commit(record: WalRecord, old: boolean): void {
    const name = nameOf(record);
    let seq = (BigInt(record.seqHigh) << 32n) | BigInt(record.seqLow);
    for (const one of old ? [] : (this.#transactions.get(name) ?? [])) {
      const low = Number(seq & 0xffff_ffffn);
      this.#add(one, one.type, one.key, one.value, Number(seq >> 32n), low);
      seq++;
    }
    this.#transactions.delete(name);
  }

  #unread({ file, offset, length }: WalRecord): void {
    this.#compressed = file;
    const message = 'the log is compressed from here on: its operations are not read';
    const code = 'log-compressed';
    this.findings.push({ code, severity: 'error', file, offset, length, message });
  }

  end(): void {
    for (const [name, operations] of this.#transactions) {
      const first = operations[0];
      if (!first) continue;
      const { file, offset, length } = first;
      const message =
        `transaction ${JSON.stringify(name)} is prepared and not committed: ` +
        `its ${operations.length} operations do not count`;
      const code = 'prepared-transaction';
      this.findings.push({ code, severity: 'info', file, offset, length, message });
    }
  }
}

function nameOf({ bytes, keyStart, keyEnd }: WalRecord): string {
  return Buffer.from(bytes.subarray(keyStart, keyEnd)).toString('latin1');
}
