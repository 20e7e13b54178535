import { Args } from '@oclif/core';
import { resolvedFields } from '../../cli/avro-resolve.ts';
import { schemaOf } from '../../cli/avro-schema.ts';
import { DdiaCommand } from '../../cli/base-command.ts';
import { EXIT } from '../../shared/errors.ts';
import { colors } from '../../ui/color.ts';
import { table } from '../../ui/table.ts';

export default class AvroResolve extends DdiaCommand {
  static override summary = 'show field by field what a reader sees of what a writer wrote';
  static override description = 'Ends with 1 if there is something that cannot be read.';
  static override examples = [
    '<%= config.bin %> avro resolve fixtures/avro/schemas/user-v1.avsc fixtures/avro/schemas/user-v2.avsc',
    '<%= config.bin %> avro resolve fixtures/avro/ocf/users-null.avro fixtures/avro/schemas/user-v2.avsc --json',
  ];
  static override args = {
    writer: Args.string({ ignoreStdin: true, description: "the writer's schema", required: true }),
    reader: Args.string({ ignoreStdin: true, description: "the reader's", required: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(AvroResolve);
    const writer = (await schemaOf(args.writer)).schema.root;
    const reader = (await schemaOf(args.reader)).schema.root;
    const fields = resolvedFields(writer, reader);
    const refused = fields.some(({ how, note }) => how === 'refused' || note?.includes('refused:'));
    if (refused) process.exitCode = EXIT.damage;
    if (flags.json) {
      this.printJson({ readable: !refused, fields });
      return;
    }
    const rows = fields.map((field) => [
      field.path,
      field.how,
      field.writer ?? '',
      field.reader ?? '',
      [field.from && `from ${field.from}`, field.note].filter(Boolean).join('; '),
    ]);
    const head = ['field', 'how', 'writer', 'reader', 'note'];
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
