import { Args, Flags } from '@oclif/core';
import { givenSchema } from '../../cli/avro-decode.ts';
import { DecodeCommand, decodeFlags } from '../../cli/avro-decode-command.ts';
import { schemaOf } from '../../cli/avro-schema.ts';
import { registryLookup } from '../../cli/registry-lookup.ts';
import { usageError } from '../../shared/errors.ts';

export default class AvroDecode extends DecodeCommand {
  static override summary = 'decode payloads to lines of JSON';
  static override description =
    'The schema is a file, or of the registry that a payload names by id. How a payload is framed is found out ' +
    'where that is beyond doubt. What is wrong is told with its byte offset and place in the schema, and ends ' +
    'with 1; bytes behind the datum are a finding too, for they are the sign of a wrong schema.';
  static override examples = [
    `echo c30120cbe4ec8fe869590206416461 | <%= config.bin %> avro decode --schema fixtures/avro/schemas/user-v1.avsc --hex`,
    `echo 00000000070206416461 | <%= config.bin %> avro decode --schema fixtures/avro/schemas/user-v1.avsc --hex`,
  ];
  static override args = {
    input: Args.string({ ignoreStdin: true, description: 'payloads, or -', default: '-' }),
  };
  static override flags = {
    schema: Flags.string({ description: 'file with the schema', exclusive: ['registry'] }),
    registry: Flags.string({ description: 'directory of a registry, or its URL' }),
    ...decodeFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(AvroDecode);
    const lookup =
      flags.schema !== undefined
        ? givenSchema((await schemaOf(flags.schema)).schema)
        : flags.registry !== undefined
          ? registryLookup(flags.registry)
          : undefined;
    if (!lookup)
      throw usageError('usage', 'with which schema? --schema FILE, or --registry DIR or URL');
    await this.decode(args.input, lookup, flags);
  }
}
