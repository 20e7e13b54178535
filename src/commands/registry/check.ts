import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { readRegistry } from '../../cli/registry-open.ts';
import { schemaArgument, schemaFlags } from '../../cli/registry-schema.ts';
import { EXIT } from '../../shared/errors.ts';

export default class RegistryCheck extends DdiaCommand {
  static override summary = 'check whether a schema could be registered';
  static override description =
    'Against what the level of the subject asks for, or against one version. Every incompatibility is told with its ' +
    'path, the rule, and what would mend it, and ends with 1.';
  static override examples = [
    '<%= config.bin %> registry check fixtures/avro/registry users-value fixtures/avro/schemas/user-v2.avsc',
    '<%= config.bin %> registry check fixtures/avro/registry users-value fixtures/avro/schemas/user-v3.avsc --version latest --json',
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
    version: Flags.string({ description: 'version to hold it against, or latest' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(RegistryCheck);
    const registry = await readRegistry(args.dir);
    const schema = schemaArgument(args.file, flags);
    const problems = registry.check(args.subject, schema, flags.version);
    if (problems.length > 0) process.exitCode = EXIT.damage;
    if (flags.json) this.printJson({ compatible: problems.length === 0, problems });
    else this.printText(problems.length > 0 ? problems.join('\n') : 'compatible');
  }
}
