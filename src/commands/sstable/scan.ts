import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../../cli/base-command.ts';
import { bytesFlags, bytesFormatsOf, rangeFlags } from '../../cli/dump-command.ts';
import { openPath } from '../../cli/open.ts';
import { scanRange } from '../../cli/sstable-read.ts';

export default class SstableScan extends DdiaCommand {
  static override summary = 'entries of a range of keys, in order, from the index on';
  static override description =
    'Merges the tables of a directory. Reads only blocks that can hold the range, from its one end or, with ' +
    '--reverse, from the other. Every version of a key is shown, the newest first.';
  static override examples = [
    '<%= config.bin %> sstable scan fixtures/sstable/v1/clean/t.sst --from key0140 --reverse --limit 3',
    '<%= config.bin %> sstable scan fixtures/sstable/lsm-v1/clean --prefix key001 --json',
  ];
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'table, or directory of tables',
      required: true,
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    ...rangeFlags,
    reverse: Flags.boolean({ description: 'from the last key to the first' }),
    ...bytesFlags,
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(SstableScan);
    const input = await openPath(this, args.path, 'sstable', flags.dialect);
    process.exitCode = await scanRange(this, input, {
      from: flags.from,
      to: flags.to,
      prefix: flags.prefix,
      skip: flags.offset ?? 0,
      limit: flags.limit,
      reverse: flags.reverse,
      json: flags.json,
      formats: bytesFormatsOf(flags),
      limits: limitsOf(flags),
    });
  }
}
