import { Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { bound, bytesFlags, bytesFormatsOf, rangeFlags } from '../../cli/dump-command.ts';
import {
  contextOf,
  familyFlag,
  familyGiven,
  openGiven,
  readingFlags,
} from '../../cli/lsm-command.ts';
import { printContent } from '../../cli/lsm-read.ts';
import { storeArg } from '../../cli/lsm-store.ts';
import { narrower, prefixRange } from '../../formats/sstable/range.ts';

export default class LsmScan extends DdiaCommand {
  static override summary = 'print the keys and values of an LSM store, in the order of the keys';
  static override description =
    'Of a store of ours, of LevelDB or of RocksDB; nothing in the directory is touched. Logs that were not flushed ' +
    'are replayed in memory and merged with the tables by sequence number; deletions and range deletions are ' +
    'applied. Merge operands are shown as they are, the newest first. Damage is read past and told on stderr: ' +
    'what is printed then can be older than what is lost, and it ends with 1. With --json, what it prints is what ' +
    'import takes.';
  static override examples = [
    `<%= config.bin %> lsm put /tmp/ddia-lsm-scan-1 a 1 && <%= config.bin %> lsm scan /tmp/ddia-lsm-scan-1 --reverse`,
    '<%= config.bin %> lsm scan fixtures/database/rocksdb --column-family users --limit 5',
    '<%= config.bin %> lsm scan fixtures/database/leveldb --prefix user:0001 --json',
  ];
  static override args = { dir: storeArg };
  static override flags = {
    'column-family': familyFlag,
    ...rangeFlags,
    reverse: Flags.boolean({ description: 'from the last key to the first' }),
    ...bytesFlags,
    ...readingFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmScan);
    const context = contextOf(this, flags);
    const database = await openGiven(args.dir, flags, context);
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
    const family = familyGiven(database, flags);
    const { exit } = await printContent(this, database, family, options, context, shown);
    process.exitCode = exit;
  }
}
