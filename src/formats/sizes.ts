/** Sizes of many things: all together, the least and the most. */
export class Sizes {
  #total = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = 0;

  add(size: number): void {
    this.#total += size;
    if (size < this.#least) this.#least = size;
    if (size > this.#most) this.#most = size;
  }

  /** As stat tells them. */
  told(): Record<string, number> {
    const least = Number.isFinite(this.#least) ? this.#least : 0;
    return { bytes: this.#total, least, most: this.#most };
  }
}
