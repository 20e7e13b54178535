/**
 * Behind a damaged datum: where do the data go on? A datum has no mark of its own, but those of a
 * block end where the block does, and the count says how many there are. So every byte behind the
 * damage is tried as the beginning of a datum, and the next is tried where that ends, and so on:
 * what comes to stand at the block's end to the byte, with the number of data that is left, is what
 * was written, or reads like it.
 *
 *     │ datum │ datum │ dam##ed │ datum │ datum │ datum │
 *             the damage ^      ^ from here three data fill the block, and three are left
 *
 * A false beginning within the damaged datum may swallow part of the next, end where that one does,
 * and so have the same number: only from where all such readings agree are data taken.
 *
 * Where no reading has that number, more than one datum is lost, and the count says no more than
 * how many there can be. The longest reading is taken then, without its first datum: bytes of the
 * damage that happen to read as a datum come first.
 */
import { BREACH, type Cursor } from '../codec/cursor.ts';
import { PLAIN } from '../codec/datum.ts';
import { JsonOut } from '../codec/json-out.ts';
import { type JsonReader, jsonReader } from '../codec/read-json.ts';
import { planOf } from '../resolve/resolve.ts';
import { type AvroType, minimumBytes } from '../schema/model.ts';

/** Data that are found again: they reach from `start` to the end of what was searched. */
export interface Resumption {
  start: number;
  records: number;
  /** They are as many as are left behind a single damaged datum. */
  exact: boolean;
}

/** A search needs eight bytes of memory for each byte that it goes through. */
export const RESYNC_BYTES_MAX = 4 * 1024 * 1024;
/** Bytes that are read for each that is searched, before it is given up: data may be long. */
const WORK_PER_BYTE = 512;
/** … and in all searches of a file together. */
const WORK_MOST = 2 * 1024 * 1024 * 1024;
/** What a try costs beside the bytes that it reads. */
const TRY_WORK = 8;

const UNKNOWN = -2;
const DEAD = -1;

export class Resync {
  readonly #read: JsonReader;
  readonly #out = new JsonOut();
  readonly #least: number;
  /** What is left of it: in this search, and in all that may come. */
  #work = 0;
  #workInAll = WORK_MOST;

  constructor(type: AvroType) {
    this.#read = jsonReader(planOf(type), PLAIN);
    this.#least = minimumBytes(type);
  }

  /** Where a datum that begins at `start` ends, or -1 if there is none. Moves the cursor. */
  endOf(cursor: Cursor, start: number): number {
    cursor.at = start;
    cursor.depth = 0;
    this.#out.at = 0;
    try {
      this.#read(cursor, this.#out);
    } catch (error) {
      if (error !== BREACH) throw error;
      this.#work -= Math.max(0, cursor.at - start) + TRY_WORK;
      return DEAD;
    }
    this.#work -= cursor.at - start + TRY_WORK;
    return cursor.at > cursor.end ? DEAD : cursor.at;
  }

  /**
   * The datum at `from` is damaged; `left` are to come behind it. Undefined if none of them is
   * found, or the search would take too long. Moves the cursor.
   */
  find(cursor: Cursor, from: number, left: number): Resumption | undefined {
    const bytes = cursor.end - from;
    if (left < 1 || this.#least === 0 || bytes > RESYNC_BYTES_MAX) return undefined;
    if (this.#workInAll <= 0) return undefined;
    const { emptyItems } = cursor;
    const work = Math.min(bytes * WORK_PER_BYTE, this.#workInAll);
    this.#work = work;
    const readings = this.#readings(cursor, from);
    const givenUp = this.#work < 0 || cursor.emptyItems < 0;
    this.#workInAll -= work - this.#work;
    cursor.emptyItems = emptyItems;
    return givenUp ? undefined : readings.best(left, from);
  }

  /** Follows the data from every place; each place is read once. */
  #readings(cursor: Cursor, from: number): Readings {
    const readings = new Readings(cursor.end - from);
    const { counts, nexts } = readings;
    const chain: number[] = [];
    for (let start = 1; start < counts.length - 1; start++) {
      if (this.#work < 0 || cursor.emptyItems < 0) break;
      let at = start;
      while (counts[at] === UNKNOWN) {
        chain.push(at);
        const end = this.endOf(cursor, from + at);
        if (end <= from + at) {
          counts[at] = DEAD;
          break;
        }
        nexts[at] = end - from;
        at = end - from;
        if (this.#work < 0) return readings;
      }
      let count = counts[at]!;
      while (chain.length > 0) {
        const place = chain.pop()!;
        if (place === at) continue;
        counts[place] = count = count === DEAD ? DEAD : count + 1;
      }
    }
    return readings;
  }
}

/** Of each place: where the datum that begins there ends, and how many there are up to the end. */
class Readings {
  readonly counts: Int32Array;
  readonly nexts: Int32Array;

  constructor(bytes: number) {
    this.counts = new Int32Array(bytes + 1).fill(UNKNOWN);
    this.counts[bytes] = 0;
    this.nexts = new Int32Array(bytes + 1);
  }

  best(left: number, from: number): Resumption | undefined {
    const { counts } = this;
    let most = 0;
    for (let at = 1; at < counts.length; at++) {
      const count = counts[at]!;
      if (count <= left && count > most) most = count;
    }
    if (most === 0) return undefined;
    const exact = most === left;
    let { at, count } = this.#agreed(most);
    if (!exact && count > 0) {
      at = this.nexts[at]!;
      count--;
    }
    return count === 0 ? undefined : { start: from + at, records: count, exact };
  }

  /** Where all readings of so many data have come together. */
  #agreed(count: number): { at: number; count: number } {
    let places = new Set<number>();
    for (const [at, here] of this.counts.entries()) if (here === count) places.add(at);
    let left = count;
    for (; places.size > 1; left--) {
      const next = new Set<number>();
      for (const at of places) next.add(this.nexts[at]!);
      places = next;
    }
    const [at = 0] = places;
    return { at, count: left };
  }
}
