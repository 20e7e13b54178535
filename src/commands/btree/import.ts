import { DdiaCommand } from '../../cli/base-command.ts';
import { importLines, pageSizeFlag, storeArg } from '../../cli/btree-engine.ts';
import { syncFlag } from '../../cli/sync-flag.ts';
import { count } from '../../ui/count.ts';

export default class BtreeImport extends DdiaCommand {
  static override summary = 'put records from standard input into a B+tree, one JSON object a line';
  static override description =
    'Takes what scan --json prints: {"key":…,"value":…}, or {"key":…,"deleted":true}. Lines that come together ' +
    'are one transaction. A bad line ends the command: of its transaction nothing is written.';
  static override examples = [
    `echo '{"key":"a","value":"1"}' | <%= config.bin %> btree import /tmp/ddia-btree-import-1`,
    '<%= config.bin %> btree scan fixtures/btree/v1/clean --json | <%= config.bin %> btree import /tmp/ddia-btree-import-2 --sync none --json',
  ];
  static override args = { dir: storeArg };
  static override flags = {
    sync: syncFlag({ description: 'when a transaction counts' }),
    ...pageSizeFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BtreeImport);
    const { sync } = flags;
    const pageSize = flags['page-size'];
    const options = { sync, ...(pageSize !== undefined && { pageSize }) };
    const result = await importLines(args.dir, options, this.signal);
    if (flags.json) this.printJson(result);
    else {
      const { dir, puts, deletions, keys } = result;
      const done = `${count(puts, 'put')}, ${count(deletions, 'deletion')}`;
      this.printText(`${dir}: ${done}, ${count(keys, 'key')} now`);
    }
  }
}
