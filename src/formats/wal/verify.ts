/** verify of the family: damage, sequence, batches, and what the dialect cannot vouch for. */
import { findingOf } from '../damage.ts';
import { Findings } from '../findings.ts';
import type { FileEntry, Finding, VerifyResult } from '../format.ts';
import type { WalDamage, WalOpened, WalRecord, WalScanContext } from './model.ts';
import { scanLog } from './reader.ts';
import { SequenceChecker } from './sequence.ts';

/** What verify and repair find, out of one pass over the log. */
export class LogChecker {
  readonly findings: Findings;
  readonly stats = { files: 0, bytes: 0, records: 0 };
  readonly #sequence: SequenceChecker | undefined;
  readonly #seals: SealChecker | undefined;

  constructor(input: WalOpened, findingsMax: number) {
    const { dialect } = input;
    const findings = new Findings(findingsMax);
    this.findings = findings;
    this.stats.files = input.files.length;
    if (dialect.hasSeq) {
      const emit = (finding: Finding) => findings.add(finding);
      this.#sequence = new SequenceChecker(dialect, emit, expectedFirst(input));
    }
    if (dialect.batches === 'commit-record') this.#seals = new SealChecker(findings);
  }

  record(record: WalRecord): void {
    this.stats.records++;
    if (record.index === 0) this.stats.bytes += record.length;
    if (record.numbered) this.#sequence?.record(record);
    this.#seals?.record(record);
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
}

export async function verifyLog(input: WalOpened, context: WalScanContext): Promise<VerifyResult> {
  const { dialect, set, files } = input;
  const checker = new LogChecker(input, context.limits.findings);
  await scanLog(input, context, checker);
  checker.end();
  const { findings, stats } = checker;
  for (const finding of (await dialect.verifySet?.(input, context)) ?? []) findings.add(finding);
  const size = files.reduce((sum, file) => sum + (file.size ?? 0), 0);
  return {
    path: set.path,
    family: 'wal',
    dialect: dialect.id,
    clean: findings.verdict === 'clean',
    verdict: findings.verdict,
    stats: { ...stats, bytes: size || stats.bytes },
    unchecked: dialect.unchecked,
    findings: inOrder(findings.kept, files),
    counts: findings.counts,
  };
}

/** Sequence findings come a record late: back to file order. */
export function inOrder(findings: Finding[], files: readonly FileEntry[]): Finding[] {
  const rank = new Map(files.map(({ name }, index) => [name, index]));
  return findings.sort(
    (a, b) => (rank.get(a.file) ?? 0) - (rank.get(b.file) ?? 0) || a.offset - b.offset,
  );
}

/** A log whose first segment is number 1 begins at the first sequence number. */
function expectedFirst({ dialect, files }: WalOpened): number | undefined {
  const number = files[0] && dialect.segmentNumber(files[0].name);
  return number === 1 ? dialect.firstSeq : undefined;
}

/** Commits and checkpoints carry nothing, and a commit seals at least one operation. */
class SealChecker {
  #unsealed = false;
  #first = true;

  constructor(readonly findings: Findings) {}

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

  /** What was lost may have been sealed by the next commit. */
  damage(): void {
    this.#unsealed = true;
  }
}
