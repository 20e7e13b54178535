/** The plan for hint files built from data files that stay as they are. */

import { DdiaError } from '../../shared/errors.ts';
import type { LedgerSpan, RepairPlan } from '../format.ts';
import { hintNameOf, storeFiles } from './files.ts';
import type { BitcaskOpened, BitcaskScanContext } from './model.ts';
import { checkStore } from './verify.ts';

export interface HintBuildPlan {
  plan: Omit<RepairPlan, 'inputs'>;
  /** Names of the hint files. */
  built: string[];
  /** Damaged places in the data. */
  damage: number;
}

/** `all`: those that are right too, and that of the last data file. */
export async function planHintBuild(
  input: BitcaskOpened,
  { all }: { all: boolean },
  context: BitcaskScanContext,
): Promise<HintBuildPlan> {
  const { dialect, set, files } = input;
  const { data, hints } = storeFiles(input);
  if (!dialect.encoder) {
    throw new DdiaError('not-writable', `dialect ${dialect.id} is read, not written`);
  }
  if (!set.isDirectory) {
    throw new DdiaError('not-a-directory', `${set.path}: hint files are built in a directory`);
  }
  let damage = 0;
  const { badHints } = await checkStore(
    input,
    context,
    {
      record() {},
      damage() {
        damage++;
      },
    },
    true,
  );
  const built: string[] = [];
  for (const [index, file] of data.entries()) {
    const sealed = index < data.length - 1;
    const wrong = file.hint ? badHints.has(file.hint.name) : sealed;
    if (all || wrong) built.push(hintNameOf(dialect, file));
  }
  const ledger = files.map(
    ({ name, size = 0 }): LedgerSpan => ({
      ...{ file: name, offset: 0, length: size },
      ...{ fate: 'kept', records: 0 },
    }),
  );
  const names = new Set([
    ...files.map(({ name }) => name),
    ...(dialect.companions ?? []),
    // Whoever writes the whole store anew gives the last file a hint as well.
    ...data.map((file) => hintNameOf(dialect, file)),
  ]);
  const plan = {
    ddiaPlan: 1 as const,
    path: set.path,
    family: 'bitcask',
    dialect: dialect.id,
    ledger,
    // Where records are bound to their places, what names the hints is written with them.
    rewrite: dialect.identity && built.length > 0 ? [...names] : built,
    remove: hints.map(({ name }) => name).filter((name) => built.includes(name)),
    findings: [],
    counts: {},
    consequences: [],
  };
  return { plan, built, damage };
}
