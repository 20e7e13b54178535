/**
 * verify of a big log by two threads. The one that is asked reads from the front, as it always
 * does. A second one begins near the middle, a little before a place called the joint, and reads to
 * the end of the log:
 *
 *     first reader     [ segment 1 ] … [ segment m ............ L ]
 *     second reader                            [ seek ........ L | ......... ] [ m+1 ] …
 *                                              from           joint
 *
 * Both read L, the last record that ends before the joint. A scan that has told of no damage is,
 * behind a record, in a state that the record alone decides (see WalDialect.seek), and so are the
 * checks of sequence and batches. So if the first reader has come to L with nothing to tell, and
 * the second from L to the end with nothing to tell, then one pass would have had nothing to tell
 * either, and the first one stops there. In every other case it reads on as if there were no
 * second: what is found in a damaged log is found by one pass from its front.
 */

import type { Aside } from '../aside.ts';
import { openedBy } from '../file-set.ts';
import type { ByteSource, FileSet } from '../format.ts';
import { LogChecker } from './log-checker.ts';
import type { WalOpened, WalScanContext } from './model.ts';
import { type LogVisitor, scanLog } from './reader.ts';

/** When a log is read by two, and where they meet. */
export interface TwoReaders {
  /** Logs below this many bytes are read by one. */
  fromBytes: number;
  /** The joint is at a multiple of this in its segment, and the second reader begins one before. */
  stepBytes: number;
  /** What the first has read by the time that the second begins. */
  headStartBytes: number;
}

/**
 * A worker takes some 30 ms to start, in which the first reader does 30 MB. A step is a multiple of
 * the blocks of every layout, and long enough to hold a record.
 */
export const TWO_READERS: TwoReaders = {
  fromBytes: 128 * 1024 * 1024,
  stepBytes: 1024 * 1024,
  headStartBytes: 32 * 1024 * 1024,
};

/** What the second reader is to read: from one of the files on. */
export interface LogPart {
  file: number;
  from: number;
  joint: number;
}

/** That there is nothing to tell of a part. */
interface PartReport {
  /** Offset of L. */
  last: number;
  /** Records behind it. */
  records: number;
}

/** Where the second reader begins; undefined: the log is for one. */
export function partOf(input: WalOpened, two: TwoReaders): LogPart | undefined {
  const { files, dialect } = input;
  const total = files.reduce((sum, { size = 0 }) => sum + size, 0);
  if (!dialect.seek || !dialect.hasSeq || total < two.fromBytes) return undefined;
  let before = 0;
  for (const [file, { size = 0 }] of files.entries()) {
    const within = (total + two.headStartBytes) / 2 - before;
    if (within < size) {
      const joint = Math.max(1, Math.floor(within / two.stepBytes)) * two.stepBytes;
      return joint < size ? { file, from: joint - two.stepBytes, joint } : undefined;
    }
    before += size;
  }
  return undefined;
}

/** The work of the second reader. Undefined: there is something to tell, or L was not found. */
export async function verifyLogPart(
  input: WalOpened,
  part: LogPart,
  context: WalScanContext,
): Promise<PartReport | undefined> {
  const { joint } = part;
  const files = input.files.slice(part.file);
  // No run of records goes across the joint.
  const set = jointed(input.set, files[0]!.name, joint);
  const rest = { ...input, set, files };
  const from = await beginningOf(rest, part, context);
  if (from === undefined) return undefined;
  const checker = new LogChecker(rest, 1, true);
  const report: PartReport = { last: -1, records: 0 };
  let behind = false;
  const count = (records: number, last: number, end: number) => {
    behind ||= end > joint;
    if (behind) report.records += records;
    else report.last = last;
  };
  const visitor: LogVisitor = {
    segment(_file, index) {
      behind = index > 0;
    },
    record(record) {
      checker.record(record);
      count(1, record.offset, record.offset + record.length);
    },
    run(records, start, last, end) {
      checker.run(records, start, last, end);
      count(records, last, end);
    },
    damage: (damage) => checker.damage(damage),
    resume: (previous, base) => checker.resume(previous, base),
  };
  const given = {
    ...context,
    from,
    progress(file: string, done: number, size: number | undefined) {
      if (checker.findings.total > 0) throw GIVEN_UP;
      context.progress?.(file, done, size);
    },
  };
  try {
    await scanLog(rest, given, visitor);
  } catch (error) {
    if (error === GIVEN_UP) return undefined;
    throw error;
  }
  checker.end();
  return report.last >= 0 && checker.findings.total === 0 ? report : undefined;
}

const GIVEN_UP = new Error('there is something to tell of this part');

async function beginningOf(
  { set, files, dialect }: WalOpened,
  { from, joint }: LogPart,
  context: WalScanContext,
): Promise<number | undefined> {
  if (from === 0) return 0;
  const source = set.open(files[0]!.name);
  try {
    // A stretch without records is searched no longer than up to the joint.
    const front: ByteSource = {
      name: source.name,
      size: joint,
      read: (target, start, length, position) =>
        position < joint ? source.read(target, start, length, position) : 0,
    };
    return await dialect.seek?.(front, from, context);
  } finally {
    source.close?.();
  }
}

/**
 * The set with one file of which no read goes across the joint: all records in front of it are
 * visited before a byte behind it is asked for. `reached` is waited for then.
 */
function jointed(
  set: FileSet,
  name: string,
  joint: number,
  reached?: () => Promise<void> | undefined,
): FileSet {
  const open = (asked: string): ByteSource => {
    const inner = set.open(asked);
    if (asked !== name) return inner;
    return {
      name,
      size: inner.size,
      read(target, start, length, position) {
        if (position < joint) {
          return inner.read(target, start, Math.min(length, joint - position), position);
        }
        const wait = reached?.();
        if (!wait) return inner.read(target, start, length, position);
        return wait.then(() => inner.read(target, start, length, position));
      },
      close: () => inner.close?.(),
    };
  };
  return openedBy(set, open);
}

/** What the first reader has to do with the second. */
export class SecondReader {
  /** Thrown by a read at the joint when the rest is read: it ends the scan there. */
  readonly done = new Error('the second reader has read the rest');
  /** Set when that is so. */
  report: PartReport | undefined;
  /** The log as the first reader is to open it, and what it is to tell its progress to. */
  readonly input: WalOpened;
  readonly context: WalScanContext;
  readonly #aside: Aside;
  /** False when the first reader does not need it any more. */
  #wanted = true;
  /** What the second reader has read of the segment with the joint, behind the joint. */
  #ahead = 0;
  /** True while the first one waits for it. */
  #waiting = false;

  constructor(
    input: WalOpened,
    context: WalScanContext,
    readonly part: LogPart,
    readonly checker: LogChecker,
  ) {
    const { name } = input.files[part.file]!;
    const reached = () => (this.#wanted ? this.#ask() : undefined);
    this.input = { ...input, set: jointed(input.set, name, part.joint, reached) };
    this.context = {
      ...context,
      progress: (file, done, size) => {
        if (checker.findings.total > 0) this.stop();
        const both = file === name ? Math.min(done + this.#ahead, size ?? done) : done;
        context.progress?.(file, both, size);
      },
    };
    this.#aside = context.aside!(part, (file, done, size) => {
      if (!this.#wanted) return;
      if (file === name) this.#ahead = Math.max(0, done - part.joint);
      if (this.#waiting) context.progress?.(file, done, size);
    });
  }

  stop(): void {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#ahead = 0;
    this.#aside.stop();
  }

  /** Throws `done` when there is nothing left to read. */
  async #ask(): Promise<void> {
    this.#waiting = true;
    const report = (await this.#aside.answer) as PartReport | undefined;
    this.#waiting = false;
    this.stop();
    if (!report || !this.checker.cleanBehind(this.part.file, report.last)) return;
    this.report = report;
    throw this.done;
  }
}
