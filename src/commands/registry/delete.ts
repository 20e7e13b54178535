import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { withRegistry } from '../../cli/registry-open.ts';

export default class RegistryDelete extends DdiaCommand {
  static override summary = 'delete a version, or a subject with all of its versions';
  static override description =
    'Softly: ids keep their schemas, and what was deleted is still there for who asks for it. --permanent takes ' +
    'away what has been deleted softly; numbers and ids are not given again.';
  static override examples = [
    'cp -r fixtures/avro/registry /tmp/ddia-registry && <%= config.bin %> registry delete /tmp/ddia-registry users-value --version 1',
    '<%= config.bin %> registry delete /tmp/ddia-registry users-value --version 1 --permanent --json',
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
    version: Flags.string({ description: 'this version alone, or latest' }),
    permanent: Flags.boolean({ description: 'for good' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(RegistryDelete);
    const { version, permanent } = flags;
    const deleted = await withRegistry(args.dir, async (registry) =>
      version === undefined
        ? registry.deleteSubject(args.subject, permanent)
        : [await registry.deleteVersion(args.subject, version, permanent)],
    );
    if (flags.json) this.printJson({ subject: args.subject, deleted, permanent });
    else this.printText(`${args.subject}: deleted ${deleted.join(', ')}`);
  }
}
