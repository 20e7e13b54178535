/** What stands elsewhere in the file, looked at without moving the window that a scan reads by. */
import type { Window } from '../../bytes/window.ts';
import type { BitcaskScanContext } from '../model.ts';
import { solveStamp, stampOf } from './finder.ts';
import { viewOf } from './headers.ts';
import type { DataIdentity } from './identity.ts';
import { dataName, FILE_BYTES_DEFAULT, HEAD_BYTES, HEADER_BYTES } from './layout.ts';
import { headMakesSense, recordBytesOf, seqOf } from './record.ts';

/**
 * Records in a row that must stand equally far from their places. Less will do where the size and
 * the numbers of the file are known; more is asked for where other records follow that do not fit.
 */
const RUN_RECORDS_BOUNDED = 2;
const RUN_RECORDS = 4;
const RUN_RECORDS_SURE = 32;

export class Surroundings {
  readonly #head = new Uint8Array(HEAD_BYTES);
  readonly #view = viewOf(this.#head);

  constructor(
    readonly window: Window,
    readonly context: BitcaskScanContext,
    readonly identity: DataIdentity,
  ) {}

  /** Whether `offset` is where the file ends, as far as that can be seen. */
  isEnd(offset: number): boolean {
    const { atEnd, end, source } = this.window;
    return atEnd ? end === offset : source.size === offset;
  }

  /** Whether a head stands at `offset` that belongs `shift` bytes further on. */
  async headHolds(offset: number, shift: number): Promise<boolean> {
    if ((await this.#read(offset, HEAD_BYTES)) < HEAD_BYTES) return false;
    const stamp = solveStamp(this.#head, this.#view, 0);
    return stamp === stampOf(this.identity.fileCrc, offset + shift);
  }

  /**
   * Whether the strange record at `at` begins a run of this file's records that all stand equally
   * far from their places, as they do when bytes before them were cut out. Records of another file
   * look like that by chance too, but not for long, and hardly ever within the bounds of a file. A
   * record that stands in its own place too is a copy. `lastSeq`: of the record before; -1: none.
   */
  async isDisplaced(at: number, total: number, stamp: number, lastSeq: number): Promise<boolean> {
    const { window, identity } = this;
    const p = at - window.base;
    const seq = seqOf(window.view, p);
    const place = stampOf(stamp, identity.fileCrc);
    if (!this.#within(place, total) || !this.#numberFits(seq, lastSeq)) return false;
    if (this.#elsewhere(stamp, total, seq) !== undefined) return false;
    const head = window.bytes.slice(p, p + HEAD_BYTES);
    const got = await this.#read(place, HEAD_BYTES);
    if (got === HEAD_BYTES && Buffer.compare(head, this.#head) === 0) return false;
    return this.#goesOn(at + total, place - at);
  }

  /** Whether enough records from `from` on stand `shift` bytes before their places. */
  async #goesOn(from: number, shift: number): Promise<boolean> {
    const { complete, durableBytes, fileCrc } = this.identity;
    const few = complete ? RUN_RECORDS_BOUNDED : RUN_RECORDS;
    let next = from;
    for (let records = 1; records < RUN_RECORDS_SURE; records++) {
      // All of a run that reaches the end of the file, as it was, is there.
      if (this.isEnd(next)) return records >= few || (complete && next + shift === durableBytes);
      if ((await this.#read(next, HEAD_BYTES)) < HEAD_BYTES) return records >= few;
      const place = stampOf(solveStamp(this.#head, this.#view, 0), fileCrc);
      if (place !== next + shift) {
        // What follows is damaged, or in its place, or displaced further: so it is by chance, too.
        const damaged = !headMakesSense(this.#head, this.#view, 0);
        if (damaged || place === next) return records >= few;
        return complete && records >= few && this.#within(place, HEAD_BYTES);
      }
      next += recordBytesOf(this.#view, 0);
    }
    return true;
  }

  /** Whether the file can have had a record in this place. */
  #within(place: number, total: number): boolean {
    const { complete, durableBytes } = this.identity;
    const size = this.window.source.size ?? this.window.end;
    const most = complete ? durableBytes : Math.max(FILE_BYTES_DEFAULT, 2 * size);
    return place >= HEADER_BYTES && place + total <= most;
  }

  #numberFits(seq: number, lastSeq: number): boolean {
    const { complete, entry, merged } = this.identity;
    if (complete) return seq >= entry!.seqFirst && seq <= entry!.seqLast;
    return merged || seq > lastSeq;
  }

  /** In words where an intact record with this stamp belongs. */
  origin(stamp: number, total: number, seq: number, size: number): string {
    const here = stampOf(stamp, this.identity.fileCrc);
    const elsewhere = this.#elsewhere(stamp, total, seq);
    if (elsewhere !== undefined) return elsewhere;
    if (here >= HEADER_BYTES && here + total <= size) return `offset ${here} of this file`;
    return 'a file that is not known here, or another store';
  }

  /** The place in another file of the store that the record is of, if the manifest knows it. */
  #elsewhere(stamp: number, total: number, seq: number): string | undefined {
    const { fileCrc, manifest } = this.identity;
    for (const { file, dataCrc, dataBytes, seqFirst, seqLast } of manifest?.files ?? []) {
      if (dataCrc === fileCrc) continue;
      const name = dataName(file);
      const size = this.context.set.siblings.find((one) => one.name === name)?.size ?? dataBytes;
      const place = stampOf(stamp, dataCrc);
      if (place < HEADER_BYTES || place + total > size) continue;
      // Numbers of what was written since the manifest was are not known.
      const fits = place < dataBytes ? seq >= seqFirst && seq <= seqLast : seq > seqLast;
      if (fits) return `offset ${place} of ${name}`;
    }
    return undefined;
  }

  /** Reads into #head; returns how many bytes there were. */
  async #read(offset: number, length: number): Promise<number> {
    const { bytes, base, end, source } = this.window;
    if (offset >= base && offset + length <= end) {
      this.#head.set(bytes.subarray(offset - base, offset - base + length));
      return length;
    }
    if (source.forwardOnly) return 0;
    let done = 0;
    while (done < length) {
      const got = await source.read(this.#head, done, length - done, offset + done);
      if (got <= 0) break;
      done += got;
    }
    return done;
  }
}
