/**
 * What a schema registry holds: schemas by id, and subjects with numbered versions of them. The
 * words and the numbers of errors are those of the Schema Registry's REST interface:
 * https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */
import type { CompatibilityLevel } from '../../formats/avro/resolve/compatibility.ts';
import { DdiaError, EXIT } from '../../shared/errors.ts';

export const SCHEMA_TYPES = ['AVRO', 'JSON', 'PROTOBUF'] as const;
export type SchemaType = (typeof SCHEMA_TYPES)[number];

export const MODES = ['READWRITE', 'READONLY', 'IMPORT'] as const;
export type RegistryMode = (typeof MODES)[number];

/** A name by which a schema refers to a version of another subject. */
export interface Reference {
  name: string;
  subject: string;
  version: number;
}

export interface StoredSchema {
  id: number;
  type: SchemaType;
  /** As it was registered. */
  text: string;
  references: Reference[];
}

/** A schema before it has an id. */
export type SchemaInput = Omit<StoredSchema, 'id'>;

export interface StoredVersion {
  version: number;
  id: number;
  /** Softly: it can still be had by who asks for deleted ones. */
  deleted: boolean;
}

export interface Subject {
  versions: Map<number, StoredVersion>;
  /** Numbers are not given again, whatever is deleted for good. */
  nextVersion: number;
}

/** All that changes a registry; what its log holds, one a record. */
export type RegistryEvent =
  | ({ kind: 'register'; subject: string; version: number; deleted?: boolean } & StoredSchema)
  | { kind: 'delete'; subject: string; versions: number[]; permanent: boolean }
  | { kind: 'config'; subject: string | null; level: CompatibilityLevel | null }
  | { kind: 'mode'; subject: string | null; mode: RegistryMode | null };

/** A request that cannot be met, with the number that clients of the interface know. */
export class RegistryError extends DdiaError {
  constructor(
    readonly errorCode: number,
    message: string,
    hint?: string,
  ) {
    super(`registry-${errorCode}`, message, hint, errorCode >= 50_000 ? EXIT.failed : EXIT.damage);
  }

  /** The HTTP status: the first three digits. */
  get status(): number {
    return this.errorCode < 1000 ? this.errorCode : Math.floor(this.errorCode / 100);
  }
}

export const ERRORS = {
  subjectNotFound: (subject: string) => new RegistryError(40401, `Subject '${subject}' not found.`),
  versionNotFound: (version: number | string) =>
    new RegistryError(40402, `Version ${version} not found.`),
  schemaNotFound: (what = 'Schema not found') => new RegistryError(40403, what),
  subjectSoftDeleted: (subject: string) =>
    new RegistryError(
      40404,
      `Subject '${subject}' was soft deleted. Set permanent=true to delete permanently.`,
    ),
  subjectNotSoftDeleted: (subject: string) =>
    new RegistryError(
      40405,
      `Subject '${subject}' was not deleted first before being permanently deleted.`,
    ),
  versionSoftDeleted: (subject: string, version: number) =>
    new RegistryError(
      40406,
      `Subject '${subject}' Version ${version} was soft deleted. Set permanent=true to delete permanently.`,
    ),
  versionNotSoftDeleted: (subject: string, version: number) =>
    new RegistryError(
      40407,
      `Subject '${subject}' Version ${version} was not deleted first before being permanently deleted.`,
    ),
  configNotFound: (subject: string) =>
    new RegistryError(
      40408,
      `Subject '${subject}' does not have subject-level compatibility configured.`,
    ),
  modeNotFound: (subject: string) =>
    new RegistryError(40409, `Subject '${subject}' does not have subject-level mode configured.`),
  incompatible: (why: string) => new RegistryError(409, why),
  invalidSchema: (why: string) => new RegistryError(42201, `Invalid schema: ${why}`),
  invalidVersion: (version: string) =>
    new RegistryError(
      42202,
      `The specified version '${version}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest".`,
    ),
  invalidLevel: (level: unknown) =>
    new RegistryError(
      42203,
      `Invalid compatibility level ${JSON.stringify(level)}. Valid values are NONE, BACKWARD, FORWARD, FULL, and the last three with _TRANSITIVE.`,
    ),
  invalidMode: (mode: unknown) =>
    new RegistryError(
      42204,
      `Invalid mode ${JSON.stringify(mode)}. Valid are ${MODES.join(', ')}.`,
    ),
  notPermitted: (why: string) => new RegistryError(42205, why),
  referenceExists: (why: string) => new RegistryError(42206, why),
} as const;
