import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { readRegistry } from '../../cli/registry-open.ts';
import { usageError } from '../../shared/errors.ts';

export default class RegistryGet extends DdiaCommand {
  static override summary = 'print a schema, by its id or by subject and version';
  static override examples = [
    '<%= config.bin %> registry get fixtures/avro/registry --id 1',
    '<%= config.bin %> registry get fixtures/avro/registry users-value latest --json',
  ];
  static override args = {
    dir: Args.string({
      ignoreStdin: true,
      description: 'directory of the registry',
      required: true,
    }),
    subject: Args.string({ ignoreStdin: true, description: 'subject' }),
    version: Args.string({
      ignoreStdin: true,
      description: 'version, or latest',
      default: 'latest',
    }),
  };
  static override flags = {
    id: Flags.integer({ description: 'id of the schema', min: 0 }),
    deleted: Flags.boolean({ description: 'softly deleted ones too' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(RegistryGet);
    if ((flags.id === undefined) === (args.subject === undefined)) {
      throw usageError('usage', 'which schema? --id, or a subject');
    }
    const registry = await readRegistry(args.dir);
    const found =
      flags.id !== undefined
        ? registry.schema(flags.id)
        : registry.version(args.subject!, args.version, flags.deleted);
    if (!flags.json) {
      this.printText(found.text);
      return;
    }
    const { type, text, ...rest } = found;
    this.printJson({ ...rest, schemaType: type, schema: text });
  }
}
