import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { writeTable } from '../../cli/sstable-write.ts';

export default class SstableWrite extends DdiaCommand {
  static override summary = 'write a table from entries on standard input, one JSON object a line';
  static override description =
    'Takes {"op":"put","key":…,"value":…} and {"op":"delete","key":…}, with "seq" and "timestamp" where the layout has ' +
    'them: what dump --json prints. Keys must ascend; --sort puts them in order first. The file appears whole or not at all.';
  static override examples = [
    `echo '{"op":"put","key":"a","value":"1","timestamp":1}' | <%= config.bin %> sstable write /tmp/ddia-table-2.sst --dialect v1`,
    '<%= config.bin %> sstable dump fixtures/sstable/v1/clean/t.sst --json | <%= config.bin %> sstable write /tmp/ddia-table-3.sst --dialect v1 --index-every 16',
  ];
  static override args = {
    file: Args.string({ ignoreStdin: true, description: 'file to make', required: true }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'layout to write', default: 'v2' }),
    sort: Flags.boolean({ description: 'put the entries in order, in memory, before writing' }),
    'index-every': Flags.integer({
      description: 'entries for each entry of a sparse index',
      min: 1,
    }),
    'block-bytes': Flags.integer({ description: 'size at which a block is closed', min: 64 }),
    force: Flags.boolean({ description: 'replace what is there' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(SstableWrite);
    const result = await writeTable(this, args.file, {
      dialect: flags.dialect,
      sort: flags.sort,
      indexEvery: flags['index-every'],
      blockBytes: flags['block-bytes'],
      force: flags.force,
    });
    if (flags.json) this.printJson(result);
    else
      this.printText(
        `${result.file}: ${result.entries} entries of ${result.dialect}, ${result.bytes} bytes`,
      );
  }
}
