import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { readRegistry } from '../../cli/registry-open.ts';
import { colors } from '../../ui/color.ts';
import { table } from '../../ui/table.ts';

export default class RegistryList extends DdiaCommand {
  static override summary = 'list subjects with their versions';
  static override examples = [
    '<%= config.bin %> registry list fixtures/avro/registry',
    '<%= config.bin %> registry list fixtures/avro/registry --deleted --json',
  ];
  static override args = {
    dir: Args.string({
      ignoreStdin: true,
      description: 'directory of the registry',
      required: true,
    }),
  };
  static override flags = {
    deleted: Flags.boolean({ description: 'softly deleted ones too' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(RegistryList);
    const registry = await readRegistry(args.dir);
    const subjects = registry.subjects(flags.deleted).map((subject) => {
      const versions = registry.versions(subject, flags.deleted).map(({ version }) => version);
      return { subject, versions, compatibility: registry.levelOf(subject) };
    });
    if (flags.json) {
      this.printJson({ subjects });
      return;
    }
    const rows = subjects.map((one) => [one.subject, one.versions.join(' '), one.compatibility]);
    const head = ['subject', 'versions', 'compatibility'];
    this.printText(
      await table(
        head,
        rows,
        await colors(flags.color),
        head.map(() => false),
      ),
    );
  }
}
