import { Args } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { readFilter } from '../../cli/bloom.ts';

export default class BloomStat extends DdiaCommand {
  static override summary = 'parameters, density and rates of a Bloom filter';
  static override examples = [
    '<%= config.bin %> bloom stat fixtures/bloom/v1/filter.bin',
    '<%= config.bin %> bloom stat fixtures/bloom/v1/filter.bin --json',
  ];
  static override args = {
    file: Args.string({ ignoreStdin: true, description: 'filter', required: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BloomStat);
    const stat = { file: args.file, ...readFilter(args.file).stat() };
    if (flags.json) this.printJson(stat);
    else {
      const { statText } = await import('../../ui/stat-report.ts');
      this.printText(await statText(stat, flags.color));
    }
  }
}
