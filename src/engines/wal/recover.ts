/**
 * Opening a log: finds where it ends by its last segment alone, so in time that does not grow with
 * the log.
 *
 * A log that was closed ends with a mark. One that was not may have lost what was not synced, may
 * show data that is in the cache and not on the disk (after a failed sync, or when only the process
 * died), and may have handed out numbers that are in no file. So its last segment, up to where it
 * is intact, is written anew and synced, what lies behind is saved, and a mark says where numbering
 * goes on: beyond every number that the segment can have held. A log that ends before what its
 * manifest knows to be durable has no torn tail: it is damaged, and left as it is.
 */
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '../../formats/format.ts';
import type { WalDamage, WalRecord } from '../../formats/wal/model.ts';
import { SegmentEncoder } from '../../formats/wal/v2/encode.ts';
import type { SegmentHeader } from '../../formats/wal/v2/headers.ts';
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  CLOSED,
  FRAGMENT_BYTES_MIN,
  FRAGMENT_HEADER_BYTES,
  MARK_BYTES,
  RECOVERED,
  SEGMENT_HEADER_BYTES,
  SEQS_PER_SEGMENT,
  segmentName,
} from '../../formats/wal/v2/layout.ts';
import type { LogManifest } from '../../formats/wal/v2/manifest.ts';
import { V2Scan } from '../../formats/wal/v2/scan.ts';
import type { Disk } from '../../io/disk.ts';
import { DiskSource, diskSet } from '../../io/disk-set.ts';
import { DurableWriter } from '../../io/durable.ts';
import { DdiaError } from '../../shared/errors.ts';
import { saveTail } from '../torn-tail.ts';

const COPY_BYTES = 256 * 1024;
const MARK_FRAGMENT_BYTES = FRAGMENT_HEADER_BYTES + MARK_BYTES;

/** The end of a log that may be written. */
export interface LogEnd {
  segment: number;
  header: SegmentHeader;
  /** File offset behind the last fragment, and its crc. */
  position: number;
  chain: number;
  /** The last record's number, 0 if there is none; and the one that the next record gets. */
  lastSeq: bigint;
  nextSeq: bigint;
  /** True if the segment is sealed by a recovery: the next record begins a new one. */
  sealed: boolean;
}

export interface Recovery {
  /** Undefined: the log has no segment left. */
  end: LogEnd | undefined;
  /** What was done, in words; empty if the log was closed. */
  recovered: string[];
}

/** The files of the log, as LogDirectory has them. */
export interface LogFiles {
  readonly disk: Disk;
  readonly directory: string;
  /** Ascending numbers. */
  readonly segments: readonly number[];
  readonly manifest: LogManifest;
}

/** What a scan of the last segment shows. */
interface Examined {
  header: SegmentHeader | undefined;
  position: number;
  chain: number;
  mark: number;
  markNextSeq: bigint;
  lastSeq: bigint;
  /** Records that could be read anywhere in the file. */
  records: number;
  size: number;
  torn: boolean;
}

/**
 * Finds, and if need be makes, the end of the log. Throws a DdiaError `corrupt` where something
 * that was synced cannot be read.
 */
export async function recoverEnd(files: LogFiles): Promise<Recovery> {
  const { disk, directory, segments } = files;
  const reached = files.manifest.reached ?? { segment: 0, seq: 0n };
  const recovered: string[] = [];
  for (let i = segments.length - 1; i >= 0; i--) {
    const number = segments[i]!;
    const seen = await examine(disk, directory, number);
    if (!seen.header) {
      // The header is synced before anything is written behind it.
      if (seen.size > SEGMENT_HEADER_BYTES || number <= reached.segment) {
        throw corrupt(directory, number, 0, 'its header is damaged');
      }
      const kept = saveTail(disk, directory, segmentName(number), 0, seen.size);
      if (kept) recovered.push(kept);
      disk.remove(join(directory, segmentName(number)));
      disk.syncDirectory(directory);
      recovered.push(`${segmentName(number)} was begun and not finished: removed`);
      continue;
    }
    if (seen.lastSeq < reached.seq) {
      const why = `the log ends at seq ${seen.lastSeq}, seq ${reached.seq} was durable`;
      throw corrupt(directory, number, seen.position, why);
    }
    const closed = !seen.torn && (seen.mark === CLOSED || seen.mark === RECOVERED);
    const end = closed
      ? endOf(number, seen, seen.header)
      : seal(disk, directory, number, seen, seen.header, recovered);
    return { end, recovered };
  }
  return { end: undefined, recovered };
}

function endOf(number: number, seen: Examined, header: SegmentHeader): LogEnd {
  const { position, chain, lastSeq, markNextSeq } = seen;
  return {
    segment: number,
    header,
    position,
    chain,
    lastSeq,
    nextSeq: markNextSeq,
    sealed: seen.mark === RECOVERED,
  };
}

async function examine(disk: Disk, directory: string, number: number): Promise<Examined> {
  const name = segmentName(number);
  const source = new DiskSource(disk, join(directory, name), name);
  let lastSeq = 0n;
  let records = 0;
  /** The number due where the first loss is, and where that is. */
  let lost: { seq: bigint; offset: number; end: { position: number; chain: number } } | undefined;
  let noted: WalDamage | undefined;
  try {
    const scan: V2Scan = new V2Scan(
      source,
      { limits: DEFAULT_LIMITS, set: diskSet(disk, directory) },
      {
        record(record: WalRecord) {
          records++;
          const seq = (BigInt(record.seqHigh) << 32n) | BigInt(record.seqLow);
          if (!lost) {
            lastSeq = seq;
            return;
          }
          const first = seq - BigInt(record.index);
          if (first === lost.seq && !isRoomOfMark(lost.offset, record.offset)) {
            // No record is missing, so more was put in between than the mark that a crash may cost.
            throw corrupt(directory, number, lost.offset, `seq ${first} follows behind it`);
          }
          // Written when something from the loss on was durable already: that is no torn tail.
          if (first - BigInt(record.synced) >= lost.seq) {
            throw corrupt(
              directory,
              number,
              lost.offset,
              `seq ${first} behind it proves it synced`,
            );
          }
        },
        damage(damage: WalDamage) {
          if (!damage.lost) {
            if (!lost) noted ??= damage;
            return;
          }
          const seq = (lastSeq || (scan.header?.previousSeq ?? 0n)) + 1n;
          lost ??= { seq, offset: damage.offset, end: { ...scan.whole } };
        },
      },
    );
    await scan.run();
    const { end, whole } = scan;
    if (noted && (scan.header || records > 0)) {
      throw corrupt(directory, number, noted.offset, `${noted.code}: ${noted.message}`);
    }
    if (lost && end.mark !== 0 && end.position > lost.offset) {
      // A mark is written when all before it is durable.
      throw corrupt(directory, number, lost.offset, 'the mark behind it proves it synced');
    }
    const at = lost ? lost.end : whole;
    return {
      header: scan.header,
      position: at.position,
      chain: at.chain,
      mark: lost ? 0 : end.mark,
      markNextSeq: end.markNextSeq,
      lastSeq: lastSeq || (scan.header?.previousSeq ?? 0n),
      records,
      size: source.size,
      torn: lost !== undefined,
    };
  } finally {
    source.close();
  }
}

/** Whether a mark fits there and no record does: padding and a block's header may follow it. */
function isRoomOfMark(from: number, to: number): boolean {
  const sameBlock = Math.floor(from / BLOCK_BYTES) === Math.floor(to / BLOCK_BYTES);
  const most = FRAGMENT_BYTES_MIN - 1 + BLOCK_HEADER_BYTES;
  return to - from <= MARK_FRAGMENT_BYTES + (sameBlock ? 0 : most);
}

/** Writes the segment anew up to its intact end, with a mark that numbering goes on from. */
function seal(
  disk: Disk,
  directory: string,
  number: number,
  seen: Examined,
  header: SegmentHeader,
  recovered: string[],
): LogEnd {
  const path = join(directory, segmentName(number));
  const kept = saveTail(disk, directory, segmentName(number), seen.position, seen.size);
  if (kept) recovered.push(kept);
  const nextSeq = header.baseSeq + BigInt(SEQS_PER_SEGMENT);
  const state =
    seen.position > SEGMENT_HEADER_BYTES
      ? { position: seen.position, chain: seen.chain }
      : { position: SEGMENT_HEADER_BYTES, chain: header.crc };
  const encoder = new SegmentEncoder(header, state);
  encoder.mark(RECOVERED, nextSeq);
  const mark = encoder.take();
  const writer = DurableWriter.create(disk, path, { overwrite: true });
  try {
    const source = disk.open(path, 'read');
    try {
      const buffer = new Uint8Array(COPY_BYTES);
      for (let at = 0; at < state.position; ) {
        const got = source.read(buffer, 0, Math.min(COPY_BYTES, state.position - at), at);
        if (got <= 0) throw corrupt(directory, number, at, 'it ended while it was copied');
        writer.append(buffer, 0, got);
        at += got;
      }
    } finally {
      source.close();
    }
    writer.append(mark, 0, mark.length);
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
  recovered.push(
    `${segmentName(number)} was not closed: sealed at ${state.position}, seq goes on at ${nextSeq}`,
  );
  return {
    segment: number,
    header,
    position: encoder.position,
    chain: encoder.chain,
    lastSeq: seen.lastSeq,
    nextSeq,
    sealed: true,
  };
}

export function corrupt(
  directory: string,
  segment: number,
  offset: number,
  why: string,
): DdiaError {
  return new DdiaError(
    'corrupt',
    `${directory}: ${segmentName(segment)} is damaged at ${offset}: ${why}`,
    `look: ddia wal verify ${directory}; then ddia wal repair ${directory} --out NEW`,
  );
}
