import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { syncFlag } from '../../cli/sync-flag.ts';
import { count as nouns } from '../../ui/count.ts';

export default class WalBench extends DdiaCommand {
  static override summary = 'measure appends to a log on the disk of a directory';
  static override description =
    'Writes a log into a new directory below DIR, appends with so many concurrent callers, and removes it.';
  static override examples = [
    '<%= config.bin %> wal bench /tmp --count 2000',
    '<%= config.bin %> wal bench /tmp --count 20000 --callers 16 --sync none --json',
  ];
  static override args = {
    dir: Args.string({
      ignoreStdin: true,
      description: 'directory to write below',
      required: true,
    }),
  };
  static override flags = {
    count: Flags.integer({ description: 'appends', default: 10_000, min: 1, max: 100_000_000 }),
    bytes: Flags.integer({
      description: 'key and value of a record',
      default: 100,
      min: 16,
      max: 16_000_000,
    }),
    callers: Flags.integer({
      description: 'appends under way at a time',
      default: 1,
      min: 1,
      max: 10_000,
    }),
    sync: syncFlag({ description: 'when an append counts' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(WalBench);
    const { benchAppends } = await import('../../cli/wal-bench.ts');
    const { count, bytes, callers, sync } = flags;
    const result = await benchAppends(args.dir, { count, bytes, callers, sync }, this.signal);
    if (flags.json) this.printJson(result);
    else {
      const { perSecond, seconds, megabytesPerSecond } = result;
      this.printText(
        `${count} appends of ${bytes} bytes by ${nouns(callers, 'caller')}, sync ${sync}: ` +
          `${Math.round(perSecond)} a second, ${megabytesPerSecond.toFixed(1)} MB/s, ${seconds.toFixed(3)} s`,
      );
    }
  }
}
