/**
 * Sequence numbers of a batch's operations. As a rule each one that counts takes the next.
 * Prepared transactions of RocksDB differ (WriteBatchInternal's MemTableInserter): what stands
 * between begin-prepare and end-prepare is only put aside, and numbered when the commit comes;
 * with the write-prepared and write-unprepared policies it is numbered at once, but all of it
 * alike.
 */
const BEGIN_PREPARE = 0x09;
const END_PREPARE = 0x0a;
const BEGIN_PERSISTED_PREPARE = 0x12;
const BEGIN_UNPREPARE = 0x13;

export class Numbering {
  /** Of the operation asked about last. */
  high = 0;
  low = 0;
  #nextHigh = 0;
  #nextLow = 0;
  #section: 'none' | 'aside' | 'alike' = 'none';

  begin(high: number, low: number): void {
    this.#nextHigh = high;
    this.#nextLow = low;
    this.#section = 'none';
  }

  /**
   * Numbers the next operation. False: it takes no sequence number, what it gets is the next
   * one's.
   */
  next(tag: number, counts: boolean): boolean {
    this.high = this.#nextHigh;
    this.low = this.#nextLow;
    if (counts) {
      if (this.#section === 'none') {
        this.#advance();
        return true;
      }
      return false;
    }
    if (tag === BEGIN_PREPARE) this.#section = 'aside';
    else if (tag === BEGIN_PERSISTED_PREPARE || tag === BEGIN_UNPREPARE) this.#section = 'alike';
    else if (tag === END_PREPARE) {
      if (this.#section === 'alike') this.#advance();
      this.#section = 'none';
    }
    return false;
  }

  #advance(): void {
    this.#nextLow = (this.#nextLow + 1) >>> 0;
    if (this.#nextLow === 0) this.#nextHigh = (this.#nextHigh + 1) >>> 0;
  }
}
