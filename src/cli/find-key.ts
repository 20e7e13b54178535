/** find: every record with a key, in whatever a PATH holds, oldest to newest. */
import type { Command } from '@oclif/core';
import { type CapturedRecord, CapturingSink } from '../formats/captured-record.ts';
import { identify } from '../formats/detect.ts';
import { everyGroup, type Group } from '../formats/detect-all.ts';
import { type Verdict, worseVerdict } from '../formats/findings.ts';
import type { DumpOptions, Finding, ScanContext } from '../formats/format.ts';
import { openFileSet } from '../io/file-set.ts';
import { askDialects } from './open.ts';
import { steady } from './steady-store.ts';

/** Files of one dialect that a PATH, as the user wrote it, stands for. */
export interface Searched {
  path: string;
  group: Group;
}

export interface Match extends Searched {
  record: CapturedRecord;
}

/** What is read of one PATH: a directory can hold files of several dialects. */
export async function groupsOf(
  command: Command,
  path: string,
  dialect: string | undefined,
): Promise<readonly Group[]> {
  const set = openFileSet(path);
  return askDialects(
    command,
    set,
    dialect,
    async (families) => {
      const groups = dialect === undefined ? await everyGroup(families, set) : [];
      // Says what is wrong when there is nothing; takes it at its word when a dialect is named.
      const found = groups.length > 0 ? groups : [await identify(families, set, dialect)];
      return Promise.all(found.map(steady));
    },
    (groups) => groups.length > 0,
  );
}

/** The range that holds one key alone: what follows it in byte order is itself and a zero byte. */
export function rangeOf(key: Uint8Array, prefix: boolean): DumpOptions {
  if (prefix) return { prefix: key };
  const to = new Uint8Array(key.length + 1);
  to.set(key);
  return { from: key, to };
}

/** Matches that are held to be put in order, and bytes of their keys and values. */
const HELD_MAX = 100_000;
const HELD_BYTES_MAX = 256 * 1024 * 1024;

export interface FindResult {
  matches: number;
  verdict: Verdict;
  /** There were too many to put them in order: they are in the order of the files. */
  unordered: boolean;
}

/**
 * Tells every match to `onMatch`: as it is found if that is in order, else sorted by sequence
 * number.
 */
export async function findKey(
  groups: readonly Searched[],
  range: DumpOptions,
  context: ScanContext,
  onMatch: (match: Match) => void,
  onDamage: (where: Searched, finding: Finding) => void,
): Promise<FindResult> {
  const [only] = groups;
  const sorter = new Sorter(
    groups.length === 1 && only !== undefined && only.group.family.inOrder(only.group.dialect),
    onMatch,
  );
  let verdict: Verdict = 'clean';
  for (const searched of groups) {
    const { group } = searched;
    const sink = new CapturingSink((record) => sorter.add({ ...searched, record }));
    const damage = (finding: Finding): void => onDamage(searched, finding);
    const result = await group.family.dump(group, range, context, sink, damage);
    verdict = worseVerdict(verdict, result.verdict);
  }
  sorter.end();
  return { matches: sorter.count, verdict, unordered: sorter.overflowed };
}

class Sorter {
  count = 0;
  overflowed = false;
  #held: Match[] = [];
  #bytes = 0;

  constructor(
    /** Nothing needs to be held. */
    public direct: boolean,
    readonly onMatch: (match: Match) => void,
  ) {}

  add(match: Match): void {
    this.count++;
    if (this.direct) {
      this.onMatch(match);
      return;
    }
    this.#held.push(match);
    this.#bytes += match.record.bytes;
    if (this.#held.length < HELD_MAX && this.#bytes < HELD_BYTES_MAX) return;
    this.overflowed = true;
    this.direct = true;
    this.#flush();
  }

  end(): void {
    // Where some have no sequence number, the order of the files is all there is.
    const sequenced = this.#held.every(({ record }) => record.seq !== undefined);
    if (sequenced) this.#held.sort(bySeq);
    this.#flush();
  }

  #flush(): void {
    for (const match of this.#held) this.onMatch(match);
    this.#held = [];
  }
}

function bySeq(a: Match, b: Match): number {
  const x = a.record.seq!;
  const y = b.record.seq!;
  return x.high - y.high || x.low - y.low;
}
