/** Where a merge has copied records, until the key directory may know. */
import type { KeyDirectory } from '../../formats/bitcask/key-directory.ts';
import type { DataFile } from './data-file.ts';
import { forget } from './pending.ts';

const FIELDS = 6;

export class Moves {
  /** For each: entry, file and position it had; file (0: to be forgotten), position, length. */
  #moves = new Float64Array(FIELDS * 256);
  #count = 0;

  add(
    entry: number,
    fromFile: number,
    fromPosition: number,
    toFile: number,
    toPosition: number,
    length: number,
  ): void {
    const at = this.#count++ * FIELDS;
    if (at === this.#moves.length) {
      const grown = new Float64Array(at * 2);
      grown.set(this.#moves);
      this.#moves = grown;
    }
    const moves = this.#moves;
    moves[at] = entry;
    moves[at + 1] = fromFile;
    moves[at + 2] = fromPosition;
    moves[at + 3] = toFile;
    moves[at + 4] = toPosition;
    moves[at + 5] = length;
  }

  /** Points the directory to the copies; what was written or deleted meanwhile stays as it is. */
  apply(keys: KeyDirectory, files: ReadonlyMap<number, DataFile>): void {
    const moves = this.#moves;
    for (let at = 0; at < this.#count * FIELDS; at += FIELDS) {
      const entry = moves[at]!;
      if (!keys.holds(entry, moves[at + 1]!, moves[at + 2]!)) continue;
      forget(keys, files, entry);
      const number = moves[at + 3]!;
      if (number === 0) {
        keys.remove(entry);
        continue;
      }
      const length = moves[at + 5]!;
      keys.set(entry, number, moves[at + 4]!, length, keys.order(entry), keys.flags(entry));
      const file = files.get(number)!;
      file.liveBytes += length;
      file.liveRecords++;
    }
  }
}
