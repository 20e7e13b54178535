/** What verify says to people: a line of verdict, the findings, and what could not be checked. */
import type { Finding, VerifyResult } from '../formats/format.ts';
import { colors, type Styles } from './color.ts';
import { count } from './count.ts';
import { printable } from './text-sink.ts';

const VERDICTS = {
  clean: 'clean',
  'torn-tail': 'torn tail, as a crash leaves it: safe to clean up',
  damaged: 'damaged',
} as const;

export async function verifyText(results: VerifyResult[], color: boolean): Promise<string> {
  const chalk = await colors(color);
  return results.map((result) => one(result, chalk)).join('\n');
}

function one(result: VerifyResult, chalk: Styles): string {
  const { path, family, dialect, verdict, stats, findings, counts, unchecked } = result;
  const paint =
    verdict === 'clean' ? chalk.green : verdict === 'damaged' ? chalk.red : chalk.yellow;
  const lines = [`${printable(path)}: ${family} ${dialect}, ${paint(VERDICTS[verdict])}`];
  const numbers = Object.entries(stats).filter(([, value]) => typeof value !== 'object');
  lines.push(
    `  ${numbers.map(([name, value]) => count(Number(value), name.replace(/s$/, ''))).join(', ')}`,
  );
  for (const finding of findings) lines.push(...findingLines(finding, chalk));
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (total > findings.length) {
    const all = Object.entries(counts).map(([code, count]) => `${count} ${code}`);
    lines.push(`  … ${total - findings.length} more findings; in all: ${all.join(', ')}`);
  }
  if (unchecked.length > 0) {
    lines.push(chalk.dim('  this layout cannot vouch for:'));
    for (const what of unchecked) lines.push(chalk.dim(`    - ${what}`));
  }
  return `${lines.join('\n')}\n`;
}

/** One finding, for people. */
export function findingLines(finding: Finding, chalk: Styles): string[] {
  const { severity, code, file, offset, length, message, evidence, diagnosis } = finding;
  const paint =
    severity === 'error' ? chalk.red : severity === 'warning' ? chalk.yellow : chalk.cyan;
  const where = `${printable(file)} @ ${offset}${length > 0 ? ` +${length}` : ''}`;
  const lines = [`  ${paint(severity)} ${chalk.bold(code)}  ${where}`, `      ${message}`];
  if (evidence) lines.push(`      evidence: ${evidence}`);
  if (diagnosis) lines.push(`      diagnosis: ${diagnosis}`);
  if (finding.repair) lines.push(`      repair: ${finding.repair}`);
  return lines;
}
