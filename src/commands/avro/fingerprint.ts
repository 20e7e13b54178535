import { Args } from '@oclif/core';
import { schemaOf } from '../../cli/avro-schema.ts';
import { DdiaCommand } from '../../cli/base-command.ts';
import { fingerprints } from '../../formats/avro/schema/canonical.ts';

export default class AvroFingerprint extends DdiaCommand {
  static override summary = 'print the fingerprints of a schema: CRC-64-AVRO, MD5, SHA-256';
  static override description = 'Of its Parsing Canonical Form; the most significant digit first.';
  static override examples = [
    '<%= config.bin %> avro fingerprint fixtures/avro/schemas/user-v1.avsc',
    '<%= config.bin %> avro fingerprint fixtures/avro/ocf/users-null.avro --json',
  ];
  static override args = {
    file: Args.string({ ignoreStdin: true, description: 'schema or container', required: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(AvroFingerprint);
    const found = fingerprints((await schemaOf(args.file)).schema);
    if (flags.json) this.printJson(found);
    else {
      const lines = Object.entries(found).map(([name, digits]) => `${name.padEnd(11)}  ${digits}`);
      this.printText(lines.join('\n'));
    }
  }
}
