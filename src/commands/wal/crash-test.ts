import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { syncFlag } from '../../cli/sync-flag.ts';
import { crashTestLines } from '../../cli/wal-crash-test.ts';
import { PROFILES, type Profile } from '../../io/sim-disk/choices.ts';

export default class WalCrashTest extends DdiaCommand {
  static override summary =
    'crash the log engine at every single I/O of a workload, on a simulated disk';
  static override description =
    'The workload comes as lines: operations as append takes them, and {"op":"truncate","upTo":N}, ' +
    '{"op":"sync"}, {"op":"reopen"}. After each crash, and after crashes during recovery, the log must open, ' +
    'hold every synced write, show one prefix, keep batches whole, and never give a number twice. Ends with 1 ' +
    'if it did not.';
  static override examples = [
    `echo '{"op":"put","key":"a","value":"1"}' | <%= config.bin %> wal crash-test --seed 7`,
    '<%= config.bin %> wal crash-test fixtures/wal/workloads/mixed.ndjson --profile ordered --segment-bytes 300',
  ];
  static override args = {
    workload: Args.string({ ignoreStdin: true, description: 'file of lines, or -', default: '-' }),
  };
  static override flags = {
    seed: Flags.integer({ description: 'of all choices', default: 1, min: 0 }),
    profile: Flags.option({ options: PROFILES, default: 'adversarial' as Profile })({
      description:
        'what a crash may keep: a prefix of the writes, a prefix per file, or any of them',
    }),
    sync: syncFlag({ description: 'mode of the log' }),
    'segment-bytes': Flags.integer({ description: 'size of segments', default: 4096, min: 100 }),
    'max-states': Flags.integer({
      description: 'crashed disks to look at',
      default: 20_000,
      min: 1,
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(WalCrashTest);
    process.exitCode = await crashTestLines(this, args.workload, {
      seed: flags.seed,
      profile: flags.profile,
      sync: flags.sync,
      segmentBytes: flags['segment-bytes'],
      maxStates: flags['max-states'],
      json: flags.json,
    });
  }
}
