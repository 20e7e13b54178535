/**
 * wal tail: the last operations of a log and, with --follow, those that come. The growing segment
 * is looked at again from its last intact record whenever it changes; a next segment is gone on to.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identified } from '../formats/detect.ts';
import type { Limits, RecordSink } from '../formats/format.ts';
import { printRecord } from '../formats/wal/dump.ts';
import { walContext } from '../formats/wal/index.ts';
import type { WalOpened, WalRecord } from '../formats/wal/model.ts';
import { scanLog } from '../formats/wal/reader.ts';
import { openFileSet } from '../io/file-set.ts';
import type { DdiaCommand } from './base-command.ts';

export interface TailFlags {
  lines: number;
  follow: boolean;
  limits: Limits;
  /** Milliseconds between two looks at a log that is followed. */
  interval: number;
}

/** Where the following stands. */
interface Position {
  file: string;
  /** First byte not yet told. */
  offset: number;
}

export async function tailLog(
  command: DdiaCommand,
  input: Identified,
  sink: RecordSink,
  flags: TailFlags,
): Promise<void> {
  const opened = input as unknown as WalOpened;
  let position = await printLast(command, opened, sink, flags);
  while (flags.follow) {
    command.out.flush();
    await sleep(flags.interval, undefined, { signal: command.signal }).catch(() => {});
    command.signal.throwIfAborted();
    position = await printNew(command, opened, sink, position, flags);
  }
  command.out.flush();
}

/** Prints the last operations and returns where the log ends. */
async function printLast(
  command: DdiaCommand,
  input: WalOpened,
  sink: RecordSink,
  flags: TailFlags,
): Promise<Position> {
  const last: WalRecord[] = [];
  const position: Position = { file: input.files[0]!.name, offset: 0 };
  await scanLog(input, walContext(input, { limits: flags.limits, signal: command.signal }), {
    segment(file) {
      position.file = file.name;
      position.offset = 0;
    },
    record(record) {
      position.offset = record.offset + record.length;
      if (flags.lines === 0) return;
      if (last.length >= flags.lines) last.shift();
      last.push(detached(record));
    },
    damage() {},
  });
  for (const record of last) printRecord(sink, record, input.dialect.hasSeq);
  return position;
}

/** Prints what has come since `position` and returns where the log ends now. */
async function printNew(
  command: DdiaCommand,
  before: WalOpened,
  sink: RecordSink,
  position: Position,
  flags: TailFlags,
): Promise<Position> {
  const set = openFileSet(before.set.path);
  const { dialect } = before;
  const all = set.isDirectory
    ? [...set.files]
        .filter(({ name }) => dialect.segmentNumber(name) !== undefined)
        .sort((a, b) => dialect.segmentNumber(a.name)! - dialect.segmentNumber(b.name)!)
    : [...set.files];
  const at = all.findIndex(({ name }) => name === position.file);
  const files = all.slice(Math.max(0, at));
  const now = { ...position };
  if (at >= 0 && files.length === 1 && (files[0]!.size ?? 0) <= position.offset) return now;
  const context = walContext(
    { ...before, set, files },
    { limits: flags.limits, signal: command.signal },
  );
  await scanLog(
    { ...before, set, files },
    { ...context, from: at >= 0 ? position.offset : 0 },
    {
      segment(file) {
        if (file.name === now.file) return;
        now.file = file.name;
        now.offset = 0;
      },
      record(record) {
        if (record.file === position.file && record.offset < position.offset) return;
        printRecord(sink, record, dialect.hasSeq);
        now.offset = record.offset + record.length;
      },
      damage() {}, // a write that is not finished yet, or a hole that dump and verify tell of
    },
  );
  return now;
}

/** A record with bytes of its own. */
function detached(record: WalRecord): WalRecord {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(record)), record) as WalRecord;
  const start = Math.min(...[record.keyStart, record.valueStart].filter((at) => at >= 0), Infinity);
  const end = Math.max(record.keyEnd, record.valueEnd, 0);
  if (!Number.isFinite(start)) return copy;
  copy.bytes = record.bytes.slice(start, end);
  for (const field of ['keyStart', 'keyEnd', 'valueStart', 'valueEnd'] as const) {
    if (copy[field] >= 0) copy[field] -= start;
  }
  return copy;
}
