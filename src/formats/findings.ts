/** Collects findings: keeps the first ones, counts all, and knows what they add up to. */
import type { FileEntry, Finding } from './format.ts';

/**
 * What is found adds up to: nothing; what an ordinary crash leaves and is safe to clean up; or
 * damage.
 */
export type Verdict = 'clean' | 'torn-tail' | 'damaged';

/** Codes of what an ordinary crash leaves. */
const CRASH_CODES = new Set(['torn-tail', 'leftover-file']);

export class Findings {
  readonly kept: Finding[] = [];
  readonly counts: Record<string, number> = {};
  #crash = 0;
  #worse = 0;

  constructor(readonly most: number) {}

  add(finding: Finding): void {
    const { code, severity } = finding;
    this.counts[code] = (this.counts[code] ?? 0) + 1;
    if (severity !== 'info') {
      if (CRASH_CODES.has(code)) this.#crash++;
      else this.#worse++;
    }
    if (this.kept.length < this.most) this.kept.push(finding);
  }

  get verdict(): Verdict {
    if (this.#worse > 0) return 'damaged';
    return this.#crash > 0 ? 'torn-tail' : 'clean';
  }

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }
}

/** The worse of two. */
export function worseVerdict(a: Verdict, b: Verdict): Verdict {
  const order: Verdict[] = ['clean', 'torn-tail', 'damaged'];
  return order[Math.max(order.indexOf(a), order.indexOf(b))]!;
}

/** Some findings come late, when more is known: back to the order of the files. */
export function inFileOrder(findings: Finding[], files: readonly FileEntry[]): Finding[] {
  const rank = new Map(files.map(({ name }, index) => [name, index]));
  return findings.sort(
    (a, b) => (rank.get(a.file) ?? 0) - (rank.get(b.file) ?? 0) || a.offset - b.offset,
  );
}
