import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { withLog } from '../../cli/wal-engine.ts';

export default class WalCheckpoint extends DdiaCommand {
  static override summary = 'mark in a log that the store has all that came before';
  static override examples = [
    '<%= config.bin %> wal checkpoint /tmp/ddia-checkpoint-1 --create',
    '<%= config.bin %> wal checkpoint /tmp/ddia-checkpoint-2 --create --json',
  ];
  static override args = {
    dir: Args.string({ ignoreStdin: true, description: 'directory of the log', required: true }),
  };
  static override flags = {
    create: Flags.boolean({ description: 'make the log if it is not there' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(WalCheckpoint);
    const seq = await withLog(args.dir, { create: flags.create }, (log) => log.checkpoint());
    if (flags.json) this.printJson({ dir: args.dir, seq });
    else this.printText(`${args.dir}: checkpoint at seq ${seq}`);
  }
}
