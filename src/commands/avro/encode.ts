import { Args, Flags } from '@oclif/core';
import { encodeLines, type Packing } from '../../cli/avro-encode.ts';
import { encodingFlag, packingFlags, packingOf } from '../../cli/avro-flags.ts';
import { byteTarget } from '../../cli/avro-output.ts';
import { schemaOf } from '../../cli/avro-schema.ts';
import { DdiaCommand } from '../../cli/base-command.ts';
import type { Framing } from '../../formats/avro/framing.ts';
import { CODECS } from '../../formats/avro/ocf/spec.ts';

const KIND = { exclusive: ['ocf', 'single-object', 'confluent', 'registry-v1'] };

function kind(own: string): { exclusive: string[] } {
  return { exclusive: KIND.exclusive.filter((name) => name !== own) };
}

export default class AvroEncode extends DdiaCommand {
  static override summary = 'encode lines of JSON: to a container, or to payloads';
  static override description =
    'One value a line. Without a kind, a line is one bare datum. A value that does not fit its type is an error ' +
    'with its line and path, and nothing is written.';
  static override examples = [
    `echo '{"id":1,"name":"Ada"}' | <%= config.bin %> avro encode --schema fixtures/avro/schemas/user-v1.avsc --confluent 7 --hex`,
    '<%= config.bin %> avro cat fixtures/avro/ocf/users-null.avro | <%= config.bin %> avro encode --schema fixtures/avro/ocf/users-null.avro --ocf --codec zstandard --out /tmp/ddia-users.avro',
  ];
  static override args = {
    input: Args.string({ ignoreStdin: true, description: 'lines of JSON, or -', default: '-' }),
  };
  static override flags = {
    schema: Flags.string({
      description: 'file with the schema, or a container of it',
      required: true,
    }),
    ocf: Flags.boolean({ description: 'a container', ...kind('ocf') }),
    codec: Flags.option({ options: CODECS, dependsOn: ['ocf'] })({
      description: 'how the blocks of the container are compressed [default: null]',
    }),
    'block-bytes': Flags.integer({
      description: 'a block of the container at or over this size is closed',
      min: 1,
      dependsOn: ['ocf'],
    }),
    marker: Flags.string({
      description: 'words that the marker is made of: the same file each time',
      dependsOn: ['ocf'],
    }),
    'single-object': Flags.boolean({
      description: 'payloads with the fingerprint of the schema',
      ...kind('single-object'),
    }),
    confluent: Flags.integer({
      description: 'payloads with this schema id, as Confluent has them',
      helpValue: '<id>',
      min: 0,
      max: 0xffff_ffff,
      ...kind('confluent'),
    }),
    'registry-v1': Flags.integer({
      description: 'payloads with this schema id and no mark before it',
      helpValue: '<id>',
      min: 0,
      max: 0xffff_ffff,
      ...kind('registry-v1'),
    }),
    ...encodingFlag,
    ...packingFlags,
    out: Flags.string({ description: 'file to write; standard output without it' }),
    force: Flags.boolean({ description: 'replace what is there' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(AvroEncode);
    const schema = await schemaOf(flags.schema);
    const framing: Framing = flags['single-object']
      ? 'single-object'
      : flags.confluent !== undefined
        ? 'confluent'
        : flags['registry-v1'] !== undefined
          ? 'registry-v1'
          : 'raw';
    const packing: Packing = packingOf(flags);
    const target = byteTarget(this.out, flags.out, flags.force);
    try {
      const records = await encodeLines(
        args.input,
        schema,
        {
          mode: flags['json-encoding'] === 'avro' ? 'avro' : 'value',
          codec: flags.ocf ? (flags.codec ?? 'null') : undefined,
          blockBytes: flags['block-bytes'],
          markerSeed: flags.marker,
          framing,
          schemaId: flags.confluent ?? flags['registry-v1'],
          packing,
        },
        target,
        this.signal,
      );
      target.finish();
      if (flags.out !== undefined && flags.json) this.printJson({ out: flags.out, records });
      else if (flags.out !== undefined) this.printText(`${flags.out}: ${records} data`);
    } finally {
      target.abandon();
    }
  }
}
