import { Args, Flags } from '@oclif/core';
import { InspectCommand, inspectFlags } from '../cli/inspect-command.ts';
import { inspected } from '../cli/inspect-spans.ts';
import { openPath } from '../cli/open.ts';

export default class Inspect extends InspectCommand {
  static override summary = 'show every byte with the field that it belongs to';
  static override description =
    'Annotated hex of a file, or of each file of a directory; with --json a tree of named ' +
    'spans. Bytes that could not be understood are shown as damaged, and make it end with 1. ' +
    'Long fields are cut unless --full is given. Offsets are decimal, or hexadecimal with 0x.';
  static override examples = [
    '<%= config.bin %> inspect fixtures/wal/v1/clean/000001.wal',
    '<%= config.bin %> inspect fixtures/wal/v1/clean --record 8',
    '<%= config.bin %> inspect fixtures/wal/v1/bad-crc/000001.wal --at 0xd1',
    '<%= config.bin %> inspect fixtures/wal/v1/clean --json --depth 0',
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
    ...inspectFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(Inspect);
    const input = await openPath(this, args.path, undefined, flags.dialect);
    await this.inspect(inspected(input), flags);
  }
}
