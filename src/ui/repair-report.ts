/**
 * What repair says to people: the ledger, what the loss means, how the result checks, what to do
 * next.
 */
import type { LedgerSpan, VerifyResult } from '../formats/format.ts';
import type { LedgerTotals } from '../formats/ledger.ts';
import { colors } from './color.ts';
import { count } from './count.ts';
import { printable } from './text-sink.ts';
import { findingLines } from './verify-report.ts';

export interface RepairView {
  path: string;
  family: string;
  dialect: string;
  out: string;
  quarantine: string | undefined;
  totals: LedgerTotals;
  ledger: readonly LedgerSpan[];
  consequences: readonly string[];
  result: VerifyResult;
  next: readonly string[];
}

const SPANS_SHOWN_MAX = 40;

export async function repairText(report: RepairView, color: boolean): Promise<string> {
  const chalk = await colors(color);
  const { totals, ledger, consequences, result, next } = report;
  const lines = [
    `${printable(report.path)} → ${printable(report.out)} (${report.family} ${report.dialect})`,
  ];
  lines.push(chalk.bold('ledger'));
  for (const fate of ['kept', 'salvaged', 'dropped'] as const) {
    const { bytes, records } = totals[fate];
    const most = fate === 'dropped' ? totals.dropped.recordsAtMost : records;
    const counted = most > records ? `at most ${count(most, 'record')}` : count(records, 'record');
    lines.push(`  ${fate.padEnd(9)} ${String(bytes).padStart(12)} bytes  ${counted}`);
  }
  const all = totals.kept.bytes + totals.salvaged.bytes + totals.dropped.bytes;
  lines.push(`  ${'in all'.padEnd(9)} ${String(all).padStart(12)} bytes, every byte of the input`);
  const told = ledger.filter(({ fate }) => fate !== 'kept');
  for (const span of told.slice(0, SPANS_SHOWN_MAX)) lines.push(`  ${spanLine(span)}`);
  if (told.length > SPANS_SHOWN_MAX) lines.push(`  … ${told.length - SPANS_SHOWN_MAX} more spans`);
  if (consequences.length > 0) {
    lines.push(chalk.bold('what the loss means'));
    for (const what of consequences) lines.push(`  ${what}`);
  }
  const verdict = result.clean ? chalk.green('clean') : chalk.yellow('damage remains');
  lines.push(
    `${chalk.bold('the result')}: ${verdict}, ${count(Number(result.stats['records']), 'record')}`,
  );
  for (const finding of result.findings.slice(0, SPANS_SHOWN_MAX)) {
    lines.push(...findingLines(finding, chalk));
  }
  if (next.length > 0) {
    lines.push(chalk.bold('next'));
    for (const step of next) lines.push(`  ${step}`);
  }
  return `${lines.join('\n')}\n`;
}

function spanLine(span: LedgerSpan): string {
  const { fate, file, offset, length, code, reason, quarantine } = span;
  const where = quarantine ? ` → ${quarantine}` : '';
  return `${fate} ${printable(file)} @ ${offset} +${length} ${code}: ${reason}${where}`;
}
