/** The numbers that somebody reads at. */
import type { Scan, ScanOptions } from './scan.ts';

/** The store as it was at one moment. */
export interface Snapshot {
  readonly seq: number;
  get(key: Uint8Array): Buffer | null;
  scan(options?: ScanOptions): Scan;
  /** Lets go of what only it needs. */
  close(): void;
}

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
