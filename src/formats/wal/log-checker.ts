/** What verify and repair find in a log as its records go by: damage, sequence, batches. */
import { findingOf } from '../damage.ts';
import { Findings } from '../findings.ts';
import type { FileEntry, Finding } from '../format.ts';
import type { WalDamage, WalOpened, WalRecord } from './model.ts';
import { SequenceChecker } from './sequence.ts';

export class LogChecker {
  readonly findings: Findings;
  readonly stats = { files: 0, bytes: 0, records: 0 };
  readonly #sequence: SequenceChecker | undefined;
  readonly #seals: SealChecker | undefined;
  /** Where the last record lies: index of its segment, and offset. */
  #segment = 0;
  #offset = -1;

  /** `within`: what is given begins in the middle of a log. */
  constructor(input: WalOpened, findingsMax: number, within = false) {
    const { dialect } = input;
    const findings = new Findings(findingsMax);
    this.findings = findings;
    this.stats.files = input.files.length;
    if (dialect.hasSeq) {
      const emit = (finding: Finding) => findings.add(finding);
      const first = within ? undefined : expectedFirst(input);
      this.#sequence = new SequenceChecker(dialect, emit, first);
    }
    if (dialect.batches === 'commit-record') this.#seals = new SealChecker(findings, within);
  }

  segment(_file: FileEntry, index: number): void {
    this.#segment = index;
    this.#offset = -1;
  }

  record(record: WalRecord): void {
    this.#offset = record.offset;
    this.stats.records++;
    if (record.index === 0) this.stats.bytes += record.length;
    if (record.numbered) this.#sequence?.record(record);
    this.#seals?.record(record);
  }

  run(count: number, start: number, last: number, end: number): void {
    this.#offset = last;
    this.stats.records += count;
    this.stats.bytes += end - start;
    this.#sequence?.run(count);
    this.#seals?.run();
  }

  damage(damage: WalDamage): void {
    this.findings.add(findingOf(damage));
    this.#sequence?.damage(damage);
    this.#seals?.damage();
  }

  resume(previous: bigint, base: bigint): void {
    this.#sequence?.resume(previous, base);
  }

  end(): void {
    this.#sequence?.end();
  }

  /** True where the last record is this one, and up to it there is nothing to tell. */
  cleanBehind(segment: number, offset: number): boolean {
    const here = this.#segment === segment && this.#offset === offset;
    return here && this.findings.total === 0 && !this.#sequence?.undecided;
  }
}

/** A log whose first segment is number 1 begins at the first sequence number. */
function expectedFirst({ dialect, files }: WalOpened): number | undefined {
  const number = files[0] && dialect.segmentNumber(files[0].name);
  return number === 1 ? dialect.firstSeq : undefined;
}

/** Commits and checkpoints carry nothing, and a commit seals at least one operation. */
class SealChecker {
  #unsealed: boolean;
  #first: boolean;

  /** `within`: what stands before the first record is not known, and may be what it seals. */
  constructor(
    readonly findings: Findings,
    within: boolean,
  ) {
    this.#unsealed = within;
    this.#first = !within;
  }

  record(record: WalRecord): void {
    const { op, file, offset, length } = record;
    if (op === 'put' || op === 'delete') {
      this.#unsealed = true;
      this.#first = false;
      return;
    }
    if (record.keyEnd > record.keyStart || record.valueEnd > record.valueStart) {
      const message = `a ${op} record carries a key or a value; expected both empty`;
      this.findings.add({
        code: 'marker-payload',
        severity: 'warning',
        file,
        offset,
        length,
        message,
      });
    }
    if (op === 'commit' && !this.#unsealed) {
      const message = this.#first
        ? 'the log begins with a commit: what it seals lies before'
        : 'the commit seals nothing: no operation since the last commit or checkpoint';
      const severity = this.#first ? 'info' : 'warning';
      this.findings.add({ code: 'empty-commit', severity, file, offset, length, message });
    }
    this.#first = false;
    this.#unsealed = false;
  }

  /** Puts and deletes. */
  run(): void {
    this.#unsealed = true;
    this.#first = false;
  }

  /** What was lost may have been sealed by the next commit. */
  damage(): void {
    this.#unsealed = true;
  }
}
