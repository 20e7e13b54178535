/** verify of the family: damage, sequence, batches, and what the dialect cannot vouch for. */
import { Findings } from '../findings.ts';
import type { VerifyResult } from '../format.ts';
import { findingOf, type WalOpened, type WalRecord, type WalScanContext } from './model.ts';
import { scanLog } from './reader.ts';
import { SequenceChecker } from './sequence.ts';

export async function verifyLog(input: WalOpened, context: WalScanContext): Promise<VerifyResult> {
  const { dialect, set, files } = input;
  const findings = new Findings(context.limits.findings);
  const sequence = dialect.hasSeq
    ? new SequenceChecker(dialect, (finding) => findings.add(finding), expectedFirst(input))
    : undefined;
  const seals = dialect.batches === 'commit-record' ? new SealChecker(findings) : undefined;
  const stats = { files: files.length, bytes: 0, records: 0 };

  await scanLog(input, context, {
    record(record) {
      stats.records++;
      stats.bytes += record.index === 0 ? record.length : 0;
      if (sequence && record.extra === undefined) sequence.record(record);
      seals?.record(record);
    },
    damage(damage) {
      findings.add(findingOf(damage));
      sequence?.damage(damage);
      seals?.damage();
    },
  });
  sequence?.end();
  const size = files.reduce((sum, file) => sum + (file.size ?? 0), 0);
  return {
    path: set.path,
    family: 'wal',
    dialect: dialect.id,
    clean: findings.verdict === 'clean',
    verdict: findings.verdict,
    stats: { ...stats, bytes: size || stats.bytes },
    unchecked: dialect.unchecked,
    findings: findings.kept.sort(byPlace(files.map((file) => file.name))),
    counts: findings.counts,
  };
}

/** A log whose first segment is number 1 begins at the first sequence number. */
function expectedFirst({ dialect, files }: WalOpened): number | undefined {
  const number = files[0] && dialect.segmentNumber(files[0].name);
  return number === 1 ? dialect.firstSeq : undefined;
}

function byPlace(order: string[]) {
  const rank = new Map(order.map((name, index) => [name, index]));
  return (a: { file: string; offset: number }, b: { file: string; offset: number }): number =>
    (rank.get(a.file) ?? 0) - (rank.get(b.file) ?? 0) || a.offset - b.offset;
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
