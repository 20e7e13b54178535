import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { withLog } from '../../cli/wal-engine.ts';
import { parseSeq } from '../../cli/wal-write.ts';

const MAX_SEQ = BigInt(Number.MAX_SAFE_INTEGER);

export default class WalTruncate extends DdiaCommand {
  static override summary = 'drop the segments of a log that hold nothing above a sequence number';
  static override description =
    'Whole segments only, never the one that is written: atomic, by the log’s manifest. Past the end is an error.';
  static override examples = [
    `echo '{"op":"put","key":"a","value":"1"}' | <%= config.bin %> wal append /tmp/ddia-truncate-1`,
    `for i in 1 2 3; do echo '{"op":"put","key":"a","value":"1"}'; done | <%= config.bin %> wal append /tmp/ddia-truncate-2 --segment-bytes 100 && <%= config.bin %> wal truncate /tmp/ddia-truncate-2 --up-to 2`,
  ];
  static override args = {
    dir: Args.string({ ignoreStdin: true, description: 'directory of the log', required: true }),
  };
  static override flags = {
    'up-to': Flags.string({ description: 'sequence number, inclusive', required: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(WalTruncate);
    const given = parseSeq(flags['up-to'], '--up-to');
    // The engine numbers within what a JavaScript number holds exactly: beyond is past the end.
    const upTo = Number(given > MAX_SEQ ? MAX_SEQ : given);
    const dropped = await withLog(args.dir, { create: false }, async (log) => log.truncate(upTo));
    if (flags.json) this.printJson({ dir: args.dir, upTo, droppedSegments: dropped });
    else this.printText(`${args.dir}: ${dropped} segments dropped, up to seq ${upTo}`);
  }
}
