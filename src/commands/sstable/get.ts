import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../../cli/base-command.ts';
import { bytesFlags, bytesFormatsOf } from '../../cli/dump-command.ts';
import { openPath } from '../../cli/open.ts';
import { getEntry } from '../../cli/sstable-read.ts';
import { EXIT } from '../../shared/errors.ts';

export default class SstableGet extends DdiaCommand {
  static override summary = 'the newest entry of a key, by filter and index';
  static override description =
    'Of several tables the entry with the highest sequence number wins, then the latest timestamp, then the table ' +
    'with the higher number. Ends with 1 if there is none, or if it is a deletion.';
  static override examples = [
    '<%= config.bin %> sstable get fixtures/sstable/v1/clean/t.sst key0003',
    '<%= config.bin %> sstable get fixtures/sstable/lsm-v1/clean key0003 --json',
  ];
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'table, or directory of tables',
      required: true,
    }),
    key: Args.string({
      ignoreStdin: true,
      description: 'key; hex:… and base64:… are understood',
      required: true,
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    all: Flags.boolean({ description: 'every entry of the key, the newest of each table first' }),
    ...bytesFlags,
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(SstableGet);
    const input = await openPath(this, args.path, 'sstable', flags.dialect);
    const found = await getEntry(this, input, args.key, {
      all: flags.all,
      json: flags.json,
      formats: bytesFormatsOf(flags),
      limits: limitsOf(flags),
    });
    process.exitCode = found ? EXIT.ok : EXIT.damage;
  }
}
