import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../../cli/base-command.ts';
import { bytesFlags, bytesFormatsOf } from '../../cli/dump-command.ts';
import { openPath } from '../../cli/open.ts';
import { replayPath } from '../../cli/wal-replay.ts';
import { parseSeq } from '../../cli/wal-write.ts';

export default class WalReplay extends DdiaCommand {
  static override summary =
    'replay the valid prefix of a log: its operations, or the state they build';
  static override description =
    'Ends at the first damage, gap or missing segment and says so on stderr: where, and how much lies ' +
    'behind. Batches that cannot be whole are named. Ends with 1 if it did not reach the end (4 if all ' +
    'that stopped it is a torn tail).';
  static override examples = [
    '<%= config.bin %> wal replay fixtures/wal/v1/clean --state',
    '<%= config.bin %> wal replay fixtures/wal/v1/bad-crc --after 3 --json --summary',
  ];
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'file, directory of segments, or -',
      required: true,
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    after: Flags.string({ description: 'only operations with a higher seq', default: '0' }),
    state: Flags.boolean({ description: 'print the last value of each key instead' }),
    summary: Flags.boolean({ description: 'a last line {"summary": …}' }),
    ...bytesFlags,
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(WalReplay);
    const input = await openPath(this, args.path, 'wal', flags.dialect);
    process.exitCode = await replayPath(this, input, {
      after: parseSeq(flags.after, '--after'),
      state: flags.state,
      summary: flags.summary,
      json: flags.json,
      formats: bytesFormatsOf(flags),
      limits: limitsOf(flags),
    });
  }
}
