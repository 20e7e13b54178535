import { Args } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { eachItem, readFilter } from '../../cli/bloom.ts';
import { EXIT } from '../../shared/errors.ts';

export default class BloomHas extends DdiaCommand {
  static override summary = 'ask a Bloom filter for items: those given, or the lines of input';
  static override description =
    'no is certain, maybe is likely: see the rate in bloom stat. Ends with 0 when all may be there, with 1 when one is not.';
  static override examples = [
    '<%= config.bin %> bloom has fixtures/bloom/v1/filter.bin item-0 item-1',
    '<%= config.bin %> bloom has fixtures/bloom/v1/filter.bin no-0 --json',
  ];
  static override usage = 'bloom has FILE [ITEM…] [--json] [--color]';
  static override strict = false;
  static override args = {
    file: Args.string({
      ignoreStdin: true,
      description: 'filter; what follows it are items, or lines of input where nothing does',
      required: true,
    }),
  };

  async run(): Promise<void> {
    const { args, argv, flags } = await this.parseFor(BloomHas);
    const filter = readFilter(args.file);
    let all = true;
    await eachItem((argv as string[]).slice(1), this.signal, (item, text) => {
      const mayContain = filter.has(item);
      if (!mayContain) all = false;
      const line = flags.json
        ? JSON.stringify({ item: text, mayContain })
        : `${mayContain ? 'maybe' : 'no'}\t${text}`;
      this.out.text(`${line}\n`);
    });
    this.out.flush();
    process.exitCode = all ? EXIT.ok : EXIT.damage;
  }
}
