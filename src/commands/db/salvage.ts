import { Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { contextOf, databaseArg, databaseFlags, openGiven } from '../../cli/db-command.ts';
import { salvageGiven } from '../../cli/db-salvage.ts';

export default class DbSalvage extends DdiaCommand {
  static override summary =
    'everything readable of a damaged LevelDB or RocksDB directory, as lines of JSON';
  static override description =
    'Of every column family the newest version of each key that can be read, with its sequence number. Damage is ' +
    'read past and told on stderr; where CURRENT or MANIFEST are lost, all tables and logs count. The ' +
    'original is never touched.';
  static override examples = [
    '<%= config.bin %> db salvage fixtures/database/rocksdb --column-family users',
    '<%= config.bin %> db salvage fixtures/database/leveldb --out /tmp/salvaged.ndjson --force',
  ];
  static override args = databaseArg;
  static override flags = {
    'column-family': Flags.string({ description: 'this column family alone' }),
    to: Flags.option({ options: ['ndjson'] as const, default: 'ndjson' as const })({
      description: 'format',
    }),
    out: Flags.string({ description: 'new file; without it, standard output' }),
    force: Flags.boolean({ description: 'overwrite the file' }),
    ...databaseFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(DbSalvage);
    const context = contextOf(this, flags);
    const database = await openGiven(args.path, flags, context);
    const given = {
      family: flags['column-family'],
      out: flags.out,
      force: flags.force,
      findings: flags['max-findings'],
    };
    process.exitCode = await salvageGiven(this, database, given, context);
  }
}
