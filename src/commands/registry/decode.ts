import { Args } from '@oclif/core';
import { DecodeCommand, decodeFlags } from '../../cli/avro-decode-command.ts';
import { registryLookup } from '../../cli/registry-lookup.ts';

export default class RegistryDecode extends DecodeCommand {
  static override summary = 'decode payloads with the schemas of a registry';
  static override description =
    'As avro decode --registry. An id that the registry does not have is a finding.';
  static override examples = [
    'echo 00000000010206416461 | <%= config.bin %> registry decode fixtures/avro/registry --hex',
    'echo 000000010206416461 | <%= config.bin %> registry decode fixtures/avro/registry --hex --framing registry-v1',
  ];
  static override args = {
    registry: Args.string({
      ignoreStdin: true,
      description: 'directory of the registry, or its URL',
      required: true,
    }),
    input: Args.string({ ignoreStdin: true, description: 'payloads, or -', default: '-' }),
  };
  static override flags = decodeFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(RegistryDecode);
    await this.decode(args.input, registryLookup(args.registry), flags);
  }
}
