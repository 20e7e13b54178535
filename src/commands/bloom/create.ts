import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { eachItem, writeFilter } from '../../cli/bloom.ts';
import { BloomFilter } from '../../engines/bloom/plain.ts';

export default class BloomCreate extends DdiaCommand {
  static override summary = 'make a Bloom filter for so many items at a rate, from lines of input';
  static override description =
    'Bits and probes are the best ones for --items and --rate. Each line of standard input is an item; nothing is ' +
    'read with --empty.';
  static override examples = [
    'seq 1000 | <%= config.bin %> bloom create /tmp/ddia-bloom-1 --items 1000 --rate 0.01',
    '<%= config.bin %> bloom create /tmp/ddia-bloom-2 --items 50 --empty --json',
  ];
  static override args = {
    file: Args.string({ ignoreStdin: true, description: 'file to make', required: true }),
  };
  static override flags = {
    items: Flags.integer({ description: 'how many items it is for', required: true, min: 1 }),
    rate: Flags.string({ description: 'false-positive rate with that many', default: '0.01' }),
    empty: Flags.boolean({ description: 'with nothing in it' }),
    force: Flags.boolean({ description: 'replace what is there' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BloomCreate);
    const filter = BloomFilter.for(flags.items, Number(flags.rate));
    if (!flags.empty) await eachItem([], this.signal, (item) => filter.add(item));
    writeFilter(args.file, filter, flags.force);
    const { bits, probes, count, bytes } = filter.stat();
    if (flags.json) this.printJson({ file: args.file, bits, probes, count, bytes });
    else
      this.printText(
        `${args.file}: ${count} items, ${bits} bits, ${probes} probes, ${bytes} bytes`,
      );
  }
}
