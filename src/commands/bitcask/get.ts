import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../../cli/base-command.ts';
import { parseBytes } from '../../cli/bytes-argument.ts';
import { bytesFlags, bytesFormatsOf } from '../../cli/dump-command.ts';
import { EXIT } from '../../shared/errors.ts';

export default class BitcaskGet extends DdiaCommand {
  static override summary = 'print the value of a key in a store of any layout';
  static override description =
    'The bytes of the value as they are, and a newline (not with --raw). Ends with 1 if the key is not there, ' +
    'has expired, or cannot be read. A store that another process writes to can be read.';
  static override examples = [
    '<%= config.bin %> bitcask get fixtures/bitcask/hash-v1/clean key00',
    '<%= config.bin %> bitcask get fixtures/bitcask/log-v1/clean hex:6b65793034 --json',
  ];
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'directory of the store, or one data file of it',
      required: true,
    }),
    key: Args.string({
      ignoreStdin: true,
      description: 'the key; hex:… and base64:… are understood',
      required: true,
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    raw: Flags.boolean({ description: 'no newline behind the value', exclusive: ['json'] }),
    ...bytesFlags,
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BitcaskGet);
    const { getKey } = await import('../../cli/bitcask-get.ts');
    const key = parseBytes(args.key);
    const value = await getKey(this, args.path, key, flags.dialect, limitsOf(flags));
    if (value === null) {
      process.exitCode = EXIT.damage;
      process.stderr.write(`${args.path}: no key ${JSON.stringify(args.key)}\n`);
      return;
    }
    const { out } = this;
    if (flags.json) {
      const { JsonSink } = await import('../../ui/json-sink.ts');
      const sink = new JsonSink(out, bytesFormatsOf(flags));
      sink.begin();
      sink.bytes('key', 'key', key, 0, key.length);
      sink.bytes('value', 'value', value, 0, value.length);
      sink.end();
    } else if (flags['value-format'] === 'auto' && !flags.redact) {
      out.raw(value, 0, value.length);
      if (!flags.raw) out.text('\n');
    } else {
      const { textBytes } = await import('../../ui/bytes-format.ts');
      out.text(`${textBytes(value, flags['value-format'], flags.redact)}\n`);
    }
    out.flush();
  }
}
