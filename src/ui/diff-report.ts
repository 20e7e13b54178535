/** What diff says: differences as they are found, and what they add up to. */
import type { ChalkInstance } from 'chalk';
import type { DiffCounts, Difference } from '../formats/diff/compare.ts';
import { jsonMark, jsonOperation, textMark, textOperation } from './operation-view.ts';
import type { Output } from './output.ts';

export interface DiffSummary {
  equal: boolean;
  counts: DiffCounts;
  damageA: number;
  damageB: number;
  /** What is counted. */
  unit: 'operations' | 'keys';
}

export interface DiffReport {
  difference(difference: Difference): void;
  summary(summary: DiffSummary): void;
}

const TITLES = {
  changed: 'changed',
  moved: 'moved',
  'only-in-a': 'only in A',
  'only-in-b': 'only in B',
} as const;

export class DiffText implements DiffReport {
  #told = 0;

  constructor(
    readonly out: Output,
    readonly chalk: ChalkInstance,
    /** Differences that are listed; all are counted. */
    readonly most: number,
  ) {}

  difference({ kind, a, b }: Difference): void {
    if (this.#told++ >= this.most) return;
    const { chalk, out } = this;
    const key = (a ?? b)!.key;
    out.text(`${chalk.bold(TITLES[kind])}${key === undefined ? '' : `  ${textMark(key)}`}\n`);
    if (a) out.text(`${chalk.red(`  A  ${textOperation(a)}`)}\n`);
    if (b) out.text(`${chalk.green(`  B  ${textOperation(b)}`)}\n`);
  }

  summary({ equal, counts, unit }: DiffSummary): void {
    const { out } = this;
    const more = this.#told - this.most;
    if (more > 0) out.text(`… ${more} more; --limit lists them\n`);
    const { same, changed, moved, onlyInA, onlyInB } = counts;
    if (equal) out.text(`equal: ${same} ${unit}\n`);
    else {
      const parts = [
        `${changed} changed`,
        ...(moved > 0 ? [`${moved} moved`] : []),
        `${onlyInA} only in A`,
        `${onlyInB} only in B`,
      ];
      out.text(`different: ${parts.join(', ')}; ${same} ${unit} the same\n`);
    }
    out.flush();
  }
}

export class DiffJson implements DiffReport {
  #told = 0;

  constructor(
    readonly out: Output,
    readonly most: number,
  ) {}

  difference({ kind, a, b }: Difference): void {
    if (this.#told++ >= this.most) return;
    const key = (a ?? b)!.key;
    const line = {
      difference: kind,
      ...(key !== undefined && { key: jsonMark(key) }),
      ...(a && { a: jsonOperation(a) }),
      ...(b && { b: jsonOperation(b) }),
    };
    this.out.text(`${JSON.stringify(line)}\n`);
  }

  summary({ equal, counts, damageA, damageB, unit }: DiffSummary): void {
    const summary = { equal, unit, ...counts, damage: { a: damageA, b: damageB } };
    this.out.text(`${JSON.stringify({ summary })}\n`);
    this.out.flush();
  }
}
