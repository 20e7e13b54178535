import { Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { compareFilters } from '../../engines/bloom/compare.ts';
import { usageError } from '../../shared/errors.ts';

export default class BloomCompare extends DdiaCommand {
  static override summary = 'plain, blocked, counting, scalable and cuckoo filters side by side';
  static override description =
    'Fills each with the same items and asks for others: bits for each item, the rate by theory and the one measured.';
  static override examples = [
    '<%= config.bin %> bloom compare --items 2000',
    '<%= config.bin %> bloom compare --items 1000 --rate 0.001 --json',
  ];
  static override flags = {
    items: Flags.integer({
      description: 'how many items',
      default: 10_000,
      min: 1,
      max: 10_000_000,
    }),
    rate: Flags.string({ description: 'false-positive rate that is asked for', default: '0.01' }),
    probes: Flags.integer({
      description: 'how many others are asked for',
      default: 20_000,
      min: 1,
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parseFor(BloomCompare);
    const rate = Number(flags.rate);
    if (!(rate > 0 && rate < 1))
      throw usageError('bad-parameters', `--rate lies between 0 and 1, not at ${flags.rate}`);
    const filters = compareFilters(flags.items, rate, flags.probes);
    if (flags.json) {
      this.printJson({ items: flags.items, rate, probes: flags.probes, filters });
      return;
    }
    const rounded = filters.map(({ bitsPerItem, expected, measured, ...rest }) => ({
      ...rest,
      bitsPerItem: bitsPerItem.toFixed(2),
      expected: expected.toFixed(5),
      measured: measured.toFixed(5),
    }));
    const { statText } = await import('../../ui/stat-report.ts');
    this.printText(await statText({ items: flags.items, rate, filters: rounded }, flags.color));
  }
}
