/** The files of a log: its manifest, which segments are its, and what a crash has left over. */
import { join } from 'node:path';
import { decodeSegmentHeader } from '../../formats/wal/v2/headers.ts';
import {
  SEGMENT_HEADER_BYTES,
  SEGMENT_NAME,
  segmentName,
  UNMADE_SEGMENT_MAX,
} from '../../formats/wal/v2/layout.ts';
import {
  decodeManifest,
  encodeManifest,
  type LogManifest,
  MANIFEST_BYTES,
  MANIFEST_NAME,
  type Reached,
} from '../../formats/wal/v2/manifest.ts';
import { type Disk, readFully } from '../../io/disk.ts';
import { isTemporaryName, replaceFile } from '../../io/durable.ts';
import { DdiaError } from '../../shared/errors.ts';
import type { ResolvedOptions } from './options.ts';
import { corrupt } from './recover.ts';

export class LogDirectory {
  /** Numbers of the segments, ascending, without a gap. */
  segments: number[] = [];

  private constructor(
    readonly disk: Disk,
    readonly directory: string,
    public manifest: LogManifest,
  ) {}

  /** Reads or makes the manifest, and removes what belongs to no log. The lock is held. */
  static open(disk: Disk, directory: string, options: ResolvedOptions): LogDirectory {
    for (const name of disk.list(directory)) {
      if (isTemporaryName(name)) disk.remove(join(directory, name));
    }
    const files = new LogDirectory(disk, directory, readOrMake(disk, directory, options));
    files.refresh();
    files.#removeTruncated();
    return files;
  }

  /** Looks at the directory again. Throws `corrupt` if a segment is missing. */
  refresh(): void {
    const { firstSegment, reached } = this.manifest;
    this.segments = numbersIn(this.disk, this.directory).filter((one) => one >= firstSegment);
    this.segments.forEach((number, i) => {
      if (number === firstSegment + i) return;
      throw corrupt(this.directory, firstSegment + i, 0, 'the segment is missing');
    });
    const next = firstSegment + this.segments.length;
    const unmade = reached
      ? reached.segment < next
      : next > firstSegment || next <= UNMADE_SEGMENT_MAX;
    if (!unmade) throw corrupt(this.directory, next, 0, 'the segment is missing');
  }

  /** Makes known how far the log reaches; all of that is durable. */
  reach(reached: Reached): void {
    const { segment, seq } = this.manifest.reached ?? {};
    if (segment === reached.segment && seq === reached.seq) return;
    this.#replace({ ...this.manifest, reached });
  }

  #replace(manifest: LogManifest): void {
    replaceFile(this.disk, join(this.directory, MANIFEST_NAME), encodeManifest(manifest));
    this.manifest = manifest;
  }

  /**
   * Drops segments whose last number is at most `upTo`, never the one that is written, which the
   * log has reached. Returns how many.
   */
  truncate(upTo: bigint, reached: Reached): number {
    this.refresh();
    let first = this.manifest.firstSegment;
    let truncatedSeq = this.manifest.truncatedSeq;
    for (const number of this.segments) {
      if (number >= reached.segment || !this.segments.includes(number + 1)) break;
      // The next segment's header tells where this one ended.
      const { previousSeq } = this.#header(number + 1);
      if (previousSeq > upTo) break;
      first = number + 1;
      truncatedSeq = previousSeq;
    }
    const dropped = first - this.manifest.firstSegment;
    if (dropped === 0) return 0;
    this.#replace({ ...this.manifest, firstSegment: first, truncatedSeq, reached });
    this.#removeTruncated();
    this.refresh();
    return dropped;
  }

  #header(number: number) {
    const file = this.disk.open(join(this.directory, segmentName(number)), 'read');
    try {
      const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
      const got = readFully(file, bytes, 0, bytes.length, 0);
      const header = got === bytes.length ? decodeSegmentHeader(bytes) : undefined;
      if (!header?.intact) throw corrupt(this.directory, number, 0, 'its header is damaged');
      return header;
    } finally {
      file.close();
    }
  }

  /** Segments that the manifest no longer names: a truncation was cut short behind its commit. */
  #removeTruncated(): void {
    const old = numbersIn(this.disk, this.directory).filter((n) => n < this.manifest.firstSegment);
    for (const number of old) this.disk.remove(join(this.directory, segmentName(number)));
    if (old.length > 0) this.disk.syncDirectory(this.directory);
  }
}

function numbersIn(disk: Disk, directory: string): number[] {
  const numbers: number[] = [];
  for (const name of disk.list(directory)) {
    const match = SEGMENT_NAME.exec(name);
    if (match && segmentName(Number(match[1])) === name) numbers.push(Number(match[1]));
  }
  return numbers.sort((a, b) => a - b);
}

function readOrMake(disk: Disk, directory: string, options: ResolvedOptions): LogManifest {
  const path = join(directory, MANIFEST_NAME);
  if (disk.stat(path)) {
    // A process that died may have given it its name and not made that durable.
    disk.syncDirectory(directory);
    const file = disk.open(path, 'read');
    try {
      const bytes = new Uint8Array(MANIFEST_BYTES + 1);
      const manifest = decodeManifest(
        bytes.subarray(0, readFully(file, bytes, 0, bytes.length, 0)),
      );
      if (typeof manifest !== 'string') return manifest;
      throw new DdiaError('corrupt', `${path}: ${manifest}`, `look: ddia wal verify ${directory}`);
    } finally {
      file.close();
    }
  }
  const manifest = adopt(disk, directory) ?? {
    logId: options.logId(),
    firstSegment: 1,
    truncatedSeq: 0n,
    reached: { segment: 0, seq: 0n },
  };
  replaceFile(disk, path, encodeManifest(manifest));
  return manifest;
}

/** Segments without a manifest, as `wal write` makes them: the first one's header says it all. */
function adopt(disk: Disk, directory: string): LogManifest | undefined {
  const first = numbersIn(disk, directory)[0];
  if (first === undefined) return undefined;
  const file = disk.open(join(directory, segmentName(first)), 'read');
  try {
    const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
    const got = readFully(file, bytes, 0, bytes.length, 0);
    const header = got === bytes.length ? decodeSegmentHeader(bytes) : undefined;
    if (!header?.intact)
      throw corrupt(directory, first, 0, 'its header is damaged, and there is no manifest');
    return { logId: header.logId, firstSegment: first, truncatedSeq: header.previousSeq };
  } finally {
    file.close();
  }
}
