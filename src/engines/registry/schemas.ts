/** Schemas as a registry looks at them: whether they are valid, and compatible with older ones. */
import {
  type CompatibilityLevel,
  incompatibilities,
} from '../../formats/avro/resolve/compatibility.ts';
import type { NamedType, Schema } from '../../formats/avro/schema/model.ts';
import { parseSchema } from '../../formats/avro/schema/parse.ts';
import { DdiaError } from '../../shared/errors.ts';
import { ERRORS, type Reference, type SchemaInput } from './model.ts';
import type { RegistryState } from './state.ts';

/** References of references, and so on: more is a circle. */
const REFERENCES_DEEP_MAX = 32;

/** The parsed schema, with what it refers to. Throws a RegistryError if it is not valid. */
export function parseStored(state: RegistryState, schema: SchemaInput): Schema {
  try {
    return parseSchema(schema.text, knownTypes(state, schema.references, 0));
  } catch (error) {
    if (!(error instanceof DdiaError) || error.code !== 'bad-schema') throw error;
    throw ERRORS.invalidSchema(error.hint ? `${error.message}; ${error.hint}` : error.message);
  }
}

function knownTypes(
  state: RegistryState,
  references: readonly Reference[],
  depth: number,
): Map<string, NamedType> {
  if (depth > REFERENCES_DEEP_MAX) throw ERRORS.invalidSchema('references go around in a circle');
  const known = new Map<string, NamedType>();
  for (const { subject, version } of references) {
    const found = state.subjects.get(subject)?.versions.get(version);
    const schema = found && state.schemas.get(found.id);
    if (!schema) {
      throw ERRORS.invalidSchema(
        `No schema reference found for subject '${subject}' and version ${version}`,
      );
    }
    const inner = knownTypes(state, schema.references, depth + 1);
    for (const [name, type] of inner) known.set(name, type);
    for (const [name, type] of parseSchema(schema.text, inner).names) known.set(name, type);
  }
  return known;
}

/** Throws a RegistryError unless the schema is one of its type. */
export function validate(state: RegistryState, schema: SchemaInput): void {
  if (schema.type === 'AVRO') {
    parseStored(state, schema);
    return;
  }
  if (schema.type === 'PROTOBUF') {
    if (schema.text.trim() === '') throw ERRORS.invalidSchema('it is empty');
    return;
  }
  try {
    JSON.parse(schema.text);
  } catch (error) {
    throw ERRORS.invalidSchema((error as Error).message);
  }
}

/** What stands between a new schema and the older versions; empty if they go together. */
export function incompatibleWith(
  state: RegistryState,
  schema: SchemaInput,
  older: readonly { version: number; schema: SchemaInput }[],
  level: CompatibilityLevel,
): string[] {
  if (level === 'NONE' || older.length === 0) return [];
  const counted = level.endsWith('_TRANSITIVE') ? older : older.slice(-1);
  const other = counted.find((one) => one.schema.type !== schema.type);
  if (other) {
    return [`version ${other.version} is ${other.schema.type}, the new schema ${schema.type}`];
  }
  if (schema.type !== 'AVRO') {
    throw ERRORS.notPermitted(
      `Compatibility of ${schema.type} schemas cannot be judged, only that of AVRO: set the subject's compatibility to NONE to register further versions`,
    );
  }
  const fresh = parseStored(state, schema).root;
  const types = counted.map((one) => parseStored(state, one.schema).root);
  return incompatibilities(fresh, types, level).map(
    ({ direction, against, path, rule, message, mend }) =>
      `${direction} with version ${counted[against]!.version}: ${path}: ${rule}: ${message}; to mend it: ${mend}`,
  );
}
