/** The numbers that somebody reads at. */
export class Snapshots {
  readonly #counts = new Map<number, number>();

  /** Returns what lets go of it again. */
  take(seq: number): () => void {
    this.#counts.set(seq, (this.#counts.get(seq) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = this.#counts.get(seq)! - 1;
      if (left === 0) this.#counts.delete(seq);
      else this.#counts.set(seq, left);
    };
  }

  /** Ascending. */
  get seqs(): number[] {
    return [...this.#counts.keys()].sort((a, b) => a - b);
  }
}
