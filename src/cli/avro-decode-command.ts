/** What avro decode and registry decode share: flags, and the way from payloads to lines. */
import { Flags } from '@oclif/core';
import { FRAMINGS, type Framing } from '../formats/avro/framing.ts';
import { EXIT } from '../shared/errors.ts';
import { PayloadDecoder, type PayloadFinding, type SchemaLookup } from './avro-decode.ts';
import { jsonFlags, modeOf, packingFlags, packingOf } from './avro-flags.ts';
import { readPayloads } from './avro-payloads.ts';
import { schemaOf } from './avro-schema.ts';
import { DdiaCommand, limitFlags, limitsOf } from './base-command.ts';

export const decodeFlags = {
  'reader-schema': Flags.string({ description: 'file with the schema to read them by' }),
  framing: Flags.option({ options: FRAMINGS })({
    description: 'what stands before each datum',
  }),
  ...jsonFlags,
  ...packingFlags,
  ...limitFlags,
};

export interface DecodeFlags {
  'reader-schema'?: string | undefined;
  framing?: Framing | undefined;
  'json-encoding': 'plain' | 'avro';
  logical: boolean;
  hex: boolean;
  base64: boolean;
  'length-prefixed': boolean;
  'max-record-bytes': number;
  'max-findings': number;
}

export abstract class DecodeCommand extends DdiaCommand {
  protected async decode(input: string, lookup: SchemaLookup, flags: DecodeFlags): Promise<void> {
    const reader = flags['reader-schema'];
    const decoder = new PayloadDecoder(
      lookup,
      reader === undefined ? undefined : (await schemaOf(reader)).schema,
      flags.framing,
      modeOf(flags),
    );
    const context = this.reading(limitsOf(flags));
    await readPayloads(input, packingOf(flags), context, async (payload, number) => {
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
