import { Args } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { withRegistry } from '../../cli/registry-open.ts';
import { importLines } from '../../cli/registry-transfer.ts';

export default class RegistryImport extends DdiaCommand {
  static override summary = 'put in what export printed, with the same ids and versions';
  static override description =
    'From standard input. What is there already stays; an id or version that is taken by another schema is an error.';
  static override examples = [
    '<%= config.bin %> registry export fixtures/avro/registry | <%= config.bin %> registry import /tmp/ddia-registry-2',
    `echo '{"subject":"s","version":3,"id":7,"schemaType":"AVRO","schema":"\\"int\\""}' | <%= config.bin %> registry import /tmp/ddia-registry-3 --json`,
  ];
  static override args = {
    dir: Args.string({
      ignoreStdin: true,
      description: 'directory of the registry',
      required: true,
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(RegistryImport);
    const result = await withRegistry(args.dir, (registry) => importLines(registry, this.signal));
    if (flags.json) this.printJson(result);
    else this.printText(`${result.lines} lines, ${result.changed} of them new`);
  }
}
