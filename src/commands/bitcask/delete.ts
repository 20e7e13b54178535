import { Args } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { parseBytes } from '../../cli/bytes-argument.ts';
import { EXIT } from '../../shared/errors.ts';

export default class BitcaskDelete extends DdiaCommand {
  static override summary = 'delete a key from a store, durably';
  static override description =
    'Ends with 1 if the key is not there: nothing is written then. In a textbook layout a deletion is ' +
    'always written, as the book does it.';
  static override examples = [
    '<%= config.bin %> bitcask put /tmp/ddia-bitcask-delete-1 a 1 && <%= config.bin %> bitcask delete /tmp/ddia-bitcask-delete-1 a',
    '<%= config.bin %> bitcask put /tmp/ddia-bitcask-delete-2 a 1 && <%= config.bin %> bitcask delete /tmp/ddia-bitcask-delete-2 hex:61 --json',
  ];
  static override args = {
    dir: Args.string({ ignoreStdin: true, description: 'directory of the store', required: true }),
    key: Args.string({
      ignoreStdin: true,
      description: 'the key; hex:… and base64:… are understood',
      required: true,
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BitcaskDelete);
    const { deleteKey } = await import('../../cli/bitcask-put.ts');
    const result = await deleteKey(this, args.dir, parseBytes(args.key));
    if (result.seq === 0) process.exitCode = EXIT.damage;
    if (flags.json) this.printJson(result);
    else {
      const { dir, seq, file, offset, length } = result;
      const place =
        file === undefined ? `deleted, seq ${seq}` : `deleted, ${file} @ ${offset} +${length}`;
      this.printText(`${dir}: ${seq === 0 ? 'not there' : place}`);
    }
  }
}
