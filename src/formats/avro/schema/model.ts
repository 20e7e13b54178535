/**
 * A schema as it was understood: names resolved, references tied, defaults checked. Named types
 * that refer to themselves make it a graph with cycles. The words are those of the specification:
 * https://avro.apache.org/docs/1.12.0/specification/
 */
import { DdiaError, EXIT } from '../../../shared/errors.ts';

export const PRIMITIVES = [
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
] as const;
export type Primitive = (typeof PRIMITIVES)[number];

/** What the bytes of a type mean beyond it. Those that do not fit their type are ignored. */
export interface Logical {
  name:
    | 'decimal'
    | 'big-decimal'
    | 'uuid'
    | 'date'
    | 'time-millis'
    | 'time-micros'
    | 'timestamp-millis'
    | 'timestamp-micros'
    | 'timestamp-nanos'
    | 'local-timestamp-millis'
    | 'local-timestamp-micros'
    | 'local-timestamp-nanos'
    | 'duration';
  /** Of decimal. */
  precision?: number;
  scale?: number;
}

interface Typed {
  logical?: Logical;
}

export interface PrimitiveType extends Typed {
  kind: Primitive;
}

export interface FixedType extends Typed {
  kind: 'fixed';
  /** The full name, with its namespace. */
  name: string;
  aliases: string[];
  size: number;
}

export interface EnumType extends Typed {
  kind: 'enum';
  name: string;
  aliases: string[];
  symbols: string[];
  default: string | undefined;
}

export interface Field {
  name: string;
  type: AvroType;
  aliases: string[];
  /** Absent where there is none: no default and a default of null are different things. */
  default?: { json: unknown };
}

export interface RecordType extends Typed {
  kind: 'record';
  /** `error` differs from `record` in nothing that concerns its bytes. */
  error: boolean;
  name: string;
  aliases: string[];
  fields: Field[];
}

export interface ArrayType extends Typed {
  kind: 'array';
  items: AvroType;
}

export interface MapType extends Typed {
  kind: 'map';
  values: AvroType;
}

export interface UnionType extends Typed {
  kind: 'union';
  branches: AvroType[];
}

export type NamedType = FixedType | EnumType | RecordType;
export type AvroType = PrimitiveType | NamedType | ArrayType | MapType | UnionType;

export interface Schema {
  root: AvroType;
  /** All named types, by full name, in the order in which they are defined. */
  names: Map<string, NamedType>;
  /** What was ignored, as the specification asks: logical types that do not fit. */
  ignored: string[];
  /** As it was given. */
  json: unknown;
}

/** A schema that breaks the rules; the message has the path. */
export class SchemaError extends DdiaError {
  constructor(path: string, message: string, hint?: string) {
    super('bad-schema', `schema at ${path}: ${message}`, hint, EXIT.failed);
  }
}

export function isNamed(type: AvroType): type is NamedType {
  return type.kind === 'record' || type.kind === 'enum' || type.kind === 'fixed';
}

/** How a type is told from others of a union, and what the JSON encoding calls it. */
export function branchName(type: AvroType): string {
  return isNamed(type) ? type.name : type.kind;
}

/** The part of a full name behind the namespace. */
export function unqualified(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** A type in few words, for messages. */
export function describeType(type: AvroType): string {
  switch (type.kind) {
    case 'record':
    case 'enum':
      return `${type.kind} ${type.name}`;
    case 'fixed':
      return `fixed ${type.name} of ${type.size} bytes`;
    case 'array':
      return `array of ${describeType(type.items)}`;
    case 'map':
      return `map of ${describeType(type.values)}`;
    case 'union':
      return `union of ${type.branches.map(describeType).join(', ')}`;
    default:
      return type.kind;
  }
}

/**
 * The fewest bytes that a datum of each type takes. What refers to itself counts as nothing while
 * it is looked at: a lower bound is all that is asked for. Each record is looked at once, for in
 * a schema that somebody made to be hard the ways through it are beyond counting.
 */
export function minimumBytes(type: AvroType): number {
  switch (type.kind) {
    case 'null':
      return 0;
    case 'float':
      return 4;
    case 'double':
      return 8;
    case 'fixed':
      return type.size;
    case 'record': {
      const known = MINIMUM.get(type.fields);
      if (known !== undefined) return known;
      MINIMUM.set(type.fields, 0);
      const sum = type.fields.reduce((all, field) => all + minimumBytes(field.type), 0);
      MINIMUM.set(type.fields, sum);
      return sum;
    }
    default:
      return 1;
  }
}

/** By the fields of a record, which its copies share. */
const MINIMUM = new WeakMap<readonly Field[], number>();
