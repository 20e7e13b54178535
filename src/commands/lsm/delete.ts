import { Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { parseBytes } from '../../cli/bytes-argument.ts';
import { keyArg, storeArg, withLsm } from '../../cli/lsm-store.ts';
import { usageError } from '../../shared/errors.ts';

export default class LsmDelete extends DdiaCommand {
  static override summary = 'delete a key, or all keys of a range, from an LSM store, durably';
  static override description =
    'A key that is not there is no error. With --to, KEY is the first key of the range and --to the one behind it.';
  static override examples = [
    '<%= config.bin %> lsm delete /tmp/ddia-lsm-delete-1 user:1',
    '<%= config.bin %> lsm delete /tmp/ddia-lsm-delete-1 user:1 --to user:2 --json',
  ];
  static override args = { dir: storeArg, key: keyArg };
  static override flags = {
    to: Flags.string({ description: 'end of the range, exclusive; greater than KEY' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmDelete);
    const { dir } = args;
    const key = parseBytes(args.key);
    const to = flags.to === undefined ? undefined : parseBytes(flags.to);
    if (to && Buffer.compare(key, to) >= 0) {
      throw usageError('bad-range', `no key lies from ${args.key} to ${flags.to}`);
    }
    const seq = await withLsm(dir, {}, (store) =>
      to ? store.deleteRange(key, to) : store.delete(key),
    );
    if (flags.json) this.printJson({ dir, seq });
    else this.printText(`${dir}: deleted, seq ${seq}`);
  }
}
