/**
 * Blocks that were read and checked, up to a bound. Replacement is CLOCK (Corbató, "A Paging
 * Experiment with the Multics System", 1968): one that was used since the hand came by last is
 * passed over once. Tables never change, so a block stays true as long as its table lives.
 */
export interface BlockOwner {
  /** By number of the block. */
  readonly cached: (CachedBlock | undefined)[];
}

export interface CachedBlock {
  readonly payload: Uint8Array;
  readonly entries: number;
  /** Used since the hand came by. */
  used: boolean;
  readonly owner: BlockOwner;
  readonly number: number;
}

/** What a block costs beside its bytes. */
const OVERHEAD_BYTES = 200;

export class BlockCache {
  readonly #ring: (CachedBlock | undefined)[] = [];
  readonly #free: number[] = [];
  #hand = 0;
  /** Blocks that were read from the disk. */
  reads = 0;
  /** Memory that is taken. */
  bytes = 0;

  constructor(readonly bytesMax: number) {}

  put(owner: BlockOwner, number: number, payload: Uint8Array, entries: number): CachedBlock {
    const block = { payload, entries, used: true, owner, number };
    const cost = payload.buffer.byteLength + OVERHEAD_BYTES;
    // What would push out much of the rest is read anew when it is needed.
    if (cost > this.bytesMax / 16) return block;
    while (this.bytes + cost > this.bytesMax) this.#evict();
    this.bytes += cost;
    owner.cached[number] = block;
    const slot = this.#free.pop() ?? this.#ring.length;
    this.#ring[slot] = block;
    return block;
  }

  /** The table is gone. */
  forget(owner: BlockOwner): void {
    for (const [slot, block] of this.#ring.entries()) if (block?.owner === owner) this.#drop(slot);
  }

  #evict(): void {
    for (;;) {
      const slot = this.#hand;
      this.#hand = slot + 1 >= this.#ring.length ? 0 : slot + 1;
      const block = this.#ring[slot];
      if (!block) continue;
      if (!block.used) {
        this.#drop(slot);
        return;
      }
      block.used = false;
    }
  }

  #drop(slot: number): void {
    const block = this.#ring[slot]!;
    this.#ring[slot] = undefined;
    this.#free.push(slot);
    block.owner.cached[block.number] = undefined;
    this.bytes -= block.payload.buffer.byteLength + OVERHEAD_BYTES;
  }
}
