import { Args } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { parseBytes } from '../../cli/bytes-argument.ts';
import {
  contextOf,
  databaseArg,
  databaseFlags,
  familyFlag,
  openGiven,
} from '../../cli/db-command.ts';
import { printContent } from '../../cli/db-read.ts';
import { bytesFlags, bytesFormatsOf } from '../../cli/dump-command.ts';
import { keyRange } from '../../formats/sstable/range.ts';
import { EXIT } from '../../shared/errors.ts';

export default class DbGet extends DdiaCommand {
  static override summary = 'what a key of a LevelDB or RocksDB directory holds';
  static override description =
    'Looks into the logs, and into the tables whose range and filter can have the key. Ends with 1 if there is none.';
  static override examples = [
    '<%= config.bin %> db get fixtures/database/rocksdb k1 --column-family users',
    '<%= config.bin %> db get fixtures/database/leveldb hex:00fffe --value-format size',
  ];
  static override args = {
    ...databaseArg,
    key: Args.string({
      ignoreStdin: true,
      description: 'key; hex:… and base64:… are understood',
      required: true,
    }),
  };
  static override flags = { 'column-family': familyFlag, ...bytesFlags, ...databaseFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(DbGet);
    const context = contextOf(this, flags);
    const database = await openGiven(args.path, flags, context);
    const key = parseBytes(args.key);
    const shown = {
      json: flags.json,
      formats: bytesFormatsOf(flags),
      findings: flags['max-findings'],
    };
    const options = { range: keyRange(key), key };
    const family = flags['column-family'];
    const { keys, exit } = await printContent(this, database, family, options, context, shown);
    if (keys === 0) process.stderr.write('not found\n');
    process.exitCode = keys === 0 ? EXIT.damage : exit;
  }
}
