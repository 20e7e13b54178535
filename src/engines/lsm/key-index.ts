/**
 * Where a key belongs among those of a memtable: a sorted array in leaves (a B+tree of two levels),
 * with eight bytes of each key beside its node. They are the bytes behind what all keys have in
 * common, and they mostly decide: a search walks two small arrays, and looks at one or two keys,
 * where a skip list would fetch twenty nodes from all over the memory.
 */
import { compareBytes } from '../../formats/sstable/entry-block.ts';

/** Entries of a leaf, each three words: the key's bytes, high and low, and its node. */
const LEAF = 128;
const WORDS = 3;
const LEAF_WORDS = LEAF * WORDS;
const HALF = LEAF / 2;
/** After so many of them, what all keys share is cut to its half: each time costs a walk. */
const SMALL_CUTS_MAX = 8;

/** Whose nodes these are. Node 0 is none. */
export interface KeyOwner {
  readonly data: Uint8Array;
  keyStart(node: number): number;
  keyEnd(node: number): number;
}

export class KeyIndex {
  #leaves = 0;
  #entries = new Uint32Array(LEAF_WORDS);
  /** By leaf. */
  #counts = new Int32Array(16);
  /** The leaves in order, and the bytes of their first keys. */
  #order = new Int32Array(16);
  #firstHigh = new Uint32Array(16);
  #firstLow = new Uint32Array(16);
  /** How many bytes all keys share, which are those of the node. */
  #prefix = 0;
  #prefixNode = 0;
  #cuts = 0;
  /** Of the key that was looked for: its bytes, and where it belongs. */
  #high = 0;
  #low = 0;
  #position = 0;
  #index = 0;

  constructor(readonly owner: KeyOwner) {}

  /** The last node whose key is before; 0: there is none. */
  before(key: Uint8Array, start: number, end: number): number {
    if (this.#leaves === 0) return 0;
    const shared = this.#sharedWith(key, start, end);
    if (shared < this.#prefix) {
      const first = this.owner.keyStart(this.#prefixNode);
      const other = this.owner.data[first + shared]!;
      return start + shared < end && key[start + shared]! > other ? this.#lastNode() : 0;
    }
    return this.#search(key, start, end);
  }

  /** The same for a key that `put` is to add next. */
  place(key: Uint8Array, start: number, end: number): number {
    if (this.#leaves === 0) {
      this.#prefix = end - start;
      this.#prefixNode = 0;
      this.#newLeaf(0);
      this.#take(key, start + this.#prefix, end);
      this.#position = 0;
      this.#index = 0;
      return 0;
    }
    const shared = this.#sharedWith(key, start, end);
    if (shared < this.#prefix) this.#cut(shared);
    return this.#search(key, start, end);
  }

  /** Adds the node of the key that was placed. */
  put(node: number): void {
    if (this.#prefixNode === 0) this.#prefixNode = node;
    if (this.#counts[this.#order[this.#position]!] === LEAF) this.#split();
    const leaf = this.#order[this.#position]!;
    const entries = this.#entries;
    const at = leaf * LEAF_WORDS + this.#index * WORDS;
    const end = leaf * LEAF_WORDS + this.#counts[leaf]! * WORDS;
    if (at < end) entries.copyWithin(at + WORDS, at, end);
    entries[at] = this.#high;
    entries[at + 1] = this.#low;
    entries[at + 2] = node;
    this.#counts[leaf]!++;
    if (this.#index === 0) this.#takeFirst(this.#position);
  }

  #search(key: Uint8Array, start: number, end: number): number {
    this.#take(key, start + this.#prefix, end);
    const order = this.#order;
    const entries = this.#entries;
    const [high, low] = [this.#high, this.#low];
    const firstHigh = this.#firstHigh;
    const firstLow = this.#firstLow;
    let from = 0;
    let to = this.#leaves;
    while (from < to) {
      const middle = (from + to) >>> 1;
      let difference = firstHigh[middle]! - high || firstLow[middle]! - low;
      if (difference === 0) {
        difference = this.#compare(entries[order[middle]! * LEAF_WORDS + 2]!, key, start, end);
      }
      if (difference < 0) from = middle + 1;
      else to = middle;
    }
    // The last leaf that begins before the key: what comes before the key is in it.
    this.#position = from === 0 ? 0 : from - 1;
    const leaf = order[this.#position]!;
    const base = leaf * LEAF_WORDS;
    from = 0;
    to = this.#counts[leaf]!;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const at = base + middle * WORDS;
      let difference = entries[at]! - high || entries[at + 1]! - low;
      if (difference === 0) difference = this.#compare(entries[at + 2]!, key, start, end);
      if (difference < 0) from = middle + 1;
      else to = middle;
    }
    this.#index = from;
    return from === 0 ? 0 : entries[base + (from - 1) * WORDS + 2]!;
  }

  #compare(node: number, key: Uint8Array, start: number, end: number): number {
    const { owner } = this;
    return compareBytes(owner.data, owner.keyStart(node), owner.keyEnd(node), key, start, end);
  }

  /** How many of the bytes that all keys share the key begins with. */
  #sharedWith(key: Uint8Array, start: number, end: number): number {
    const { owner } = this;
    const most = Math.min(this.#prefix, end - start);
    const { data } = owner;
    const first = owner.keyStart(this.#prefixNode);
    let shared = 0;
    while (shared < most && key[start + shared] === data[first + shared]) shared++;
    return shared;
  }

  /** Takes eight bytes from `at` on; what is behind the key's end counts as zeros. */
  #take(key: Uint8Array, at: number, end: number): void {
    this.#high = wordAt(key, at, end);
    this.#low = wordAt(key, at + 4, end);
  }

  /** The keys share no more than so many bytes any more: all look further to the front. */
  #cut(shared: number): void {
    this.#cuts++;
    this.#prefix = this.#cuts > SMALL_CUTS_MAX ? Math.min(shared, this.#prefix >>> 1) : shared;
    const { owner } = this;
    const entries = this.#entries;
    for (let position = 0; position < this.#leaves; position++) {
      const leaf = this.#order[position]!;
      const end = leaf * LEAF_WORDS + this.#counts[leaf]! * WORDS;
      for (let at = leaf * LEAF_WORDS; at < end; at += WORDS) {
        const node = entries[at + 2]!;
        this.#take(owner.data, owner.keyStart(node) + this.#prefix, owner.keyEnd(node));
        entries[at] = this.#high;
        entries[at + 1] = this.#low;
      }
      this.#takeFirst(position);
    }
  }

  #takeFirst(position: number): void {
    const at = this.#order[position]! * LEAF_WORDS;
    this.#firstHigh[position] = this.#entries[at]!;
    this.#firstLow[position] = this.#entries[at + 1]!;
  }

  #lastNode(): number {
    const leaf = this.#order[this.#leaves - 1]!;
    return this.#entries[leaf * LEAF_WORDS + (this.#counts[leaf]! - 1) * WORDS + 2]!;
  }

  /** Makes room in the leaf that is to be put into; where keys ascend, leaves stay full. */
  #split(): void {
    const position = this.#position;
    const old = this.#order[position]!;
    const leaf = this.#newLeaf(position + 1);
    if (position + 2 === this.#leaves && this.#index === LEAF) {
      this.#position++;
      this.#index = 0;
      return;
    }
    const from = old * LEAF_WORDS;
    this.#entries.copyWithin(leaf * LEAF_WORDS, from + HALF * WORDS, from + LEAF_WORDS);
    this.#counts[old] = HALF;
    this.#counts[leaf] = LEAF - HALF;
    this.#takeFirst(position + 1);
    if (this.#index <= HALF) return;
    this.#position++;
    this.#index -= HALF;
  }

  #newLeaf(position: number): number {
    const leaf = this.#leaves;
    if (leaf === this.#order.length) {
      this.#counts = grown(this.#counts, new Int32Array(2 * leaf));
      this.#order = grown(this.#order, new Int32Array(2 * leaf));
      this.#firstHigh = grown(this.#firstHigh, new Uint32Array(2 * leaf));
      this.#firstLow = grown(this.#firstLow, new Uint32Array(2 * leaf));
    }
    const words = (leaf + 1) * LEAF_WORDS;
    if (words > this.#entries.length) {
      this.#entries = grown(this.#entries, new Uint32Array(2 * words));
    }
    for (const array of [this.#order, this.#firstHigh, this.#firstLow]) {
      array.copyWithin(position + 1, position, leaf);
    }
    this.#order[position] = leaf;
    this.#counts[leaf] = 0;
    this.#leaves++;
    return leaf;
  }
}

/** Four bytes, the first one highest. */
function wordAt(key: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end) {
    return ((key[at]! << 24) | (key[at + 1]! << 16) | (key[at + 2]! << 8) | key[at + 3]!) >>> 0;
  }
  let word = 0;
  for (let i = at; i < at + 4; i++) word = word * 256 + (i < end ? key[i]! : 0);
  return word;
}

function grown<T extends Int32Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
