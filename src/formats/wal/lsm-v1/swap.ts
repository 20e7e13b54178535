/**
 * A chain of records is just as whole when it is read from a value_length on: values pass for keys
 * and keys for values, up to the end of the file. Which reading is the right one shows in lengths
 * and first bytes, in empty fields (a value may be empty, a key hardly), and in whether the file
 * ends behind a value.
 */
import type { Chain } from './chain.ts';
import type { Familiar } from './familiar.ts';
import { LENGTH_BYTES } from './layout.ts';

/** How many fields are weighed, and how far. */
const FIELDS_WEIGHED_MAX = 512;
export const WEIGHED_BYTES_MAX = 64 * 1024;

/** In bits: a key without bytes, or one that is longer than is believed. */
const ODD_KEY_BITS = 24;
/**
 * In bits: the file ends behind a value rather than behind a key, where a crash may have cut it.
 */
const FILE_END_BITS = 12;
/** In bits: what little is known of the lengths must not add up to much. */
const BITS_A_FIELD_MIN = 1.5;
/** The same in a search, where one of two readings must be taken. */
const BITS_A_FIELD_IN_SEARCH_MIN = 0.75;
const BITS_IN_SEARCH_MIN = 6;
const FIELDS_WEIGHED_IN_SEARCH_MAX = 128;
/**
 * In bits: more evidence for the right places on the way means that it is a later record's fault.
 */
const BITS_BEFORE_SWAP_MAX = 4;

export class SwapScale {
  /**
   * Of the weighing done last: the most that ever spoke for key, value, key, …; and the fields
   * weighed.
   */
  #before = 0;
  #fields = 0;

  constructor(
    readonly chain: Chain,
    readonly familiar: Familiar,
  ) {}

  /**
   * At least so many bits speak for reading the fields from `at` on as value, key, value, …, from
   * the first ones on: otherwise it is a later record's fault.
   */
  tips(at: number, bits: number): boolean {
    if (at < 0 || at + LENGTH_BYTES > this.chain.end) return false;
    const weight = -this.#weigh(at, FIELDS_WEIGHED_MAX);
    return (
      weight >= bits &&
      weight >= BITS_A_FIELD_MIN * this.#fields &&
      this.#before <= BITS_BEFORE_SWAP_MAX
    );
  }

  /** The same for a chain that was found by search, where less will do. */
  tipsInSearch(at: number): boolean {
    const weight = -this.#weigh(at, FIELDS_WEIGHED_IN_SEARCH_MAX);
    return weight >= BITS_IN_SEARCH_MIN && weight >= BITS_A_FIELD_IN_SEARCH_MIN * this.#fields;
  }

  /**
   * Bits of evidence that the fields from `from` on are key, value, key, … rather than value, key,
   * value, …; negative for the opposite. Looks at what is in the window.
   */
  #weigh(from: number, fieldsMax: number): number {
    const { chain, familiar } = this;
    const { view, bytes, base, end, fileEnd } = chain;
    let bits = 0;
    let before = 0;
    let at = from;
    let asKey = 1;
    let fields = 0;
    for (; fields < fieldsMax && at - from < WEIGHED_BYTES_MAX; fields++) {
      if (at === fileEnd) {
        if (fields > 0) bits += asKey * FILE_END_BITS;
        break;
      }
      if (at + LENGTH_BYTES > end) break;
      const length = view.getUint32(at - base);
      const next = at + LENGTH_BYTES + length;
      if (length > chain.recordBytesMax || next > fileEnd) break;
      const first = length > 0 && at + LENGTH_BYTES < end ? bytes[at - base + LENGTH_BYTES]! : -1;
      const odd = length === 0 || length > chain.keyBytesMax;
      const keyBits = odd ? ODD_KEY_BITS : familiar.keyBits(length, first);
      bits += asKey * (familiar.valueBits(length) - keyBits);
      if (bits > before) before = bits;
      at = next;
      asKey = -asKey;
    }
    this.#before = before;
    this.#fields = fields;
    return bits;
  }
}
