import { DdiaCommand } from '../../cli/base-command.ts';
import { parseBytes } from '../../cli/bytes-argument.ts';
import { bytesFlags, bytesFormatsOf } from '../../cli/dump-command.ts';
import {
  contextOf,
  familyFlag,
  familyGiven,
  openGiven,
  readingFlags,
} from '../../cli/lsm-command.ts';
import { printContent } from '../../cli/lsm-read.ts';
import { keyArg, storeArg } from '../../cli/lsm-store.ts';
import { keyRange } from '../../formats/sstable/range.ts';
import { EXIT } from '../../shared/errors.ts';

export default class LsmGet extends DdiaCommand {
  static override summary = 'print the value of a key in an LSM store';
  static override description =
    'Of a store of ours, of LevelDB or of RocksDB: looks into the logs, and into the tables whose range and filter ' +
    'can have the key; nothing is touched. Prints the bytes of the value as they are, and a newline. Ends with 1 if ' +
    'the key is not there, or if damage lay on the way: then it can have a newer value.';
  static override examples = [
    `<%= config.bin %> lsm put /tmp/ddia-lsm-get-1 user:1 Ada && <%= config.bin %> lsm get /tmp/ddia-lsm-get-1 user:1`,
    '<%= config.bin %> lsm get fixtures/database/rocksdb k1 --column-family users --json',
    '<%= config.bin %> lsm get fixtures/database/leveldb hex:00fffe --value-format size',
  ];
  static override args = { dir: storeArg, key: keyArg };
  static override flags = { 'column-family': familyFlag, ...bytesFlags, ...readingFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmGet);
    const context = contextOf(this, flags);
    const database = await openGiven(args.dir, flags, context);
    const key = parseBytes(args.key);
    const shown = {
      json: flags.json,
      formats: bytesFormatsOf(flags),
      findings: flags['max-findings'],
      valueAlone: true,
    };
    const options = { range: keyRange(key), key };
    const family = familyGiven(database, flags);
    const { keys, exit } = await printContent(this, database, family, options, context, shown);
    process.exitCode = keys === 0 ? EXIT.damage : exit;
    if (keys === 0) process.stderr.write(`${args.dir}: no key ${JSON.stringify(args.key)}\n`);
  }
}
