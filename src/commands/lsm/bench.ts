import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { strategyFlag } from '../../cli/lsm-store.ts';
import { syncFlag } from '../../cli/sync-flag.ts';
import { count as nouns } from '../../ui/count.ts';

export default class LsmBench extends DdiaCommand {
  static override summary =
    'measure puts, gets and a scan of an LSM store on the disk of a directory';
  static override description =
    'Makes a store in a new directory below DIR, puts so many keys of 16 bytes in an order without locality, flushes, ' +
    'opens it again, gets them all and as many that are not there, scans it, and removes it.';
  static override examples = [
    '<%= config.bin %> lsm bench /tmp --count 2000 --sync none',
    '<%= config.bin %> lsm bench /tmp --count 20000 --callers 100 --strategy size-tiered --json',
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
    ...strategyFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmBench);
    const { benchLsm } = await import('../../cli/lsm-bench.ts');
    const { count, bytes, callers, sync, strategy } = flags;
    const options = { count, bytes, callers, sync, strategy };
    const result = await benchLsm(args.dir, options, this.signal);
    if (flags.json) {
      this.printJson(result);
      return;
    }
    const { putsPerSecond, getsPerSecond, missesPerSecond, scannedPerSecond } = result;
    this.printText(
      `${count} keys, values of ${bytes} bytes, ${nouns(callers, 'caller')}, sync ${sync}, ${strategy}: ` +
        `${Math.round(putsPerSecond)} puts a second, ${Math.round(getsPerSecond)} gets, ` +
        `${Math.round(missesPerSecond)} gets of what is not there, ` +
        `${Math.round(scannedPerSecond)} scanned; ${nouns(result.tables, 'table')}, ${result.tableBytes} bytes, ` +
        `${result.writeAmplification} bytes written for each`,
    );
  }
}
