import { Args } from '@oclif/core';
import { schemaOf } from '../../cli/avro-schema.ts';
import { DdiaCommand } from '../../cli/base-command.ts';
import { canonicalForm } from '../../formats/avro/schema/canonical.ts';

export default class AvroCanonical extends DdiaCommand {
  static override summary = 'print a schema in Parsing Canonical Form';
  static override examples = [
    '<%= config.bin %> avro canonical fixtures/avro/schemas/user-v1.avsc',
    '<%= config.bin %> avro canonical fixtures/avro/ocf/users-null.avro',
  ];
  static override args = {
    file: Args.string({ ignoreStdin: true, description: 'schema or container', required: true }),
  };

  async run(): Promise<void> {
    const { args } = await this.parseFor(AvroCanonical);
    this.printText(canonicalForm((await schemaOf(args.file)).schema));
  }
}
