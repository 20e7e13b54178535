import { Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { dialectFlag, pageSizeFlag, storeArg } from '../../cli/btree-engine.ts';
import { importLines } from '../../cli/btree-import.ts';
import { syncFlag } from '../../cli/sync-flag.ts';
import { count } from '../../ui/count.ts';

export default class BtreeImport extends DdiaCommand {
  static override summary = 'put records from standard input into a B+tree, one JSON object a line';
  static override description =
    'Takes what scan --json prints: {"key":…,"value":…}, or {"key":…,"deleted":true}. Lines that come together ' +
    'are one transaction. A bad line ends the command: of its transaction nothing is written. A new store is ' +
    'written front to back, pages full, and is there when all of it is. From the first key that does not ascend ' +
    'on, lines are put into it one by one; one of layout v1 is then written anew: the file is the same.';
  static override examples = [
    `echo '{"key":"a","value":"1"}' | <%= config.bin %> btree import /tmp/ddia-btree-import-1`,
    '<%= config.bin %> btree scan fixtures/btree/v1/clean --json | <%= config.bin %> btree import /tmp/ddia-btree-import-2 --sync none --json',
    '<%= config.bin %> btree scan fixtures/btree/v1/clean --json | <%= config.bin %> btree import /tmp/ddia-btree-import-3 --dialect v1 --page-size 1024 --max-keys 16 --free-pages 4',
  ];
  static override args = { dir: storeArg };
  static override flags = {
    sync: syncFlag({ description: 'when a transaction counts' }),
    ...dialectFlag,
    ...pageSizeFlag,
    'max-keys': Flags.integer({
      description: 'a new store of v1: keys in a page, at most',
      min: 2,
    }),
    'free-pages': Flags.integer({
      description: 'a new store of v1: pages on the free list, for inserts to come',
      min: 0,
      max: 1_000_000,
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BtreeImport);
    const { sync, dialect, 'page-size': pageSize } = flags;
    const shape = { keysMax: flags['max-keys'], freePages: flags['free-pages'] };
    const options = { sync, dialect, pageSize };
    const result = await importLines(args.dir, options, shape, this.signal);
    if (flags.json) this.printJson(result);
    else {
      const { dir, puts, deletions, keys } = result;
      const done = `${count(puts, 'put')}, ${count(deletions, 'deletion')}`;
      this.printText(`${dir}: ${done}, ${count(keys, 'key')} now`);
    }
  }
}
