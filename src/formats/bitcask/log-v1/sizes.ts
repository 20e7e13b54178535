/**
 * Which size is hit, where the checksum tells how long key and value are together? It covers both
 * as one run of bytes, so it says nothing of where the key ends. One size alone is taken to be hit;
 * which, is told by its being one bit away from what it should be. Where that is true of both, only
 * keys that are all of one size can tell.
 */

/** So many records whose keys are of one size make a rule: with fewer, a counter may reach 10. */
const RECORDS_ALIKE_MIN = 32;

/** The sizes as they should be. */
export interface RightSizes {
  field: 'key_size' | 'value_size';
  keySize: number;
  valueSize: number;
  /** One flipped bit is the difference. */
  oneBit: boolean;
}

/** The size of all keys of intact records, as long as there is one. */
export class KeySize {
  #size = -1;
  #records = 0;

  note(keySize: number): void {
    if (keySize === this.#size) this.#records++;
    else {
      // Once there are two sizes, no number of records makes a rule of one again.
      this.#records = this.#size < 0 ? 1 : Number.NEGATIVE_INFINITY;
      this.#size = keySize;
    }
  }

  /** -1: they differ, or there were too few. */
  get rule(): number {
    return this.#records >= RECORDS_ALIKE_MIN ? this.#size : -1;
  }
}

/**
 * The sizes of a record whose key and value have `length` bytes together, of which the file says
 * `keySize` and `valueSize`; undefined if that may be either's fault. `rule` is the size that all
 * keys have, -1 if there is none.
 */
export function rightSizes(
  keySize: number,
  valueSize: number,
  length: number,
  rule: number,
): RightSizes | undefined {
  const fits: RightSizes[] = [];
  if (valueSize <= length) {
    const right = length - valueSize;
    const oneBit = isOneBit(keySize, right);
    fits.push({ field: 'key_size', keySize: right, valueSize, oneBit });
  }
  if (keySize <= length) {
    const right = length - keySize;
    const oneBit = isOneBit(valueSize, right);
    fits.push({ field: 'value_size', keySize, valueSize: right, oneBit });
  }
  const near = fits.filter(({ oneBit }) => oneBit);
  const likely = near.length > 0 ? near : fits;
  return likely.length === 1 ? likely[0] : likely.find((fit) => fit.keySize === rule);
}

function isOneBit(a: number, b: number): boolean {
  const difference = (a ^ b) | 0;
  return difference !== 0 && (difference & (difference - 1)) === 0;
}
