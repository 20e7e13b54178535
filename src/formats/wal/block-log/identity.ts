/**
 * Which log a file holds: recycled RocksDB files keep the fragments of the log that they held
 * before.
 */
import { LOG_NAME, SET_COMPRESSION_TYPE } from './constants.ts';
import {
  type HeaderTable,
  LEGACY_HEADERS,
  LEVELDB_HEADERS,
  logNumberAt,
  RECYCLABLE_HEADERS,
} from './header.ts';

export class LogIdentity {
  /** Low 32 bits of the log's number; -1: not known yet. */
  #number: number;
  /** True once the first fragment has told whether this log is written with log numbers. */
  known = false;
  recyclable = false;
  /** True between a fragment of another log and the next one of this. */
  inStale = false;

  constructor(
    name: string,
    readonly headers: HeaderTable,
  ) {
    const digits = LOG_NAME.exec(name)?.[1];
    this.#number = digits === undefined ? -1 : Number(digits) % 0x1_0000_0000;
    this.known = headers === LEVELDB_HEADERS;
  }

  /**
   * Is the recyclable fragment at `p`, whose checksum holds, one of this log? Where the file's
   * name says nothing, the first one decides.
   */
  owns(view: DataView, p: number): boolean {
    const number = logNumberAt(view, p);
    if (this.#number < 0) this.#number = number;
    if (number !== this.#number) return false;
    this.inStale = false;
    return true;
  }

  /** As `owns`, of a fragment that nothing vouches for. */
  claims(view: DataView, p: number): boolean {
    return logNumberAt(view, p) === this.#number;
  }

  /** From the first fragment of the log. */
  learn(type: number, recyclable: boolean): void {
    if (type === SET_COMPRESSION_TYPE) return; // written in the legacy form in every log
    this.known = true;
    this.recyclable = recyclable;
  }

  /**
   * The types to search for after damage: a log has those with numbers or those without, never
   * both.
   */
  get searched(): HeaderTable {
    if (!this.known || this.headers === LEVELDB_HEADERS) return this.headers;
    return this.recyclable ? RECYCLABLE_HEADERS : LEGACY_HEADERS;
  }
}
