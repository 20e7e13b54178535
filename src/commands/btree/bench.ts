import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { dialectFlag } from '../../cli/btree-engine.ts';
import { syncFlag } from '../../cli/sync-flag.ts';

export default class BtreeBench extends DdiaCommand {
  static override summary = 'measure puts, gets and a scan of a B+tree on the disk of a directory';
  static override description =
    'Makes a store in a new directory below DIR, puts and gets so many keys of 16 bytes in an order without ' +
    'locality, scans it, and removes it.';
  static override examples = [
    '<%= config.bin %> btree bench /tmp --count 2000',
    '<%= config.bin %> btree bench /tmp --count 20000 --batch 100 --sync none --json',
    '<%= config.bin %> btree bench /tmp --count 20000 --sync none --dialect v1',
  ];
  static override args = {
    dir: Args.string({
      ignoreStdin: true,
      description: 'directory to write below',
      required: true,
    }),
  };
  static override flags = {
    ...dialectFlag,
    count: Flags.integer({ description: 'keys', default: 10_000, min: 1, max: 100_000_000 }),
    bytes: Flags.integer({ description: 'of a value', default: 100, min: 0, max: 16_000_000 }),
    batch: Flags.integer({
      description: 'puts in a transaction',
      default: 100,
      min: 1,
      max: 1_000_000,
    }),
    sync: syncFlag({ description: 'when a transaction counts' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BtreeBench);
    const { benchBtree } = await import('../../cli/btree-bench.ts');
    const { dialect = 'v2', count, bytes, batch, sync } = flags;
    const result = await benchBtree(args.dir, { dialect, count, bytes, batch, sync }, this.signal);
    if (flags.json) this.printJson(result);
    else {
      const { putsPerSecond, getsPerSecond, scannedPerSecond, height, fileBytes } = result;
      this.printText(
        `${count} keys, values of ${bytes} bytes, ${batch} a transaction, sync ${sync}: ` +
          `${Math.round(putsPerSecond)} puts a second, ${Math.round(getsPerSecond)} gets, ` +
          `${Math.round(scannedPerSecond)} scanned; height ${height}, ${fileBytes} bytes, ` +
          `${result.pagesWrittenPerPut.toFixed(2)} pages written a put`,
      );
    }
  }
}
