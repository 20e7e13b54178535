/** A schema for a registry, from a file and flags. */
import { Flags } from '@oclif/core';
import { SCHEMA_TYPES, type SchemaInput, type SchemaType } from '../engines/registry/model.ts';
import { readTextFile } from '../io/file-source.ts';
import { usageError } from '../shared/errors.ts';

const REFERENCE = /^([^=]+)=(.+):(\d+)$/;

export const schemaFlags = {
  type: Flags.option({ options: SCHEMA_TYPES, default: 'AVRO' as SchemaType })({
    description: 'what the schema is written in',
  }),
  reference: Flags.string({
    description: 'what the schema refers to by a name',
    helpValue: '<name=subject:version>',
    multiple: true,
  }),
};

export function schemaArgument(
  file: string,
  flags: { type: SchemaType; reference?: string[] | undefined },
): SchemaInput {
  const references = (flags.reference ?? []).map((text) => {
    const [, name, subject, version] = REFERENCE.exec(text) ?? [];
    if (name === undefined) {
      throw usageError('usage', `--reference ${text}: expected name=subject:version`);
    }
    return { name, subject: subject!, version: Number(version) };
  });
  return { type: flags.type, text: readTextFile(file).trim(), references };
}
