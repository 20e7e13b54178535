import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { syncFlag } from '../../cli/sync-flag.ts';
import { count as nouns } from '../../ui/count.ts';

export default class BitcaskBench extends DdiaCommand {
  static override summary = 'measure puts, gets and opening of a store on the disk of a directory';
  static override description =
    'Makes a store in a new directory below DIR, puts and gets so many keys of 16 bytes in an order without ' +
    'locality, merges it, opens it again by its hints, and removes it.';
  static override examples = [
    '<%= config.bin %> bitcask bench /tmp --count 2000',
    '<%= config.bin %> bitcask bench /tmp --count 20000 --callers 16 --sync none --json',
  ];
  static override args = {
    dir: Args.string({
      ignoreStdin: true,
      description: 'directory to write below',
      required: true,
    }),
  };
  static override flags = {
    count: Flags.integer({ description: 'keys', default: 10_000, min: 1, max: 100_000_000 }),
    bytes: Flags.integer({ description: 'of a value', default: 100, min: 0, max: 16_000_000 }),
    callers: Flags.integer({
      description: 'puts under way at a time',
      default: 1,
      min: 1,
      max: 10_000,
    }),
    sync: syncFlag({ description: 'when a put counts' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BitcaskBench);
    const { benchStore } = await import('../../cli/bitcask-bench.ts');
    const { count, bytes, callers, sync } = flags;
    const result = await benchStore(args.dir, { count, bytes, callers, sync }, this.signal);
    if (flags.json) this.printJson(result);
    else {
      const { putsPerSecond, getsPerSecond, openSeconds, memoryPerKey } = result;
      this.printText(
        `${count} keys, values of ${bytes} bytes, ${nouns(callers, 'caller')}, sync ${sync}: ` +
          `${Math.round(putsPerSecond)} puts a second, ${Math.round(getsPerSecond)} gets a second, ` +
          `opened in ${openSeconds.toFixed(3)} s, ${memoryPerKey.toFixed(1)} bytes a key beyond the key`,
      );
    }
  }
}
