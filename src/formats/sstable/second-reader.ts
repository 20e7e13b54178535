/**
 * verify of many or of big tables by two threads. The one that is asked reads from the front, as it
 * always does; a second one begins behind the middle, at a table or at a block of one:
 *
 *     first reader     [ table 1 ] [ table 2: blocks …  L ]
 *     second reader                          [ L | blocks … ] [ table 3 ] …
 *                                                joint
 *
 * The second one reads L too, the last block in front of the joint, so that order and index are
 * compared across it. If it has nothing to tell, the first one stops at the joint, and takes over
 * what the other has counted. If it has, the first one reads on as if there were no second: what is
 * found in damaged tables is found by one pass from the front.
 */
import type { Aside } from '../aside.ts';
import type { ScanContext } from '../format.ts';
import type { RestOfTable, TableOpened } from './model.ts';
import { addTotals, scanTable, type TableTotals, totalsOf } from './verify-table.ts';

/** What the second reader is to read. Plain data. */
export interface TablesPart {
  file: number;
  /** Offset in that file from which on blocks are its; 0: all of the file is. */
  joint: number;
  quick: boolean;
}

/** That there is nothing to tell of a part. */
interface PartReport {
  /** Of the file with the joint. */
  rest: RestOfTable | undefined;
  /** Of the files behind it; all of them where the joint is 0. */
  totals: TableTotals;
}

/** Below so many bytes one reader is as fast: a thread takes some 100 ms until it reads. */
const FROM_BYTES = { quick: 512 * 1024 * 1024, full: 96 * 1024 * 1024 };
/** What the first has read by the time that the second begins; less where blocks are unpacked. */
const HEAD_START_BYTES = { quick: 64 * 1024 * 1024, full: 16 * 1024 * 1024 };

/** Where the second reader begins; undefined: the tables are for one. */
export function partOf({ files, dialect }: TableOpened, quick: boolean): TablesPart | undefined {
  const total = files.reduce((sum, { size = 0 }) => sum + size, 0);
  const depth = quick ? 'quick' : 'full';
  if (total < FROM_BYTES[depth]) return undefined;
  const middle = (total + HEAD_START_BYTES[depth]) / 2;
  let before = 0;
  for (const [file, { size = 0 }] of files.entries()) {
    if (before + size > middle) {
      const joint = Math.floor(middle - before);
      if (dialect.readsParts && joint > 0) return { file, joint, quick };
      return file > 0 ? { file, joint: 0, quick } : undefined;
    }
    before += size;
  }
  return undefined;
}

/** The work of the second reader. Undefined: there is something to tell. */
export async function verifyTablesPart(
  input: TableOpened,
  { file: first, joint, quick }: TablesPart,
  context: ScanContext,
): Promise<PartReport | undefined> {
  const report: PartReport = { rest: undefined, totals: totalsOf([]) };
  let clean = true;
  const tell = (): void => {
    clean = false;
  };
  for (const [i, file] of input.files.entries()) {
    if (i < first || !clean) continue;
    const inParts = i === first && joint > 0;
    const given = { ...context, quick, ...(inParts && { part: joint }) };
    const scanned = await scanTable(input, file, given, tell, () => !clean);
    if (inParts) {
      if (!scanned.rest) return undefined;
      report.rest = scanned.rest;
    } else addTotals(report.totals, scanned.totals);
  }
  return clean ? report : undefined;
}

/** What the first reader has to do with the second. */
export class SecondReader {
  readonly #aside: Aside;
  #waiting = false;
  /** Set when the second one has read the rest, with nothing to tell. */
  report: PartReport | undefined;

  constructor(
    readonly part: TablesPart,
    context: ScanContext,
  ) {
    this.#aside = context.aside!(part, (...progress) => {
      if (this.#waiting) context.progress?.(...progress);
    });
  }

  /** Waits for it; undefined: the first one has to read on. */
  async ask(): Promise<PartReport | undefined> {
    this.#waiting = true;
    this.report = (await this.#aside.answer) as PartReport | undefined;
    this.#waiting = false;
    return this.report;
  }

  stop(): void {
    this.#aside.stop();
  }
}
