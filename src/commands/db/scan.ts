import { Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import {
  contextOf,
  databaseArg,
  databaseFlags,
  familyFlag,
  openGiven,
} from '../../cli/db-command.ts';
import { printContent } from '../../cli/db-read.ts';
import { bound, bytesFlags, bytesFormatsOf, rangeFlags } from '../../cli/dump-command.ts';
import { narrower, prefixRange } from '../../formats/sstable/range.ts';

export default class DbScan extends DdiaCommand {
  static override summary = 'live content of a LevelDB or RocksDB directory, by key';
  static override description =
    'Logs that were not flushed are replayed in memory and merged with the tables by sequence number; deletions ' +
    'and range deletions are applied. Merge operands are shown as they are, the newest first. Nothing in the ' +
    'directory is touched, and no lock is taken.';
  static override examples = [
    '<%= config.bin %> db scan fixtures/database/rocksdb --column-family users --limit 5',
    '<%= config.bin %> db scan fixtures/database/leveldb --prefix user:0001 --reverse --json',
  ];
  static override args = databaseArg;
  static override flags = {
    'column-family': familyFlag,
    ...rangeFlags,
    reverse: Flags.boolean({ description: 'last key first' }),
    ...bytesFlags,
    ...databaseFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(DbScan);
    const context = contextOf(this, flags);
    const database = await openGiven(args.path, flags, context);
    const given = { from: bound(flags.from), to: bound(flags.to) };
    const prefix = bound(flags.prefix);
    const range = prefix ? narrower(given, prefixRange(prefix)) : given;
    const { reverse, limit, offset: skip } = flags;
    const shown = {
      json: flags.json,
      formats: bytesFormatsOf(flags),
      findings: flags['max-findings'],
    };
    const options = { range, reverse, limit, skip };
    const family = flags['column-family'];
    const { exit } = await printContent(this, database, family, options, context, shown);
    process.exitCode = exit;
  }
}
