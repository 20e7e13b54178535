import { Digest } from './digest.ts';

/** What a disk writes whole or not at all; the grain at which a write tears. */
export const SECTOR_BYTES = 512;

/** Holes longer than this are not written out in the list of sectors. */
const GAP_SECTORS_MAX = 65_536;

/** Its digest is made when first asked for. */
interface Sector {
  readonly bytes: Uint8Array;
  /** The only Content that may write it, and only for as long as it has this mark. */
  readonly owner: symbol | undefined;
  digest: Digest | undefined;
}

const ZEROS: Sector = {
  bytes: new Uint8Array(SECTOR_BYTES),
  owner: undefined,
  digest: undefined,
};

/**
 * The bytes of a file, in sectors that copies share until one of them writes: so a disk can be
 * copied at every single write for the price of a list of sectors. One that is absent reads as
 * zeros, as holes do. Bytes of the last sector beyond the size are always zero.
 */
export class Content {
  #sectors: (Sector | undefined)[] = [];
  /** True while another Content has the same list. */
  #shared = false;
  /** Marks the sectors made since the last fork, which nobody else has. */
  #mark = Symbol();
  #size = 0;
  #digest: Digest | undefined;

  get size(): number {
    return this.#size;
  }

  /** A copy, at no cost until one of the two is written. */
  fork(): Content {
    const copy = new Content();
    this.#shared = true;
    this.#mark = Symbol();
    copy.#shared = true;
    copy.#sectors = this.#sectors;
    copy.#size = this.#size;
    copy.#digest = this.#digest;
    return copy;
  }

  /** Fills target[start, start + length) from `position`; returns the bytes there were. */
  read(target: Uint8Array, start: number, length: number, position: number): number {
    const end = Math.min(position + length, this.#size);
    if (end <= position) return 0;
    for (let at = position; at < end; ) {
      const from = at % SECTOR_BYTES;
      const count = Math.min(SECTOR_BYTES - from, end - at);
      const { bytes } = this.#sectors[(at - from) / SECTOR_BYTES] ?? ZEROS;
      const source = count === SECTOR_BYTES ? bytes : bytes.subarray(from, from + count);
      target.set(source, start + at - position);
      at += count;
    }
    return end - position;
  }

  /**
   * Writes bytes[start, start + length) at `position`; what lies between the end and there is
   * zeros.
   */
  write(bytes: Uint8Array, start: number, length: number, position: number): void {
    if (length <= 0) return;
    this.#change();
    const end = position + length;
    if (end > this.#size) this.#size = end;
    for (let at = position; at < end; ) {
      const from = at % SECTOR_BYTES;
      const count = Math.min(SECTOR_BYTES - from, end - at);
      const number = (at - from) / SECTOR_BYTES;
      const source = start + at - position;
      this.#writable(number).set(bytes.subarray(source, source + count), from);
      at += count;
    }
  }

  /** Cuts, or extends with zeros. */
  resize(size: number): void {
    if (size === this.#size) return;
    this.#change();
    if (size < this.#size) {
      const kept = Math.ceil(size / SECTOR_BYTES);
      if (this.#sectors.length > kept) this.#sectors.length = kept;
      const inLast = size % SECTOR_BYTES;
      const known = this.#sectors[kept - 1] !== undefined;
      if (inLast !== 0 && known) this.#writable(kept - 1).fill(0, inLast);
    }
    this.#size = size;
  }

  /** The bytes [position, position + length), with zeros for those beyond the end. */
  slice(position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.read(bytes, 0, length, position);
    return bytes;
  }

  /**
   * Equal for equal bytes, however they came about. Sectors are hashed once, whoever shares them.
   */
  digest(): Digest {
    if (this.#digest === undefined) {
      const digest = new Digest().integer(this.#size);
      const count = Math.ceil(this.#size / SECTOR_BYTES);
      for (let number = 0; number < count; number++) {
        const { low, high } = digestOf(this.#sectors[number] ?? ZEROS);
        digest.word(low).word(high);
      }
      this.#digest = digest.finish();
    }
    return this.#digest;
  }

  /** The bytes of a sector that is this Content's alone. */
  #writable(number: number): Uint8Array {
    const sector = this.#sectors[number];
    if (sector?.owner === this.#mark) {
      sector.digest = undefined;
      return sector.bytes;
    }
    // A list with gaps is slow, one that stands for gigabytes of zeros is slower.
    if (number - this.#sectors.length < GAP_SECTORS_MAX) {
      while (this.#sectors.length < number) this.#sectors.push(undefined);
    }
    const bytes = new Uint8Array(SECTOR_BYTES);
    if (sector !== undefined) bytes.set(sector.bytes);
    this.#sectors[number] = { bytes, owner: this.#mark, digest: undefined };
    return bytes;
  }

  #change(): void {
    this.#digest = undefined;
    if (this.#shared) this.#sectors = this.#sectors.slice();
    this.#shared = false;
  }
}

function digestOf(sector: Sector): Digest {
  const { buffer, byteOffset } = sector.bytes;
  sector.digest ??= new Digest()
    .words(new Uint32Array(buffer, byteOffset, SECTOR_BYTES / 4))
    .finish();
  return sector.digest;
}
