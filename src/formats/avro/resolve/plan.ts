/**
 * What a reader does with a writer's bytes: the outcome of resolving two schemas, before any byte
 * is seen. Everything that reads data walks such a plan, or is code made from one. A plan for one
 * schema alone is that of the schema with itself. Plans of recursive types are graphs with cycles.
 */
import type { AvroType, EnumType, Field, Logical, Primitive, RecordType } from '../schema/model.ts';

/** Numbers that are read as one thing and given as another. */
export type Promotion = 'float' | 'double';

interface Resolved {
  /** The reader's, which says what the value means. */
  logical?: Logical | undefined;
  /** Of the branch of the reader's union that this becomes, where it stands in one. */
  branch?: string | undefined;
}

export interface PrimitivePlan extends Resolved {
  op: Primitive;
  promote?: Promotion | undefined;
  /** bytes read as a string, or a string read as bytes. */
  as?: 'bytes' | 'string' | undefined;
}

export interface FixedPlan extends Resolved {
  op: 'fixed';
  size: number;
}

export interface EnumPlan extends Resolved {
  op: 'enum';
  writer: EnumType;
  reader: EnumType;
  /** By the writer's index; undefined: the reader has neither the symbol nor a default. */
  symbols: (string | undefined)[];
}

export interface ArrayPlan extends Resolved {
  op: 'array';
  writer: AvroType;
  items: Plan;
}

export interface MapPlan extends Resolved {
  op: 'map';
  writer: AvroType;
  values: Plan;
}

/** One step through the writer's fields: kept under the reader's name, or passed over. */
export interface FieldStep {
  writer: Field;
  /** The reader's field; undefined: the bytes are passed over. */
  reader: Field | undefined;
  plan: Plan;
}

export interface RecordPlan extends Resolved {
  op: 'record';
  writer: RecordType;
  reader: RecordType;
  /** In the writer's order. Plans of the same pair of records share this very array. */
  steps: FieldStep[];
  /** Fields of the reader that the writer lacks. */
  defaults: Field[];
}

export interface UnionPlan extends Resolved {
  op: 'union';
  branches: Plan[];
}

/** Data that gets here cannot be read. */
export interface RefusedPlan extends Resolved {
  op: 'refused';
  problem: Problem;
}

export type Plan =
  | PrimitivePlan
  | FixedPlan
  | EnumPlan
  | ArrayPlan
  | MapPlan
  | RecordPlan
  | UnionPlan
  | RefusedPlan;

/** Why two schemas do not go together. */
export interface Problem {
  /** In the reader's schema, as far as both go together. */
  path: string;
  /** Stable words for the rule of the specification. */
  rule:
    | 'type-mismatch'
    | 'name-mismatch'
    | 'fixed-size'
    | 'missing-default'
    | 'enum-symbols'
    | 'no-branch';
  message: string;
  /** What would make them go together. */
  mend: string;
  /** True where no datum at all can be read, false where it depends on what is in the data. */
  always: boolean;
}
