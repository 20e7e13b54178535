import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { readRegistry } from '../../cli/registry-open.ts';
import { colors } from '../../ui/color.ts';
import { table } from '../../ui/table.ts';

export default class RegistryVersions extends DdiaCommand {
  static override summary = 'list the versions of a subject with their ids';
  static override examples = [
    '<%= config.bin %> registry versions fixtures/avro/registry users-value',
    '<%= config.bin %> registry versions fixtures/avro/registry users-value --deleted --json',
  ];
  static override args = {
    dir: Args.string({
      ignoreStdin: true,
      description: 'directory of the registry',
      required: true,
    }),
    subject: Args.string({ ignoreStdin: true, description: 'subject', required: true }),
  };
  static override flags = {
    deleted: Flags.boolean({ description: 'softly deleted ones too' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(RegistryVersions);
    const registry = await readRegistry(args.dir);
    const versions = registry.versions(args.subject, flags.deleted).map((one) => {
      const { version, id, deleted, type } = registry.full(args.subject, one);
      return { version, id, schemaType: type, deleted };
    });
    if (flags.json) {
      this.printJson({ subject: args.subject, versions });
      return;
    }
    const rows = versions.map(({ version, id, schemaType, deleted }) => [
      String(version),
      String(id),
      schemaType,
      deleted ? 'deleted' : '',
    ]);
    const head = ['version', 'id', 'type', ''];
    const numeric = [true, true, false, false];
    this.printText(await table(head, rows, await colors(flags.color), numeric));
  }
}
