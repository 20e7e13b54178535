import { Args } from '@oclif/core';
import { schemaOf } from '../../cli/avro-schema.ts';
import { DdiaCommand } from '../../cli/base-command.ts';

export default class AvroSchema extends DdiaCommand {
  static override summary = 'print the schema of a container, or check one in a file';
  static override description =
    'The schema as it was given, indented. Logical types that do not fit, and so are ignored, are told on stderr.';
  static override examples = [
    '<%= config.bin %> avro schema fixtures/avro/ocf/users-null.avro',
    '<%= config.bin %> avro schema fixtures/avro/schemas/user-v2.avsc --json',
  ];
  static override args = {
    file: Args.string({ ignoreStdin: true, description: 'schema or container', required: true }),
  };

  async run(): Promise<void> {
    const { args } = await this.parseFor(AvroSchema);
    const { text, schema } = await schemaOf(args.file);
    for (const ignored of schema.ignored) process.stderr.write(`ignored: ${ignored}\n`);
    this.printText(JSON.stringify(JSON.parse(text), null, 2));
  }
}
