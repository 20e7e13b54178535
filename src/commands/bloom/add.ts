import { Args } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { eachItem, readFilter, writeFilter } from '../../cli/bloom.ts';

export default class BloomAdd extends DdiaCommand {
  static override summary = 'add items to a Bloom filter: those given, or the lines of input';
  static override description = 'The file is replaced as a whole.';
  static override examples = [
    '<%= config.bin %> bloom create /tmp/ddia-bloom-3 --items 50 --empty && <%= config.bin %> bloom add /tmp/ddia-bloom-3 apple pear',
    '<%= config.bin %> bloom create /tmp/ddia-bloom-4 --items 50 --empty && seq 10 | <%= config.bin %> bloom add /tmp/ddia-bloom-4 --json',
  ];
  static override usage = 'bloom add FILE [ITEM…] [--json] [--color]';
  static override strict = false;
  static override args = {
    file: Args.string({
      ignoreStdin: true,
      description: 'filter; what follows it are items, or lines of input where nothing does',
      required: true,
    }),
  };

  async run(): Promise<void> {
    const { args, argv, flags } = await this.parseFor(BloomAdd);
    const filter = readFilter(args.file);
    let added = 0;
    let known = 0;
    await eachItem((argv as string[]).slice(1), this.signal, (item) => {
      if (filter.add(item)) added++;
      else known++;
    });
    writeFilter(args.file, filter, true);
    const { count } = filter;
    if (flags.json) this.printJson({ file: args.file, added, known, count });
    else
      this.printText(`${args.file}: ${added} added, ${known} seemed to be there; ${count} in all`);
  }
}
