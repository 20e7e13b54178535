import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { readFilter, writeFilter } from '../../cli/bloom.ts';

export default class BloomUnion extends DdiaCommand {
  static override summary = 'what either of two Bloom filters has, as one filter';
  static override description = 'Only of equal bits and probes: others have no union.';
  static override examples = [
    '<%= config.bin %> bloom union fixtures/bloom/v1/filter.bin fixtures/bloom/v1/filter.bin --out /tmp/ddia-bloom-5',
    '<%= config.bin %> bloom union fixtures/bloom/v1/filter.bin fixtures/bloom/v1/filter.bin --out /tmp/ddia-bloom-6 --json',
  ];
  static override args = {
    a: Args.string({ ignoreStdin: true, description: 'filter', required: true }),
    b: Args.string({ ignoreStdin: true, description: 'filter', required: true }),
  };
  static override flags = {
    out: Flags.string({ description: 'file to make', required: true }),
    force: Flags.boolean({ description: 'replace what is there' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BloomUnion);
    const union = readFilter(args.a).union(readFilter(args.b));
    writeFilter(flags.out, union, flags.force);
    const { count, estimatedCount, density } = union.stat();
    if (flags.json) this.printJson({ file: flags.out, count, estimatedCount, density });
    else
      this.printText(`${flags.out}: about ${estimatedCount} items, ${count} were added to the two`);
  }
}
