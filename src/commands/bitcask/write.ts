import { Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { writeStore } from '../../cli/bitcask-write.ts';
import { count } from '../../ui/count.ts';

export default class BitcaskWrite extends DdiaCommand {
  static override summary = 'write a store from records on standard input, one JSON object a line';
  static override description =
    'Takes what dump --json and scan --json print: {"key":…,"value":…} or {"key":…,"deleted":true}, with ' +
    'timestamp, expires and seq where the layout has them. Bytes are strings, {"hex":…} or {"base64":…}. A ' +
    'line that names a data file goes into that one. What a layout cannot hold is an error with its line; the ' +
    'directory appears whole or not at all.';
  static override examples = [
    `echo '{"key":"a","value":"1"}' | <%= config.bin %> bitcask write --dialect hash-v1 --out /tmp/ddia-bitcask-write-1`,
    '<%= config.bin %> bitcask dump fixtures/bitcask/log-v1/clean --json | <%= config.bin %> bitcask write --dialect log-v1 --out /tmp/ddia-bitcask-write-2',
  ];
  static override flags = {
    dialect: Flags.string({ description: 'layout to write', default: 'v2' }),
    out: Flags.string({ description: 'directory to make', required: true }),
    'file-bytes': Flags.integer({
      description:
        'a data file at or over this size is closed; lines do not choose their file then ' +
        '[default: the layout’s own]',
      min: 1,
    }),
    timestamp: Flags.string({
      description: 'seconds since 1970, for lines that tell none [default: now]',
    }),
    force: Flags.boolean({ description: 'replace what is there' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parseFor(BitcaskWrite);
    const result = await writeStore(this, flags.out, {
      dialect: flags.dialect,
      fileBytes: flags['file-bytes'],
      timestamp: flags.timestamp,
      force: flags.force,
    });
    if (flags.json) this.printJson(result);
    else {
      const { out, dialect, records, files, hints, bytes } = result;
      const all = `${count(files, 'data file')}${hints > 0 ? `, ${count(hints, 'hint')}` : ''}`;
      this.printText(`${out}: ${count(records, 'record')} in ${all} of ${dialect}, ${bytes} bytes`);
    }
  }
}
