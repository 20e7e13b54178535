import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../../cli/base-command.ts';
import { bytesFlags, bytesFormatsOf } from '../../cli/dump-command.ts';
import { openPath } from '../../cli/open.ts';
import { tailLog } from '../../cli/wal-tail.ts';
import { usageError } from '../../shared/errors.ts';
import { JsonSink } from '../../ui/json-sink.ts';
import { TextSink } from '../../ui/text-sink.ts';

export default class WalTail extends DdiaCommand {
  static override summary = 'print the last operations of a log, and with --follow those that come';
  static override examples = [
    '<%= config.bin %> wal tail fixtures/wal/v1/clean --lines 3',
    '<%= config.bin %> wal tail fixtures/wal/v1/clean --lines 1 --json',
  ];
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'file or directory of segments',
      required: true,
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    lines: Flags.integer({ char: 'n', description: 'how many', default: 10, min: 0, max: 100_000 }),
    follow: Flags.boolean({
      char: 'f',
      description: 'wait for more, through rotations; Ctrl-C ends it',
    }),
    interval: Flags.integer({
      description: 'milliseconds between two looks',
      default: 200,
      min: 10,
      max: 60_000,
    }),
    ...bytesFlags,
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(WalTail);
    if (flags.follow && args.path === '-') {
      throw usageError('usage', '--follow needs a file or a directory: standard input has one end');
    }
    const input = await openPath(this, args.path, 'wal', flags.dialect);
    const formats = bytesFormatsOf(flags);
    const sink = flags.json ? new JsonSink(this.out, formats) : new TextSink(this.out, formats);
    const { lines, follow, interval } = flags;
    await tailLog(this, input, sink, { lines, follow, interval, limits: limitsOf(flags) });
  }
}
