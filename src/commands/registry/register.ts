import { Args } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { withRegistry } from '../../cli/registry-open.ts';
import { schemaArgument, schemaFlags } from '../../cli/registry-schema.ts';

export default class RegistryRegister extends DdiaCommand {
  static override summary = 'register a schema under a subject';
  static override description =
    'The registry is made if it is not there. A schema that the subject has already keeps its id; one that is not ' +
    'compatible, by the level of the subject, is refused, and ends with 1.';
  static override examples = [
    '<%= config.bin %> registry register /tmp/ddia-registry users-value fixtures/avro/schemas/user-v1.avsc',
    '<%= config.bin %> registry register /tmp/ddia-registry users-value fixtures/avro/schemas/user-v2.avsc --json',
  ];
  static override args = {
    dir: Args.string({
      ignoreStdin: true,
      description: 'directory of the registry',
      required: true,
    }),
    subject: Args.string({ ignoreStdin: true, description: 'subject', required: true }),
    file: Args.string({ ignoreStdin: true, description: 'file with the schema', required: true }),
  };
  static override flags = {
    ...schemaFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(RegistryRegister);
    const schema = schemaArgument(args.file, flags);
    const result = await withRegistry(args.dir, (registry) =>
      registry.register(args.subject, schema),
    );
    if (flags.json) this.printJson({ subject: args.subject, ...result });
    else this.printText(`${args.subject} version ${result.version}: id ${result.id}`);
  }
}
