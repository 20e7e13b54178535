import { Args, Flags } from '@oclif/core';
import { givenSchema } from '../../cli/avro-decode.ts';
import { packingFlags, packingOf } from '../../cli/avro-flags.ts';
import { payloadsToInspect } from '../../cli/avro-inspect.ts';
import { schemaOf } from '../../cli/avro-schema.ts';
import { limitsOf } from '../../cli/base-command.ts';
import { InspectCommand, inspectFlags } from '../../cli/inspect-command.ts';
import { inspected } from '../../cli/inspect-spans.ts';
import { openPath } from '../../cli/open.ts';
import { registryLookup } from '../../cli/registry-lookup.ts';
import { FRAMINGS } from '../../formats/avro/framing.ts';
import { usageError } from '../../shared/errors.ts';

export default class AvroInspect extends InspectCommand {
  static override summary = 'show every byte of a payload or container with its field';
  static override description =
    'A container has its schema with it. A payload has the schema of a file, or of the registry that it names by ' +
    'id; how it is framed is found out where that is beyond doubt. Payloads in hex or base64 are shown as the bytes ' +
    'that they stand for, each from 0 on.';
  static override examples = [
    `echo c30120cbe4ec8fe869590206416461 | <%= config.bin %> avro inspect - --schema fixtures/avro/schemas/user-v1.avsc --hex`,
    '<%= config.bin %> avro inspect fixtures/avro/ocf/users-null.avro --record 2',
  ];
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'payloads or container, or -',
      required: true,
    }),
  };
  static override flags = {
    schema: Flags.string({
      description: 'file with the schema of the payloads',
      exclusive: ['registry'],
    }),
    registry: Flags.string({ description: 'directory of a registry, or its URL' }),
    framing: Flags.option({ options: FRAMINGS })({
      description: 'what stands before each datum',
    }),
    ...packingFlags,
    ...inspectFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(AvroInspect);
    const { schema, registry, framing } = flags;
    const packing = packingOf(flags);
    if (schema === undefined && registry === undefined) {
      if (framing !== undefined || packing !== 'binary') {
        throw usageError('usage', 'with which schema? --schema FILE, or --registry DIR or URL');
      }
      await this.inspect(inspected(await openPath(this, args.path, 'avro')), flags);
      return;
    }
    const lookup =
      schema === undefined
        ? registryLookup(registry!)
        : givenSchema((await schemaOf(schema)).schema);
    const context = this.reading(limitsOf({ ...flags, 'max-findings': 0 }));
    const input = await payloadsToInspect(args.path, packing, lookup, framing, context);
    await this.inspect(input, flags);
  }
}
