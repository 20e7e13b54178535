/**
 * The key directory: from exact key bytes to where the newest record lies. A hash table outside of
 * the JavaScript heap, since a million objects would cost five times as much and a pause of the
 * garbage collector each:
 *
 *     slots     one u32 per slot: number of an entry plus one, 0 when free; open addressing, linear
 *               probing, at most 70% full, removal by shifting back (no markers are left)
 *     entries   ten u32 per entry, the last two one f64:
 *                 0 hash   1 key's place   2 key's length   3 file   4 position, low half
 *                 5 position, high 16 bits, and flags   6 length of the record   7 spare
 *                 8 order: what makes a record newer than another (number, or time)
 *     keys      in chunks of their own
 *
 * About 60 bytes a key beyond the key itself. At most 4 GiB of keys and 2^27 entries: what exceeds
 * that throws a DdiaError `directory-full`.
 */
import { selectFirst } from '../../shared/select-first.ts';
import { allocate, CHUNK_BITS, CHUNK_BYTES, directoryFull, KeyChunks } from './key-chunks.ts';
import { hashOf } from './key-hash.ts';

const WORDS = 10;
const HASH = 0;
const KEY_PLACE = 1;
const KEY_LENGTH = 2;
const FILE = 3;
const POSITION_LOW = 4;
const POSITION_HIGH = 5;
const LENGTH = 6;
/** Of the Float64Array over the same memory. */
const ORDER_AT = 4;
const FREE = 0x8000;
const SLOTS_MIN = 64;
const ENTRIES_MIN = 32;
/** The most keys that a directory takes. */
export const KEYS_MAX = 2 ** 27;

/** Flags that a caller may set: bits 0 to 14. */
export const DELETED = 1;

export class KeyDirectory {
  /** Number of keys. */
  size = 0;
  /** Whether the last `put` made an entry. */
  created = false;
  #slots = new Uint32Array(SLOTS_MIN);
  #mask = SLOTS_MIN - 1;
  #words: Uint32Array;
  #orders: Float64Array;
  /** Entries in use or on the free list, and the first free one plus one. */
  #used = 0;
  #free = 0;
  #keys = new KeyChunks();
  /** Of keys that were removed. */
  #deadKeyBytes = 0;
  readonly #expires = new Map<number, number>();

  /** `seed` makes collisions unpredictable where keys come from outside. */
  constructor(readonly seed = 0) {
    const buffer = new ArrayBuffer(ENTRIES_MIN * WORDS * 4);
    this.#words = new Uint32Array(buffer);
    this.#orders = new Float64Array(buffer);
  }

  /** The entry of the key bytes[start, end), or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const slot = this.#slotOf(bytes, start, end, hashOf(bytes, start, end, this.seed));
    return this.#slots[slot]! - 1;
  }

  /** The entry of the key, made if there is none: see `created`. Its place is to be set then. */
  put(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOf(bytes, start, end, this.seed);
    let slot = this.#slotOf(bytes, start, end, hash);
    const known = this.#slots[slot]!;
    this.created = known === 0;
    if (known !== 0) return known - 1;
    if (this.#growSlots(this.size + 1)) slot = this.#slotOf(bytes, start, end, hash);
    this.#growEntries(this.size + 1);
    const place = this.#keys.add(bytes, start, end);
    const entry = this.#newEntry();
    const at = entry * WORDS;
    this.#words[at + HASH] = hash;
    this.#words[at + KEY_PLACE] = place;
    this.#words[at + KEY_LENGTH] = end - start;
    this.#slots[slot] = entry + 1;
    this.size++;
    return entry;
  }

  /**
   * Makes room for so many more keys, of so many bytes in all: putting them cannot fail then.
   * Throws `directory-full`.
   */
  reserve(keys: number, bytes: number, keysMax = KEYS_MAX): void {
    if (this.size + keys > keysMax) throw directoryFull(`${keysMax} keys`);
    this.#keys.checkRoom(bytes);
    this.#growSlots(this.size + keys);
    this.#growEntries(this.size + keys);
  }

  /** Where the newest record lies. `position` below 2^48; `order`: see the dialect's `newest`. */
  set(
    entry: number,
    file: number,
    position: number,
    length: number,
    order: number,
    flags: number,
  ): void {
    const at = entry * WORDS;
    const words = this.#words;
    words[at + FILE] = file;
    words[at + POSITION_LOW] = position;
    words[at + POSITION_HIGH] = ((flags & 0x7fff) << 16) | Math.floor(position / 0x1_0000_0000);
    words[at + LENGTH] = length;
    this.#orders[entry * (WORDS / 2) + ORDER_AT] = order;
  }

  file(entry: number): number {
    return this.#words[entry * WORDS + FILE]!;
  }

  position(entry: number): number {
    const at = entry * WORDS;
    const high = this.#words[at + POSITION_HIGH]! & 0xffff;
    return high * 0x1_0000_0000 + this.#words[at + POSITION_LOW]!;
  }

  length(entry: number): number {
    return this.#words[entry * WORDS + LENGTH]!;
  }

  order(entry: number): number {
    return this.#orders[entry * (WORDS / 2) + ORDER_AT]!;
  }

  flags(entry: number): number {
    return this.#words[entry * WORDS + POSITION_HIGH]! >>> 16;
  }

  /** Milliseconds since the epoch; 0: never. Costs memory only where it is set. */
  expires(entry: number): number {
    return this.#expires.size === 0 ? 0 : (this.#expires.get(entry) ?? 0);
  }

  setExpires(entry: number, expires: number): void {
    if (expires > 0) this.#expires.set(entry, expires);
    else if (this.#expires.size > 0) this.#expires.delete(entry);
  }

  /** Visits the entries that expire. */
  forEachExpiring(visit: (entry: number, expires: number) => void): void {
    this.#expires.forEach((expires, entry) => {
      visit(entry, expires);
    });
  }

  /** Whether the entry is in use and points to this place. */
  holds(entry: number, file: number, position: number): boolean {
    return (
      (this.flags(entry) & FREE) === 0 &&
      this.file(entry) === file &&
      this.position(entry) === position
    );
  }

  keyLength(entry: number): number {
    return this.#words[entry * WORDS + KEY_LENGTH]!;
  }

  /** The chunk that holds the key, and where it begins. Valid until the next put or remove. */
  keyChunk(entry: number): Uint8Array {
    return this.#keys.chunks[this.#words[entry * WORDS + KEY_PLACE]! >>> CHUNK_BITS]!;
  }

  keyStart(entry: number): number {
    return this.#words[entry * WORDS + KEY_PLACE]! & (CHUNK_BYTES - 1);
  }

  /** A copy of the key. */
  key(entry: number): Uint8Array {
    const start = this.keyStart(entry);
    return this.keyChunk(entry).slice(start, start + this.keyLength(entry));
  }

  /** Compares keys of two entries in byte order. */
  compare(a: number, b: number): number {
    const aChunk = this.keyChunk(a);
    const bChunk = this.keyChunk(b);
    const aLength = this.keyLength(a);
    const bLength = this.keyLength(b);
    let aAt = this.keyStart(a);
    let bAt = this.keyStart(b);
    for (let left = Math.min(aLength, bLength); left > 0; left--) {
      const difference = aChunk[aAt++]! - bChunk[bAt++]!;
      if (difference !== 0) return difference;
    }
    return aLength - bLength;
  }

  /** Removes an entry that `find` or `put` gave. */
  remove(entry: number): void {
    const words = this.#words;
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = words[entry * WORDS + HASH]! & mask;
    while (slots[slot] !== entry + 1) slot = (slot + 1) & mask;
    // Shift back whatever would no longer be found from its own slot.
    let next = (slot + 1) & mask;
    for (;;) {
      const other = slots[next]!;
      if (other === 0) break;
      const home = words[(other - 1) * WORDS + HASH]! & mask;
      if (((next - home) & mask) >= ((next - slot) & mask)) {
        slots[slot] = other;
        slot = next;
      }
      next = (next + 1) & mask;
    }
    slots[slot] = 0;
    this.size--;
    const at = entry * WORDS;
    this.#deadKeyBytes += words[at + KEY_LENGTH]!;
    words[at + POSITION_HIGH] = FREE << 16;
    words[at + HASH] = this.#free;
    this.#free = entry + 1;
    this.setExpires(entry, 0);
    if (this.#deadKeyBytes > CHUNK_BYTES && this.#deadKeyBytes * 2 > this.#keys.bytes) {
      this.#packKeys();
    }
  }

  /** Visits every entry, in no order that means anything. The visitor may remove the entry. */
  forEach(visit: (entry: number) => void): void {
    for (let entry = 0; entry < this.#used; entry++) {
      if ((this.flags(entry) & FREE) === 0) visit(entry);
    }
  }

  /**
   * Entries that `keep` wants, in byte order of their keys or in the reverse one; at most the first
   * `most` of them.
   */
  sorted(
    keep: (entry: number) => boolean = () => true,
    reverse = false,
    most = Number.POSITIVE_INFINITY,
  ): Uint32Array {
    let count = 0;
    const chosen = new Uint32Array(this.size);
    this.forEach((entry) => {
      if (keep(entry)) chosen[count++] = entry;
    });
    const sign = reverse ? -1 : 1;
    const compare = (a: number, b: number): number => sign * this.compare(a, b);
    return selectFirst(chosen.subarray(0, count), Math.min(count, most), compare);
  }

  /** Bytes that the directory takes, the keys' own apart. */
  get memory(): { table: number; keys: number } {
    const keys = this.#keys.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    return { table: this.#slots.byteLength + this.#words.byteLength, keys };
  }

  /** The slot that holds the key, or the free one where it would go. */
  #slotOf(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const words = this.#words;
    const mask = this.#mask;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]!;
      if (entry === 0) return slot;
      const at = (entry - 1) * WORDS;
      if (words[at + HASH] !== hash || words[at + KEY_LENGTH] !== end - start) continue;
      const place = words[at + KEY_PLACE]!;
      const chunk = this.#keys.chunks[place >>> CHUNK_BITS]!;
      if (equal(chunk, place & (CHUNK_BYTES - 1), bytes, start, end - start)) return slot;
    }
  }

  /** Whether the slots had to be made anew, for so many keys. */
  #growSlots(keys: number): boolean {
    let length = this.#slots.length;
    while (keys * 10 > length * 7) length *= 2;
    if (length === this.#slots.length) return false;
    const slots = new Uint32Array(allocate(length * 4));
    const mask = length - 1;
    const words = this.#words;
    for (const entry of this.#slots) {
      if (entry === 0) continue;
      let slot = words[(entry - 1) * WORDS + HASH]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry;
    }
    this.#slots = slots;
    this.#mask = mask;
    return true;
  }

  #growEntries(keys: number): void {
    const capacity = this.#words.length / WORDS;
    if (keys <= capacity) return;
    if (keys > KEYS_MAX) throw directoryFull(`${KEYS_MAX} keys`);
    // A third more: little is unused, and a key is copied three times at most on the average.
    const grown = Math.min(KEYS_MAX, Math.max(keys, Math.ceil((capacity * 4) / 3)));
    const buffer = allocate(grown * WORDS * 4);
    const words = new Uint32Array(buffer);
    words.set(this.#words);
    this.#words = words;
    this.#orders = new Float64Array(buffer);
  }

  /** There is room: see #growEntries. */
  #newEntry(): number {
    if (this.#free === 0) return this.#used++;
    const entry = this.#free - 1;
    this.#free = this.#words[entry * WORDS + HASH]!;
    return entry;
  }

  /** Writes the keys anew, without those that were removed. */
  #packKeys(): void {
    const old = this.#keys.chunks;
    const words = this.#words;
    const keys = new KeyChunks();
    this.#keys = keys;
    this.#deadKeyBytes = 0;
    this.forEach((entry) => {
      const at = entry * WORDS;
      const place = words[at + KEY_PLACE]!;
      const start = place & (CHUNK_BYTES - 1);
      words[at + KEY_PLACE] = keys.add(
        old[place >>> CHUNK_BITS]!,
        start,
        start + words[at + KEY_LENGTH]!,
      );
    });
  }
}

function equal(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number) {
  for (let i = 0; i < length; i++) {
    if (a[aStart + i] !== b[bStart + i]) return false;
  }
  return true;
}
