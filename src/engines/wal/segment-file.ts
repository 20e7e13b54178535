/** The segment that is written: its encoder and its file, with space allocated ahead. */
import { join } from 'node:path';
import type { WalOperation } from '../../formats/wal/model.ts';
import { SegmentEncoder } from '../../formats/wal/v2/encode.ts';
import type { NewSegment } from '../../formats/wal/v2/headers.ts';
import { CLOSED, OPENED, SEQS_PER_SEGMENT, segmentName } from '../../formats/wal/v2/layout.ts';
import { type Disk, type DiskFile, writeFully } from '../../io/disk.ts';
import type { ResolvedOptions } from './options.ts';
import type { LogEnd } from './recover.ts';

/** Space is allocated ahead in steps of at least this, growing with the segment. */
const ALLOCATE_BYTES_MIN = 64 * 1024;
const ZEROS = new Uint8Array(ALLOCATE_BYTES_MIN);

export class SegmentFile {
  /** The log was closed, or sealed, and nothing says yet that it is written again. */
  unopened: boolean;
  readonly #preallocate: number;
  readonly #segmentBytes: number;
  #allocated: number;
  #open = true;

  private constructor(
    readonly header: NewSegment,
    readonly file: DiskFile,
    readonly encoder: SegmentEncoder,
    options: ResolvedOptions,
    /** Sealed by a recovery: numbers go on in the next segment. */
    readonly sealed: boolean,
    resumed: boolean,
  ) {
    this.#preallocate = options.sync === 'none' ? 0 : options.preallocateBytes;
    this.#segmentBytes = options.segmentBytes;
    this.#allocated = resumed ? file.size() : encoder.position;
    this.unopened = resumed;
  }

  get number(): number {
    return this.header.segment;
  }

  get chain(): number {
    return this.encoder.chain;
  }

  /** At or over the limit, or sealed. */
  get full(): boolean {
    return this.encoder.position >= this.#segmentBytes;
  }

  /** True if numbers below `seq` may stand in this segment. */
  holds(seq: number): boolean {
    return !this.sealed && seq <= Number(this.header.baseSeq) + SEQS_PER_SEGMENT;
  }

  /**
   * Makes the file and its header durable, name included, before any number is handed out for it.
   */
  static create(
    disk: Disk,
    directory: string,
    options: ResolvedOptions,
    header: NewSegment,
  ): SegmentFile {
    const path = join(directory, segmentName(header.segment));
    const file = disk.open(path, 'create');
    try {
      const encoder = new SegmentEncoder(header);
      const bytes = encoder.take();
      writeFully(file, bytes, 0, bytes.length, 0);
      file.sync();
      disk.syncDirectory(directory);
      return new SegmentFile(header, file, encoder, options, false, false);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  static resume(disk: Disk, directory: string, end: LogEnd, options: ResolvedOptions): SegmentFile {
    const file = disk.open(join(directory, segmentName(end.segment)), 'write');
    const encoder = new SegmentEncoder(end.header, { position: end.position, chain: end.chain });
    return new SegmentFile(end.header, file, encoder, options, end.sealed, true);
  }

  /** Encodes a record; nothing is written before flush. */
  record(seq: number, synced: number, operations: readonly WalOperation[]): void {
    const marked = this.unopened && this.encoder.pending === 0;
    if (marked) this.encoder.mark(OPENED, BigInt(seq));
    const high = Math.floor(seq / 0x1_0000_0000);
    this.encoder.record(high, seq >>> 0, synced, operations);
  }

  /** Writes what is encoded; with `sync`, makes it durable. */
  flush(sync: boolean): void {
    const { encoder, file } = this;
    if (this.unopened && encoder.pending === 0) return; // nothing was written since opening
    if (encoder.pending > 0) {
      const bytes = encoder.take();
      const grown = this.#allocate(encoder.position);
      writeFully(file, bytes, 0, bytes.length, encoder.position - bytes.length);
      if (sync) {
        // A new length has to be durable too; within what is allocated, data is all there is to
        // sync.
        if (grown) file.sync();
        else file.dataSync();
      }
    } else if (sync) file.dataSync();
    if (sync) this.unopened = false;
  }

  /**
   * Writes zeros ahead of `end`. Returns true if the file's length changes with the write to come.
   */
  #allocate(end: number): boolean {
    if (end <= this.#allocated) return false;
    if (this.#preallocate === 0) {
      this.#allocated = end;
      return true;
    }
    const step = Math.min(this.#preallocate, Math.max(ALLOCATE_BYTES_MIN, end));
    const target = Math.min(end + step, Math.max(end, this.#segmentBytes + ALLOCATE_BYTES_MIN));
    for (let at = this.#allocated; at < target; at += ZEROS.length) {
      writeFully(this.file, ZEROS, 0, Math.min(ZEROS.length, target - at), at);
    }
    this.#allocated = target;
    return true;
  }

  /** No other record comes: cuts what is allocated ahead, syncs, closes. */
  end(): void {
    if (!this.sealed) {
      this.flush(false);
      this.#cut();
      this.file.sync();
    }
    this.file.close();
    this.#open = false;
  }

  /**
   * As end, behind a mark that nothing is missing. Writes nothing if nothing was written since
   * opening.
   */
  close(nextSeq: number): void {
    if (!this.unopened) {
      this.encoder.mark(CLOSED, BigInt(nextSeq));
      this.flush(false);
      this.#cut();
      this.file.sync();
    }
    this.abandon();
  }

  /** Lets go of the file, whatever is in it. */
  abandon(): void {
    if (!this.#open) return;
    this.#open = false;
    this.file.close();
  }

  #cut(): void {
    if (this.#allocated > this.encoder.position) this.file.truncate(this.encoder.position);
    this.#allocated = this.encoder.position;
  }
}
