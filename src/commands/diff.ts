import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../cli/base-command.ts';
import { diffStores } from '../cli/diff-stores.ts';
import { openPath } from '../cli/open.ts';
import { isEqual } from '../formats/diff/compare.ts';
import { EXIT, usageError } from '../shared/errors.ts';
import { colors } from '../ui/color.ts';
import { DamageReport } from '../ui/damage-report.ts';
import { DiffJson, DiffText } from '../ui/diff-report.ts';

export default class Diff extends DdiaCommand {
  static override summary = 'compare two stores by content, whatever their dialects';
  static override description =
    'Compares the operations of two logs in order, or with --state what they leave: the last ' +
    'value of each key, which is what is compared of stores. Ends with 0 when they are equal, with 1 when they differ or when ' +
    'either is damaged: then only what could be read was compared.';
  static override examples = [
    '<%= config.bin %> diff fixtures/wal/v1/clean fixtures/wal/v1/spliced',
    '<%= config.bin %> diff fixtures/wal/v1/clean fixtures/wal/v1/bad-crc --state',
    '<%= config.bin %> diff fixtures/wal/v1/clean fixtures/wal/v1/torn-tail --with-seq --json',
    '<%= config.bin %> diff fixtures/bitcask/hash-v1/clean fixtures/bitcask/hash-v1/merged-with-hint',
  ];
  static override args = {
    a: Args.string({
      ignoreStdin: true,
      description: 'file, directory of segments, or -',
      required: true,
    }),
    b: Args.string({ ignoreStdin: true, description: 'the same', required: true }),
  };
  static override flags = {
    state: Flags.boolean({ description: 'compare the last value of each key' }),
    'with-seq': Flags.boolean({
      description: 'sequence numbers must be the same too',
      exclusive: ['state'],
    }),
    marks: Flags.boolean({
      description:
        'commits and checkpoints must be the same too (default: if both dialects are one)',
      allowNo: true,
    }),
    limit: Flags.integer({
      description: 'list so many differences; all are counted [default: 20; all with --json]',
      min: 0,
    }),
    'dialect-a': Flags.string({ description: 'take A for this dialect' }),
    'dialect-b': Flags.string({ description: 'take B for this dialect' }),
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(Diff);
    if (args.a === '-' && args.b === '-') {
      throw usageError('usage', 'standard input can be one of the two, not both');
    }
    const a = await openPath(this, args.a, undefined, flags['dialect-a']);
    const b = await openPath(this, args.b, undefined, flags['dialect-b']);
    const report = flags.json
      ? new DiffJson(this.out, flags.limit ?? Number.POSITIVE_INFINITY)
      : new DiffText(this.out, await colors(flags.color), flags.limit ?? 20);
    const damage = new DamageReport(this.out, flags['max-findings']);
    const result = await diffStores(
      a,
      b,
      { state: flags.state, withSeq: flags['with-seq'], marks: flags.marks },
      { ...this.reading(limitsOf(flags)), now: Date.now() },
      (difference) => report.difference(difference),
      (side, finding) => damage.tell(finding, `${side}: `),
    );
    this.progress.end();
    const { damageA, damageB, counts, byState } = result;
    const equal = isEqual(counts);
    report.summary({ equal, counts, damageA, damageB, unit: byState ? 'keys' : 'operations' });
    this.#notes(result);
    if (!equal || damage.count > 0) process.exitCode = EXIT.damage;
  }

  /** What the comparison leaves open. */
  #notes(result: Awaited<ReturnType<typeof diffStores>>): void {
    const { damageA, damageB, marksLeftOut, unfolded } = result;
    const note = (text: string) => process.stderr.write(`warning: ${text}\n`);
    if (damageA + damageB > 0) {
      note(`damaged places: ${damageA} in A, ${damageB} in B; compared is what could be read`);
    }
    if (marksLeftOut > 0) {
      note('commits and checkpoints are left out; --marks compares them too');
    }
    const others = Object.entries(unfolded).map(([op, count]) => `${count} ${op}`);
    if (others.length > 0) note(`left out, as they set no single key: ${others.join(', ')}`);
  }
}
