import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { fileBytesFlag, storeDialectFlag } from '../../cli/bitcask-engine.ts';
import { parseBytes } from '../../cli/bytes-argument.ts';
import { parseDuration } from '../../cli/duration-argument.ts';

export default class BitcaskPut extends DdiaCommand {
  static override summary = 'put a key into a store, durably';
  static override description =
    'Makes the store if it is not there, in layout v2 or the one that --dialect names; a store that is there is ' +
    'written in its own layout, to the byte. What a layout cannot hold (an empty value in hash-v1, the tombstone ' +
    'text in log-v1) is refused with the reason.';
  static override examples = [
    '<%= config.bin %> bitcask put /tmp/ddia-bitcask-put-1 user:1 Ada',
    '<%= config.bin %> bitcask put /tmp/ddia-bitcask-put-1 session hex:00ff --ttl 30m --json',
    '<%= config.bin %> bitcask put /tmp/ddia-bitcask-put-2 user:1 Ada --dialect hash-v1',
  ];
  static override args = {
    dir: Args.string({ ignoreStdin: true, description: 'directory of the store', required: true }),
    key: Args.string({
      ignoreStdin: true,
      description: 'the key; hex:… and base64:… are understood',
      required: true,
    }),
    value: Args.string({
      ignoreStdin: true,
      description: 'the value, in the same way; - takes all of standard input',
      required: true,
    }),
  };
  static override flags = {
    ttl: Flags.string({ description: 'delete it after this time: 90s, 2h, 7d (v2 only)' }),
    ...storeDialectFlag,
    ...fileBytesFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BitcaskPut);
    const { putKey, valueFromInput } = await import('../../cli/bitcask-put.ts');
    const value = args.value === '-' ? await valueFromInput() : parseBytes(args.value);
    const result = await putKey(this, args.dir, parseBytes(args.key), value, {
      dialect: flags.dialect,
      ttl: flags.ttl === undefined ? undefined : parseDuration(flags.ttl, '--ttl'),
      fileBytes: flags['file-bytes'],
    });
    if (flags.json) this.printJson(result);
    else {
      const { dir, seq, file, offset, length } = result;
      const place = file === undefined ? `seq ${seq}` : `${file} @ ${offset} +${length}`;
      this.printText(`${dir}: put, ${place}`);
    }
  }
}
