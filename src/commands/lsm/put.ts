import { Args } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { parseBytes } from '../../cli/bytes-argument.ts';
import { keyArg, storeArg, withLsm } from '../../cli/lsm-store.ts';

export default class LsmPut extends DdiaCommand {
  static override summary = 'put a key into an LSM store, durably';
  static override description = 'Makes the store if it is not there.';
  static override examples = [
    '<%= config.bin %> lsm put /tmp/ddia-lsm-put-1 user:1 Ada',
    '<%= config.bin %> lsm put /tmp/ddia-lsm-put-1 session hex:00ff --json',
  ];
  static override args = {
    dir: storeArg,
    key: keyArg,
    value: Args.string({
      ignoreStdin: true,
      description: 'the value, in the same way',
      required: true,
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmPut);
    const { dir } = args;
    const [key, value] = [parseBytes(args.key), parseBytes(args.value)];
    const seq = await withLsm(dir, {}, (store) => store.put(key, value));
    if (flags.json) this.printJson({ dir, seq });
    else this.printText(`${dir}: put, seq ${seq}`);
  }
}
