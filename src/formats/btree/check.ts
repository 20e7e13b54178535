/**
 * What a walk through all pages gathers: findings in the family's words, what each page is (a
 * byte a page, which is also the bit that says it was reached), and figures of each tree.
 */
import type { Severity } from '../format.ts';
import { type BtreeFinding, KIND, type TreeInfo, type TreeStat } from './model.ts';

/** Set in a page's kind when a finding is about it. */
export const DAMAGED = 0x80;

/** Pages beyond so many are not tracked: 16 TB of 4 KiB pages. */
const PAGES_MAX = 2 ** 32 - 1;

export interface Place {
  readonly name: string;
  readonly pageSize: number;
  readonly firstPage: number;
}

/** What a finding says beside its code. */
export interface Said {
  page?: number | undefined;
  parent?: number | undefined;
  /** Within the page; default: all of it. */
  at?: number | undefined;
  length?: number | undefined;
  expected?: unknown;
  actual?: unknown;
  diagnosis?: string | undefined;
  repair?: string | undefined;
  severity?: Severity;
}

/** A finding about a page. `what` is in words, without page and parent, expected and actual. */
export function finding(place: Place, code: string, what: string, said: Said): BtreeFinding {
  const { page, parent, at, expected, actual, diagnosis, repair, severity = 'error' } = said;
  const known = page !== undefined;
  const where = !known ? '' : `page ${page}${parent === undefined ? '' : ` (parent ${parent})`}: `;
  const numbers =
    expected === undefined ? '' : `; expected ${shown(expected)}, actual ${shown(actual)}`;
  return {
    code,
    severity,
    file: place.name,
    offset: known ? (page - place.firstPage) * place.pageSize + (at ?? 0) : (at ?? 0),
    length: said.length ?? (known && at === undefined ? place.pageSize : 0),
    message: `${where}${what}${numbers}`,
    ...(known && { page }),
    ...(parent !== undefined && { parent }),
    ...(expected !== undefined && { expected, actual }),
    ...(diagnosis !== undefined && { diagnosis }),
    ...(repair !== undefined && { repair }),
  };
}

/** Of a hostile list of trees more are not kept. */
const LOST_MAX = 1000;

export function keepLost(lost: BtreeFinding[], finding: BtreeFinding): void {
  if (lost.length < LOST_MAX) lost.push(finding);
}

function shown(value: unknown): string {
  // Bytes of a file may be anything; a terminal must not be told what to do by them.
  if (typeof value === 'string' && /[\x00-\x1f\x7f-\x9f]/.test(value)) return JSON.stringify(value);
  return typeof value === 'string' || typeof value === 'number'
    ? String(value)
    : (JSON.stringify(value) ?? String(value));
}

export class Check {
  readonly kinds: Uint8Array;
  readonly trees: TreeStat[] = [];
  /** Pages visited, for progress. */
  visited = 0;
  /** Some of a tree could not be read, so that counts are no evidence. */
  lossy = false;
  /** A page of a tree could not be read, or is not there. */
  pageLost = false;

  constructor(
    readonly place: Place,
    readonly pageCount: number,
    readonly onFinding: (finding: BtreeFinding) => void,
  ) {
    const last = Math.min(pageCount + place.firstPage, PAGES_MAX);
    this.kinds = new Uint8Array(last);
  }

  kindOf(page: number): number {
    return (this.kinds[page] ?? 0) & ~DAMAGED;
  }

  isDamaged(page: number): boolean {
    return ((this.kinds[page] ?? 0) & DAMAGED) !== 0;
  }

  reached(page: number): boolean {
    return this.kindOf(page) !== KIND.unknown;
  }

  /** The page is of this kind. False if it has an owner already. */
  claim(page: number, kind: number): boolean {
    if (this.reached(page)) return false;
    this.kinds[page] = (this.kinds[page] ?? 0) | kind;
    this.visited++;
    return true;
  }

  /** Changes what a page was taken for. */
  reclaim(page: number, kind: number): void {
    this.kinds[page] = ((this.kinds[page] ?? 0) & DAMAGED) | kind;
  }

  finding(code: string, what: string, said: Said): void {
    const { page } = said;
    if (page !== undefined && page < this.kinds.length && said.severity !== 'info') {
      this.kinds[page] = (this.kinds[page] ?? 0) | DAMAGED;
    }
    this.onFinding(finding(this.place, code, what, said));
  }

  beginTree(tree: TreeInfo): TreeStat {
    const stat: TreeStat = {
      name: tree.name,
      kind: tree.kind,
      root: tree.root,
      height: 0,
      interior: 0,
      leaves: 0,
      overflow: 0,
      keys: 0,
      usedBytes: 0,
      pageBytes: 0,
      jumps: 0,
    };
    this.trees.push(stat);
    return stat;
  }
}
