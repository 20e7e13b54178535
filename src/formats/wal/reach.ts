/**
 * How far a log must reach: its manifest may say which segment was made and which record was
 * durable when it was written. A log that ends before that has lost something, however clean its
 * end looks.
 */
import type { ByteSource, FileSet } from '../format.ts';
import type { LogReach, WalDamage, WalOpened, WalRecord } from './model.ts';

/** Asked before the first segment is read: a writer may go on meanwhile. */
export function reachOf({ set, dialect }: WalOpened): LogReach | undefined {
  return set.isDirectory ? dialect.reached?.(set) : undefined;
}

export class ReachChecker {
  /** The last number that was seen. */
  #high = 0;
  #low = 0;
  /** What a segment says of the one before it. */
  #vouched = 0n;
  /** The segment that is read, and whether its header is. */
  #segment = 0;
  #begun = false;

  constructor(readonly reach: LogReach) {}

  segment(number: number | undefined): void {
    this.#segment = number ?? 0;
    this.#begun = false;
  }

  record({ seqHigh, seqLow }: WalRecord): void {
    this.#high = seqHigh;
    this.#low = seqLow;
  }

  run(count: number): void {
    const low = this.#low + count;
    this.#low = low >>> 0;
    if (low > 0xffff_ffff) this.#high = (this.#high + 1) >>> 0;
  }

  resume(previous: bigint): void {
    this.#begun = true;
    if (previous > this.#vouched) this.#vouched = previous;
  }

  /** In words, why what is damaged behind the last record was durable; undefined: it may not be. */
  proof(): string | undefined {
    const { file, segment, seq } = this.reach;
    if (seq > this.#last) return `${file} says that seq ${seq} was durable`;
    if (this.#begun || this.#segment > segment) return undefined;
    return `${file} says that segment ${this.#segment} was made`;
  }

  /** What is missing behind the last of `input`'s segments. */
  end({ dialect, files, set }: WalOpened): WalDamage | undefined {
    const { segment, seq } = this.reach;
    // One that is cut down to nothing has nothing to be read, and is as good as gone.
    const last = files.findLast(({ size }) => size !== 0);
    const reached = last
      ? (dialect.segmentNumber(last.name) ?? segment)
      : (dialect.firstSegment?.(set) ?? 1) - 1;
    if (reached < segment) {
      // A writer may have made it since the files were listed.
      if (isThere(set, dialect.encoder?.segmentName(segment))) return undefined;
      const missing =
        reached + 1 === segment
          ? `segment ${segment} is missing`
          : `segments ${reached + 1} to ${segment} are missing`;
      return this.#damage('segment-gap', `${missing} at the end of the log`);
    }
    if (this.#last >= seq) return undefined;
    const from = this.#last + 1n;
    const missing = from === seq ? `seq ${seq} is missing` : `seq ${from} to ${seq} are missing`;
    return this.#damage('seq-gap', `the log ends at seq ${from - 1n}: ${missing}`);
  }

  get #last(): bigint {
    const last = (BigInt(this.#high) << 32n) | BigInt(this.#low);
    return last > this.#vouched ? last : this.#vouched;
  }

  #damage(code: string, message: string): WalDamage {
    const place = { file: this.reach.file, offset: 0, length: 0 };
    const evidence = `${place.file} was written when they were durable`;
    const repair =
      'nothing to drop: look for an older copy of the log; if this is one that was taken while ' +
      'the log was written, it is not whole: take it again';
    const fate = { records: Number.POSITIVE_INFINITY, tail: false, lost: false };
    return { code, severity: 'error', ...place, message, evidence, repair, ...fate };
  }
}

function isThere(set: FileSet, name: string | undefined): boolean {
  if (name === undefined) return false;
  let source: ByteSource | undefined;
  try {
    source = set.open(name);
    return source.size !== 0;
  } catch {
    return false;
  } finally {
    source?.close?.();
  }
}
