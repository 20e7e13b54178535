import { Args } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { readRegistry } from '../../cli/registry-open.ts';
import { exportLines } from '../../cli/registry-transfer.ts';

export default class RegistryExport extends DdiaCommand {
  static override summary = 'print all that a registry holds, one JSON object a line';
  static override description =
    'Versions in the order of their ids, and levels and modes: what import takes.';
  static override examples = [
    '<%= config.bin %> registry export fixtures/avro/registry',
    '<%= config.bin %> registry export fixtures/avro/registry | <%= config.bin %> registry import /tmp/ddia-registry-copy',
  ];
  static override args = {
    dir: Args.string({
      ignoreStdin: true,
      description: 'directory of the registry',
      required: true,
    }),
  };

  async run(): Promise<void> {
    const { args } = await this.parseFor(RegistryExport);
    for (const line of exportLines(await readRegistry(args.dir))) this.out.text(`${line}\n`);
    this.out.flush();
  }
}
