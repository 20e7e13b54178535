/** What commands that write containers anew have in common. */
import { Args, Flags } from '@oclif/core';
import { CODECS } from '../formats/avro/ocf/spec.ts';
import { refuseSource } from '../io/same-place.ts';
import { byteTarget } from './avro-output.ts';
import { rewriteContainers } from './avro-rewrite.ts';
import { schemaOf } from './avro-schema.ts';
import { DdiaCommand, limitFlags, limitsOf } from './base-command.ts';
import { openPath } from './open.ts';

export abstract class AvroRewriteCommand extends DdiaCommand {
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
    const { argv, flags } = await this.parseFor(this.ctor as typeof AvroRewriteCommand);
    const inputs = [];
    for (const path of argv as string[]) inputs.push(await openPath(this, path, 'avro'));
    const schema = flags['reader-schema'];
    if (flags.out !== undefined) for (const { set } of inputs) refuseSource(flags.out, set.path);
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
        this.reading(limitsOf(flags)),
      );
      if (flags.out === undefined) return;
      if (flags.json) this.printJson({ out: flags.out, ...result });
      else this.printText(`${flags.out}: ${result.records} data in ${result.blocks} blocks`);
    } finally {
      target.abandon();
    }
  }
}
