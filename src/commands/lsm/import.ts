import { DdiaCommand } from '../../cli/base-command.ts';
import { importEntries, storeArg, strategyFlag } from '../../cli/lsm-store.ts';
import { syncFlag } from '../../cli/sync-flag.ts';
import { count } from '../../ui/count.ts';

export default class LsmImport extends DdiaCommand {
  static override summary =
    'put entries from standard input into an LSM store, one JSON object a line';
  static override description =
    'Takes what lsm scan, sstable dump and bitcask scan print: {"key":…,"value":…}, {"op":"delete","key":…}, ' +
    '{"op":"delete-range","key":…,"value":…}. Lines that come together share a sync. A bad line ends the command: ' +
    'nothing behind it is put in, and the message says how many records before it are in the store.';
  static override examples = [
    `echo '{"key":"a","value":"1"}' | <%= config.bin %> lsm import /tmp/ddia-lsm-import-1`,
    '<%= config.bin %> sstable dump fixtures/sstable/v1/clean/t.sst --json | <%= config.bin %> lsm import /tmp/ddia-lsm-import-2 --sync none',
  ];
  static override args = { dir: storeArg };
  static override flags = {
    sync: syncFlag({ description: 'when an entry counts' }),
    ...strategyFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmImport);
    const { sync, strategy } = flags;
    const result = await importEntries(this, args.dir, { sync, strategy });
    if (flags.json) this.printJson(result);
    else {
      const { dir, puts, deletions } = result;
      this.printText(`${dir}: ${count(puts, 'put')}, ${count(deletions, 'deletion')}`);
    }
  }
}
