/** wal crash-test: a workload from lines, and what the exploration says of it. */
import { type CrashTestOptions, crashTest, parseStep, type Step } from '../engines/wal/workload.ts';
import { openForReading, readLines } from '../io/lines.ts';
import { formatReport } from '../io/sim-disk/violation.ts';
import { EXIT, usageError } from '../shared/errors.ts';
import type { DdiaCommand } from './base-command.ts';

/** Returns the exit code. */
export async function crashTestLines(
  command: DdiaCommand,
  workload: string,
  options: CrashTestOptions & { json: boolean },
): Promise<number> {
  const steps: Step[] = [];
  const input = openForReading(workload);
  try {
    await readLines(
      input.fd,
      (line, number) => {
        const step = parseStep(line, number);
        if (step) steps.push(step);
      },
      command.signal,
    );
  } finally {
    input.close();
  }
  if (steps.length === 0) throw usageError('empty-workload', 'the workload has no operation');
  const report = await crashTest(steps, options);
  if (options.json) command.printJson(report);
  else command.printText(formatReport(report));
  return report.violations.length === 0 ? EXIT.ok : EXIT.damage;
}
