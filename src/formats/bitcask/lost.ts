/** Records that are damaged, as far as something still tells of them. */
import type { LiveIndex } from './live.ts';
import type { BitcaskDamage, HintEntry } from './model.ts';

/** Enough to be told; what is beyond is counted. */
const LOST_MAX = 10_000;

export interface LostRecord {
  key: Uint8Array;
  /** Index of the data file (between two, if the file itself is lost), and where in it it was. */
  file: number;
  position: number;
  /** Whether it deleted its key; undefined: not known. */
  deleted: boolean | undefined;
  /** Its number, where that is known; undefined: its place is all there is. */
  seq: number | undefined;
  /** False where the key is read from the damaged record itself. */
  proven: boolean;
}

export class LostRecords {
  readonly list: LostRecord[] = [];
  more = 0;
  #file = 0;
  /** Of the current file: spans that are lost, in order, and keys that are read in them. */
  #starts: number[] = [];
  #ends: number[] = [];
  #read: LostRecord[] = [];

  beginFile(index: number): void {
    this.#file = index;
    this.#starts = [];
    this.#ends = [];
    this.#read = [];
  }

  damage({ offset, length, lost, distrust, key, deleted }: BitcaskDamage): void {
    if (!lost && !distrust) return;
    if (length > 0) {
      this.#starts.push(offset);
      this.#ends.push(offset + length);
    }
    if (!key) return;
    const file = this.#file;
    this.#read.push({ key, file, position: offset, deleted, seq: undefined, proven: false });
  }

  /** True where the record that should be at `position` is in a lost span. */
  covers(position: number): boolean {
    const starts = this.#starts;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (starts[middle]! <= position) low = middle + 1;
      else high = middle;
    }
    return low > 0 && position < this.#ends[low - 1]!;
  }

  /**
   * True where a record can have stood at `position` behind the end of the file: the file ends with
   * it, or in the middle of something. Else an entry that leads there is just wrong.
   */
  isEnd(position: number, size: number): boolean {
    return position === size || this.#ends.at(-1) === size;
  }

  /** A hint tells of a record that is not there. */
  hinted(entry: HintEntry): void {
    this.#read = this.#read.filter((one) => one.position !== entry.position);
    this.add(lostOf(entry, this.#file));
  }

  endFile(): void {
    for (const one of this.#read) this.add(one);
    this.#read = [];
  }

  /** More is known now of the record that was lost at this place. */
  know(lost: LostRecord): void {
    const { file, position } = lost;
    const at = this.list.findIndex((one) => one.file === file && one.position === position);
    if (at >= 0) this.list[at] = lost;
    else this.add(lost);
  }

  add(lost: LostRecord): void {
    if (this.list.length < LOST_MAX) this.list.push(lost);
    else this.more++;
  }
}

/** The record that a hint's entry tells of, in the data file of this index. */
export function lostOf(entry: HintEntry, file: number): LostRecord {
  return recordLost(entry, file, entry.position);
}

/** A lost record whose fields are known. */
export function recordLost(
  fields: Pick<HintEntry, 'bytes' | 'keyStart' | 'keyEnd' | 'deleted' | 'seq'>,
  file: number,
  position: number,
): LostRecord {
  const { bytes, keyStart, keyEnd, deleted, seq } = fields;
  const key = bytes.slice(keyStart, keyEnd);
  return { key, file, position, deleted, seq: seq < 0 ? undefined : seq, proven: true };
}

/** True where the record of this entry of the directory is newer than the lost one. */
export function isNewer(entry: number, lost: LostRecord, { keys, newest }: LiveIndex): boolean {
  if (newest === 'seq' && lost.seq !== undefined) return keys.order(entry) > lost.seq;
  const file = keys.file(entry);
  return file > lost.file || (file === lost.file && keys.position(entry) > lost.position);
}

/** As the key of a Map. */
export const keyOf = ({ key }: LostRecord): string => Buffer.from(key).toString('latin1');

/** Of several lost records of a key, the one that counted. */
export function newestOf(list: readonly LostRecord[]): Map<string, LostRecord> {
  const newest = new Map<string, LostRecord>();
  for (const one of list) {
    const known = newest.get(keyOf(one));
    if (!known || isLater(one, known)) newest.set(keyOf(one), one);
  }
  return newest;
}

function isLater(a: LostRecord, b: LostRecord): boolean {
  if (a.seq !== undefined && b.seq !== undefined) return a.seq > b.seq;
  return a.file > b.file || (a.file === b.file && a.position > b.position);
}
