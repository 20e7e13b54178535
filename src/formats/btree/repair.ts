/** Repair of the family: a dialect's own, or none: then rows are salvaged to another format. */
import { DdiaError } from '../../shared/errors.ts';
import type { RepairOutput, RepairPlan } from '../format.ts';
import type { BtreeContext, BtreeFile, BtreeOpened } from './model.ts';
import { V1File } from './v1/file.ts';
import { applyV1, type PlanBody, planV1 } from './v1/repair.ts';
import { V2File } from './v2/file.ts';
import { applyV2, planV2 } from './v2/repair.ts';

export async function planTreeRepair(
  input: BtreeOpened,
  context: BtreeContext,
): Promise<Omit<RepairPlan, 'inputs'>> {
  const body = await withOurs<PlanBody>(input, context, (file) =>
    file instanceof V2File ? planV2(file, context) : planV1(file, context),
  );
  const { set, dialect } = input;
  return { ddiaPlan: 1, path: set.path, family: 'btree', dialect: dialect.id, ...body };
}

export async function applyTreeRepair(
  input: BtreeOpened,
  plan: RepairPlan,
  context: BtreeContext,
  output: RepairOutput,
): Promise<void> {
  await withOurs(input, context, (file) =>
    file instanceof V2File
      ? applyV2(file, plan, context, output)
      : applyV1(file, plan, context, output),
  );
}

async function withOurs<T>(
  input: BtreeOpened,
  context: BtreeContext,
  use: (file: V1File | V2File) => Promise<T>,
): Promise<T> {
  const source = input.set.open(input.files[0]!.name);
  let file: BtreeFile | undefined;
  try {
    file = await input.dialect.open(input, source, context);
    if (!(file instanceof V1File || file instanceof V2File)) throw notInPlace(input);
    return await use(file);
  } finally {
    if (file) file.close();
    else source.close?.();
  }
}

function notInPlace({ set, dialect }: BtreeOpened): DdiaError {
  return new DdiaError(
    'not-repairable',
    `${set.path}: a ${dialect.id} file is not edited: its rows are written to another file`,
    `ddia btree repair ${set.path} --out FILE --to ndjson`,
  );
}
