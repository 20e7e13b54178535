/**
 * What counts of a store's records: for each key the newest one. A scan feeds it in file order;
 * memory grows with the keys, not with the records.
 */
import { DELETED, KeyDirectory } from './key-directory.ts';
import type { BitcaskDialect, BitcaskRecord } from './model.ts';

/** The value's bytes are not the last ones of the record as they lie in the file. */
export const REREAD = 2;
/** A hint file tells of the record. */
export const HINTED = 4;
/** A hint file tells of an older record of the key. */
export const HINTED_BEFORE = 8;

export class LiveIndex {
  readonly keys = new KeyDirectory();
  /** Bytes of a record that are neither key nor value: the same for all of them. */
  overhead = -1;
  /** See BitcaskDialect. */
  readonly newest: BitcaskDialect['newest'];
  #file = 0;

  constructor({ newest }: Pick<BitcaskDialect, 'newest'>) {
    this.newest = newest;
  }

  beginFile(index: number): void {
    this.#file = index;
  }

  /** `position`: where it counts as lying. */
  record(record: BitcaskRecord, position = record.offset): void {
    const { keys } = this;
    const { seq, expires, timestamp } = record;
    const entry = keys.put(record.bytes, record.keyStart, record.keyEnd);
    const numbered = this.newest === 'seq';
    // By place, what comes later is newer.
    if (numbered && !keys.created && seq < keys.order(entry)) return;
    // Where places decide, there is room for the time.
    const order = numbered ? seq : Number.isNaN(timestamp) ? 0 : timestamp;
    const hinted = keys.created ? 0 : keys.flags(entry) & (HINTED | HINTED_BEFORE);
    const flags = this.#flagsOf(record) | (hinted === 0 ? 0 : HINTED_BEFORE);
    keys.set(entry, this.#file, position, record.length, order, flags);
    keys.setExpires(entry, expires);
  }

  isDeleted(entry: number): boolean {
    return (this.keys.flags(entry) & DELETED) !== 0;
  }

  /** True where the key is there, `now` milliseconds after the epoch. */
  isLive(entry: number, now: number | undefined): boolean {
    if (this.isDeleted(entry)) return false;
    const expires = this.keys.expires(entry);
    return expires === 0 || now === undefined || expires > now;
  }

  addFlag(entry: number, flag: number): void {
    const { keys } = this;
    const order = keys.order(entry);
    const flags = keys.flags(entry) | flag;
    keys.set(entry, keys.file(entry), keys.position(entry), keys.length(entry), order, flags);
  }

  #flagsOf(record: BitcaskRecord): number {
    if (record.deleted) return DELETED;
    const { keyStart, keyEnd, valueStart, valueEnd } = record;
    const overhead = record.length - (keyEnd - keyStart) - (valueEnd - valueStart);
    if (this.overhead < 0) this.overhead = overhead;
    return record.salvaged || overhead !== this.overhead ? REREAD : 0;
  }
}
