import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { syncFlag } from '../../cli/sync-flag.ts';
import { appendLines } from '../../cli/wal-append.ts';

export default class WalAppend extends DdiaCommand {
  static override summary = 'append operations from standard input to a log (layout v2)';
  static override description =
    'Takes the lines that write takes. Each is durable when its number is printed (--sync sync); lines that ' +
    'come together share a sync. A bad line ends the command: what came before it is in the log, and said.';
  static override examples = [
    `echo '{"op":"put","key":"a","value":"1"}' | <%= config.bin %> wal append /tmp/ddia-append-1`,
    '<%= config.bin %> wal dump fixtures/wal/v1/clean --json | <%= config.bin %> wal append /tmp/ddia-append-2 --sync batch --json',
  ];
  static override args = {
    dir: Args.string({
      ignoreStdin: true,
      description: 'directory of the log; made if it is not there',
      required: true,
    }),
  };
  static override flags = {
    sync: syncFlag({
      description: 'when an append counts: synced, every --batch-every, or handed over',
    }),
    'batch-every': Flags.integer({
      description: 'operations between two syncs',
      default: 100,
      min: 1,
    }),
    'segment-bytes': Flags.integer({
      description: 'a segment at or over this size is closed',
      min: 1,
    }),
    seqs: Flags.boolean({ description: 'print the number of each line as it is accepted' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(WalAppend);
    const result = await appendLines(this, args.dir, {
      sync: flags.sync,
      batchEvery: flags['batch-every'],
      segmentBytes: flags['segment-bytes'],
      seqs: flags.seqs,
    });
    if (flags.json) this.printJson(result);
    else if (result.appended === 0) this.printText(`${args.dir}: nothing appended`);
    else {
      const { appended, firstSeq, lastSeq } = result;
      this.printText(`${args.dir}: ${appended} operations appended, seq ${firstSeq} to ${lastSeq}`);
    }
  }
}
