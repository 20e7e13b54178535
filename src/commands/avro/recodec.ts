import { Args, Flags } from '@oclif/core';
import { byteTarget } from '../../cli/avro-output.ts';
import { rewriteContainers } from '../../cli/avro-rewrite.ts';
import { schemaOf } from '../../cli/avro-schema.ts';
import { DdiaCommand, limitFlags, limitsOf } from '../../cli/base-command.ts';
import { openPath } from '../../cli/open.ts';
import { CODECS } from '../../formats/avro/ocf/spec.ts';

export default class AvroRecodec extends DdiaCommand {
  static override summary = 'write a container anew with another codec';
  static override description =
    'Blocks keep their data; what is in them is checked on the way. Damage is refused: repair first.';
  static override examples = [
    '<%= config.bin %> avro recodec fixtures/avro/ocf/users-null.avro --codec deflate --out /tmp/ddia-recodec.avro',
    '<%= config.bin %> avro recodec fixtures/avro/ocf/users-bzip2.avro --codec xz --out /tmp/ddia-recodec-2.avro --json',
  ];
  static override strict = false;
  static override args = {
    path: Args.string({ ignoreStdin: true, description: 'containers', required: true }),
  };
  static override flags = {
    codec: Flags.option({ options: CODECS })({
      description: 'how the result is compressed [default: as the first container]',
    }),
    'reader-schema': Flags.string({ description: 'file with the schema to resolve all data to' }),
    marker: Flags.string({ description: 'words that the marker is made of' }),
    out: Flags.string({ description: 'file to write; standard output without it' }),
    force: Flags.boolean({ description: 'replace what is there' }),
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parseFor(AvroRecodec);
    const inputs = [];
    for (const path of argv as string[]) inputs.push(await openPath(this, path, 'avro'));
    const schema = flags['reader-schema'];
    const target = byteTarget(this.out, flags.out, flags.force);
    try {
      const result = await rewriteContainers(
        inputs,
        {
          codec: flags.codec,
          schema: schema === undefined ? undefined : await schemaOf(schema),
          markerSeed: flags.marker,
        },
        target,
        { limits: limitsOf(flags), signal: this.signal },
      );
      if (flags.out === undefined) return;
      if (flags.json) this.printJson({ out: flags.out, ...result });
      else this.printText(`${flags.out}: ${result.records} data in ${result.blocks} blocks`);
    } finally {
      target.abandon();
    }
  }
}
