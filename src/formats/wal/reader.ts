/**
 * Reads a log of one or more segments as one stream. What a segment alone cannot know is decided
 * here: damage at its end is a torn tail only if no later segment holds an intact record, and a
 * number left out between two segments is a missing one.
 */
import type { FileEntry } from '../format.ts';
import type { WalDamage, WalOpened, WalRecord, WalScanContext, WalVisitor } from './model.ts';
import { ReachChecker, reachOf } from './reach.ts';

export interface LogVisitor extends WalVisitor {
  /** A segment begins. */
  segment?(file: FileEntry, index: number): void;
  /** A segment's records and damage are all told. */
  segmentEnd?(file: FileEntry): void;
}

export async function scanLog(
  input: WalOpened,
  context: WalScanContext,
  visitor: LogVisitor,
): Promise<void> {
  const later = new LaterRecords(input, { ...context, carry: undefined, from: undefined });
  const carry = new Map<string, unknown>();
  const said = reachOf(input);
  const reach = said && new ReachChecker(said);
  let seen = false;
  for (const [index, file] of input.files.entries()) {
    if (visitor.done?.()) return;
    visitor.segment?.(file, index);
    reach?.segment(input.dialect.segmentNumber(file.name));
    const gap = missingSegments(input, index);
    if (gap) visitor.damage(gap);

    let tail: WalDamage | undefined;
    const source = input.set.open(file.name);
    try {
      const from = index === 0 ? context.from : undefined;
      await input.dialect.scan(
        source,
        { ...context, from, carry },
        {
          record: (record) => {
            seen = true;
            reach?.record(record);
            visitor.record(record);
          },
          damage(damage) {
            if (damage.tail) tail = damage;
            else visitor.damage(damage);
          },
          ...(visitor.run && {
            // A record comes before each.
            run(n: number, start: number, last: number, end: number) {
              reach?.run(n);
              visitor.run!(n, start, last, end);
            },
          }),
          resume(previous, base) {
            reach?.resume(previous);
            visitor.resume?.(previous, base);
          },
          ...(visitor.done && { done: () => visitor.done!() }),
        },
      );
    } finally {
      source.close?.();
    }
    if (tail) visitor.damage(await decideTail(tail, index, later, seen, reach?.proof()));
    visitor.segmentEnd?.(file);
  }
  const missing = visitor.done?.() ? undefined : reach?.end(input);
  if (missing) visitor.damage(missing);
}

/** A torn tail, or a hole: what lies in later segments decides. */
async function decideTail(
  damage: WalDamage,
  index: number,
  later: LaterRecords,
  seen: boolean,
  durable: string | undefined,
): Promise<WalDamage> {
  const proof = await later.after(index);
  if (proof || durable) {
    const code = damage.code === 'torn-tail' ? 'bad-length' : damage.code;
    const why = proof && `${proof.file} holds an intact record at ${proof.offset}`;
    const evidence = `${why ?? durable}: a hole, no torn tail`;
    return { ...damage, code, evidence, tail: false };
  }
  if (!seen && damage.begun === false) {
    const evidence = 'no intact record in the whole log: is it of this dialect?';
    return { ...damage, code: 'bad-length', evidence, tail: false };
  }
  const message =
    damage.code === 'torn-tail' ? damage.message : `${damage.code}: ${damage.message}`;
  const evidence = damage.evidence ?? 'the log ends here';
  return {
    ...damage,
    code: 'torn-tail',
    severity: 'warning',
    message,
    evidence: `${evidence}; no later record`,
  };
}

interface Place {
  file: string;
  offset: number;
}

/** The first intact record behind a segment, looked up when damage asks for it, once for all. */
class LaterRecords {
  /** The answer for the segments before `upTo`: the nearest segment from there on with a record. */
  #known: { from: number; place: Place | undefined; index: number } | undefined;

  constructor(
    readonly input: WalOpened,
    readonly context: WalScanContext,
  ) {}

  async after(index: number): Promise<Place | undefined> {
    const known = this.#known;
    if (known && index >= known.from && (known.place === undefined || index < known.index)) {
      return known.place;
    }
    for (let i = index + 1; i < this.input.files.length; i++) {
      const place = await this.#firstRecord(this.input.files[i]!);
      if (place) {
        this.#known = { from: index, place, index: i };
        return place;
      }
    }
    this.#known = { from: index, place: undefined, index: this.input.files.length };
    return undefined;
  }

  async #firstRecord(file: FileEntry): Promise<Place | undefined> {
    let place: Place | undefined;
    const source = this.input.set.open(file.name);
    try {
      await this.input.dialect.scan(source, this.context, {
        record(record: WalRecord) {
          place ??= { file: record.file, offset: record.offset };
        },
        damage() {},
        done: () => place !== undefined,
      });
    } finally {
      source.close?.();
    }
    return place;
  }
}

function missingSegments(input: WalOpened, index: number): WalDamage | undefined {
  const { dialect, files } = input;
  if (index === 0 || !dialect.segmentsContinuous) return undefined;
  const name = files[index]!.name;
  const before = files[index - 1]!.name;
  const number = dialect.segmentNumber(name);
  const previous = dialect.segmentNumber(before);
  if (number === undefined || previous === undefined || number <= previous + 1) return undefined;
  const missing = number - previous - 1;
  const which = missing === 1 ? `segment ${previous + 1} is` : `${missing} segments are`;
  return {
    code: 'segment-gap',
    severity: 'error',
    file: name,
    offset: 0,
    length: 0,
    message: `${which} missing between ${before} and ${name}`,
    repair: 'nothing to drop: look for the missing file',
    records: Number.POSITIVE_INFINITY,
    tail: false,
    lost: false,
  };
}
