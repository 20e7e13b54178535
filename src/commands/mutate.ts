import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../cli/base-command.ts';
import { mutateFile } from '../cli/mutate-file.ts';
import { parseStep } from '../cli/mutation-flags.ts';
import { usageError } from '../shared/errors.ts';
import { mutateText } from '../ui/mutate-report.ts';

/** One of the flags that stand for mutations: as often as one likes, in any order. */
function mutation(description: string, helpValue: string) {
  return Flags.string({
    description,
    helpValue,
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'MUTATION',
  });
}

const mutationFlags = {
  flip: mutation('flip a bit, 0 the lowest (a random one if it is left out)', '<offset[:bit]>'),
  zero: mutation('overwrite with zeros', '<offset:length>'),
  truncate: mutation('cut the file to this size', '<size>'),
  'swap-pages': mutation('exchange two pages, counted from 0', '<page:page>'),
  garbage: mutation('overwrite with random bytes', '<offset:length>'),
  duplicate: mutation('repeat a span right after itself', '<offset:length>'),
  insert: mutation('insert bytes', '<offset:hex>'),
  random: mutation('so many mutations that chance chooses, of these kinds', '<count[:kind,…]>'),
};

const EXAMPLE = '<%= config.bin %> mutate fixtures/wal/v1/clean/000001.wal';

export default class Mutate extends DdiaCommand {
  static override summary = 'make a damaged copy of a file, to rehearse on';
  static override description =
    'Mutations are done in the order in which they are given; offsets count in the file as it ' +
    'is by then. The same seed gives the same damage. The input is never changed; the copy ' +
    'appears whole or not at all.';
  static override examples = [
    `${EXAMPLE} --flip 250:3 --out /tmp/flipped.wal --force`,
    `${EXAMPLE} --zero 100:64 --truncate 400 --out /tmp/torn.wal --force`,
    `${EXAMPLE} --random 3:flip,garbage --seed 7 --out /tmp/random.wal --force --json`,
  ];
  static override args = {
    path: Args.string({ ignoreStdin: true, description: 'a file', required: true }),
  };
  static override flags = {
    ...mutationFlags,
    'page-size': Flags.integer({ description: 'bytes of a page', min: 1, helpGroup: 'MUTATION' }),
    seed: Flags.string({ description: 'what chance begins with: an integer', default: '1' }),
    out: Flags.string({ description: 'where the damaged copy goes', required: true }),
    force: Flags.boolean({ description: 'replace what is there' }),
  };

  async run(): Promise<void> {
    const { args, flags, raw } = await this.parseFor(Mutate);
    if (!/^-?\d+$/.test(flags.seed)) {
      throw usageError('bad-seed', `--seed ${flags.seed} is no integer`);
    }
    // By flag, the values lose the order of the command line.
    const steps = raw.flatMap((token) =>
      token.type === 'flag' && token.flag in mutationFlags
        ? [parseStep(token.flag, token.input, flags['page-size'])]
        : [],
    );
    if (steps.length === 0) {
      const names = Object.keys(mutationFlags).map((name) => `--${name}`);
      throw usageError('usage', 'no mutation is given', `one or more of ${names.join(', ')}`);
    }
    const result = await mutateFile(args.path, flags.out, steps, {
      seed: BigInt(flags.seed),
      pageSize: flags['page-size'],
      force: flags.force,
      signal: this.signal,
      progress: this.progress.update,
    });
    if (flags.json) this.printJson(result);
    else this.printText(await mutateText(result, flags.color));
  }
}
