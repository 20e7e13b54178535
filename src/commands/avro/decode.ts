import { Args, Flags } from '@oclif/core';
import { givenSchema, PayloadDecoder, type PayloadFinding } from '../../cli/avro-decode.ts';
import { jsonFlags, modeOf, packingFlags, packingOf } from '../../cli/avro-flags.ts';
import { readPayloads } from '../../cli/avro-payloads.ts';
import { schemaOf } from '../../cli/avro-schema.ts';
import { DdiaCommand, limitFlags, limitsOf } from '../../cli/base-command.ts';
import { FRAMINGS } from '../../formats/avro/framing.ts';
import { EXIT } from '../../shared/errors.ts';

export default class AvroDecode extends DdiaCommand {
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
    schema: Flags.string({ description: 'file with the schema', required: true }),
    'reader-schema': Flags.string({ description: 'file with the schema to read them by' }),
    framing: Flags.option({ options: FRAMINGS })({
      description: 'what stands before each datum',
    }),
    ...jsonFlags,
    ...packingFlags,
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(AvroDecode);
    const lookup = givenSchema((await schemaOf(flags.schema)).schema);
    const reader = flags['reader-schema'];
    const decoder = new PayloadDecoder(
      lookup,
      reader === undefined ? undefined : (await schemaOf(reader)).schema,
      flags.framing,
      modeOf(flags),
    );
    const context = { limits: limitsOf(flags), signal: this.signal };
    await readPayloads(args.input, packingOf(flags), context, async (payload, number) => {
      const findings = await decoder.decode(payload, number);
      this.out.raw(decoder.out.bytes, 0, decoder.out.at);
      decoder.out.at = 0;
      if (findings.length > 0) this.out.flush();
      for (const finding of findings) {
        process.stderr.write(`${lineOf(finding)}\n`);
        if (finding.severity === 'error') process.exitCode = EXIT.damage;
      }
    });
    this.out.flush();
  }
}

function lineOf({ severity, code, payload, offset, length, message }: PayloadFinding): string {
  return `${severity}: ${code} payload ${payload} @ ${offset} +${length}: ${message}`;
}
