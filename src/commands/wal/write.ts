import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { writeLog } from '../../cli/wal-write.ts';

export default class WalWrite extends DdiaCommand {
  static override summary = 'write a log from operations on standard input, one JSON object a line';
  static override description =
    'Takes {"op":"put","key":…,"value":…}, {"op":"delete","key":…}, {"op":"checkpoint"} and ' +
    '{"op":"batch","ops":[…]}: what dump --json prints. Bytes are strings, {"hex":…} or {"base64":…}. ' +
    'The directory appears whole or not at all: a bad line is an error with its number.';
  static override examples = [
    `echo '{"op":"put","key":"a","value":"1"}' | <%= config.bin %> wal write /tmp/ddia-write-1 --dialect v1`,
    '<%= config.bin %> wal dump fixtures/wal/v1/clean --json | <%= config.bin %> wal write /tmp/ddia-write-2 --dialect v1 --keep-seq',
  ];
  static override args = {
    dir: Args.string({ ignoreStdin: true, description: 'directory to make', required: true }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'layout to write', default: 'v2' }),
    'segment-bytes': Flags.integer({
      description: 'a segment at or over this size is closed [default: the layout’s own]',
      min: 1,
    }),
    'keep-seq': Flags.boolean({
      description: 'each line is one record with its own seq and op, in the segment that it names',
    }),
    'first-seq': Flags.string({ description: 'sequence number of the first record', default: '1' }),
    force: Flags.boolean({ description: 'replace what is there' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(WalWrite);
    const result = await writeLog(this, args.dir, {
      dialect: flags.dialect,
      segmentBytes: flags['segment-bytes'],
      keepSeq: flags['keep-seq'],
      firstSeq: flags['first-seq'],
      force: flags.force,
    });
    if (flags.json) this.printJson(result);
    else {
      const { dir, dialect, records, segments, bytes } = result;
      this.printText(
        `${dir}: ${records} records in ${segments} segments of ${dialect}, ${bytes} bytes`,
      );
    }
  }
}
