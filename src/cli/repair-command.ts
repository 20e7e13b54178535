/** repair, by family or by detection: plan, apply, and say what came of it. */
import { Args, Flags } from '@oclif/core';
import type { Identified } from '../formats/detect.ts';
import type { RepairPlan } from '../formats/format.ts';
import { replaceFile } from '../io/durable.ts';
import { readTextFile } from '../io/file-source.ts';
import { RealDisk } from '../io/real-disk.ts';
import { EXIT, usageError } from '../shared/errors.ts';
import { DdiaCommand, limitFlags, limitsOf } from './base-command.ts';
import { openPath } from './open.ts';
import { applyRepair, checkUnchanged, planRepair } from './repair.ts';
import type { SalvageFlags } from './salvage.ts';

export abstract class RepairCommand extends DdiaCommand {
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'file, or directory that holds it or its segments',
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    out: Flags.string({ description: 'directory for the result; must not exist' }),
    'in-place': Flags.boolean({
      description: 'replace the damaged files, keeping each as NAME.bak',
      exclusive: ['out'],
    }),
    backup: Flags.boolean({ description: 'keep NAME.bak', allowNo: true, default: true }),
    quarantine: Flags.string({
      description: 'directory for bytes that cannot be used [default: OUT.quarantine]',
    }),
    force: Flags.boolean({ description: 'replace what is at --out and --quarantine' }),
    mend: Flags.boolean({
      description:
        'also make records whole whose damage has one explanation that their checksum proves',
    }),
    plan: Flags.string({ description: 'write what would be done to this file, and do nothing' }),
    apply: Flags.string({
      description: 'do what this plan says; refused if the input has changed',
    }),
    to: Flags.string({
      options: ['ndjson', 'sql', 'v2'],
      description:
        'of a file of other software: what its rows are written as, to --out FILE; v2: a store in --out DIR',
    }),
    'dry-run': Flags.boolean({ description: 'print the plan, and do nothing' }),
    ...limitFlags,
  };
  readonly family: string | undefined = undefined;

  protected open(path: string, dialect: string | undefined): Promise<Identified> {
    return openPath(this, path, this.family, dialect);
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(this.ctor as typeof RepairCommand);
    const stored = flags.apply === undefined ? undefined : readPlan(flags.apply);
    const path = args.path ?? stored?.path;
    if (path === undefined)
      throw usageError('usage', 'what is to be repaired? PATH or --apply PLAN');
    const context = { ...this.reading(limitsOf(flags)), options: flags };
    const input = await this.open(path, stored?.dialect ?? flags.dialect);
    const formats = input.family.salvageFormats?.(input.dialect) ?? [];
    if (formats.length > 0) {
      const { salvageFile } = await import('./salvage.ts');
      const to = flags.to as SalvageFlags['to'];
      const report = await salvageFile(input, formats, { ...flags, to }, context);
      process.exitCode = report.damaged ? EXIT.damage : EXIT.ok;
      if (flags.json) this.printJson(report);
      else this.printText(report.text);
      return;
    }
    if (flags.to !== undefined) {
      throw usageError('usage', `--to: a ${input.dialect.id} file is repaired, see --out DIR`);
    }
    if (flags['in-place'] && input.dialect.wholeDirectory) {
      throw usageError('usage', 'such a store is written anew as a whole', 'give --out DIR');
    }
    const plan = stored ?? (await planRepair(input, { mend: flags.mend }, context));
    if (stored) await checkUnchanged(input, stored, context);

    if (flags['dry-run'] || flags.plan !== undefined) {
      const text = `${JSON.stringify(plan, null, 2)}\n`;
      if (flags.plan !== undefined) replaceFile(new RealDisk(), flags.plan, Buffer.from(text));
      if (flags.json || flags['dry-run']) this.printText(text);
      else
        this.printText(
          `plan written to ${flags.plan}; carry it out: ddia repair --apply ${flags.plan} --out DIR`,
        );
      return;
    }
    if (flags.out === undefined && !flags['in-place']) {
      const ways = input.dialect.wholeDirectory ? '--out DIR' : '--out DIR, or --in-place';
      throw usageError('usage', `where to? ${ways}`, '--dry-run shows the plan');
    }
    const report = await applyRepair(
      input,
      plan,
      {
        out: flags.out,
        inPlace: flags['in-place'],
        backup: flags.backup,
        quarantine: flags.quarantine,
        force: flags.force,
      },
      context,
    );
    process.exitCode = report.result.clean ? EXIT.ok : EXIT.damage;
    if (flags.json) this.printJson(report);
    else {
      const { repairText } = await import('../ui/repair-report.ts');
      this.printText(await repairText(report, flags.color));
    }
  }
}

function readPlan(file: string): RepairPlan {
  const text = readTextFile(file);
  let plan: Partial<RepairPlan>;
  try {
    plan = JSON.parse(text) as Partial<RepairPlan>;
  } catch {
    throw usageError('bad-plan', `${file} is no JSON`);
  }
  const { ddiaPlan, path, dialect, inputs, ledger } = plan;
  if (ddiaPlan !== 1 || typeof path !== 'string' || typeof dialect !== 'string') {
    throw usageError('bad-plan', `${file} is no repair plan of version 1`);
  }
  if (!Array.isArray(inputs) || !Array.isArray(ledger)) {
    throw usageError('bad-plan', `${file} lacks its inputs or its ledger`);
  }
  return plan as RepairPlan;
}
