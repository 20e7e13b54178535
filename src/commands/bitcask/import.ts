import { Args } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { fileBytesFlag, storeDialectFlag } from '../../cli/bitcask-engine.ts';
import { importLines } from '../../cli/bitcask-import.ts';
import { syncFlag } from '../../cli/sync-flag.ts';
import { count } from '../../ui/count.ts';

export default class BitcaskImport extends DdiaCommand {
  static override summary = 'put records from standard input into a store, one JSON object a line';
  static override description =
    'Takes what export, scan and dump print, of any layout: {"key":…,"value":…} or {"key":…,"deleted":true}, and ' +
    'what wal dump prints. Lines that come together share a sync. A bad line ends the command: what came before ' +
    'it is in the store, and said.';
  static override examples = [
    `echo '{"key":"a","value":"1"}' | <%= config.bin %> bitcask import /tmp/ddia-bitcask-import-1`,
    '<%= config.bin %> bitcask export fixtures/bitcask/riak/merged | <%= config.bin %> bitcask import /tmp/ddia-bitcask-import-2 --sync none',
  ];
  static override args = {
    dir: Args.string({
      ignoreStdin: true,
      description: 'directory of the store; made if it is not there',
      required: true,
    }),
  };
  static override flags = {
    sync: syncFlag({ description: 'when a record counts (v2; the textbook layouts always sync)' }),
    ...storeDialectFlag,
    ...fileBytesFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BitcaskImport);
    const result = await importLines(this, args.dir, {
      dialect: flags.dialect,
      sync: flags.sync,
      fileBytes: flags['file-bytes'],
    });
    if (flags.json) this.printJson(result);
    else
      this.printText(
        `${result.dir}: ${count(result.puts, 'put')}, ${count(result.deletions, 'deletion')}`,
      );
  }
}
