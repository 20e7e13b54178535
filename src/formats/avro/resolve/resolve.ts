/**
 * Schema Resolution: the plan by which data of a writer's schema is read with a reader's, and all
 * that stands in the way of it. Case by case as the specification lists them:
 * https://avro.apache.org/docs/1.12.0/specification/#schema-resolution
 */
import {
  type AvroType,
  branchName,
  describeType,
  type EnumType,
  type Field,
  isNamed,
  type RecordType,
  type UnionType,
} from '../schema/model.ts';
import { matches, namesMatch, promotes } from './match.ts';
import type { FieldStep, Plan, Problem, RecordPlan } from './plan.ts';

export interface Resolution {
  plan: Plan;
  problems: Problem[];
}

/** Resolves a writer's type to a reader's. Never throws: what does not fit is a problem. */
export function resolve(writer: AvroType, reader: AvroType): Resolution {
  const resolver = new Resolver();
  const root = isNamed(reader) ? reader.name : reader.kind;
  const plan = resolver.plan(writer, reader, root, true);
  return { plan, problems: resolver.problems };
}

/** The plan of reading what a schema wrote with itself. */
export function planOf(type: AvroType): Plan {
  return resolve(type, type).plan;
}

class Resolver {
  readonly problems: Problem[] = [];
  /** Pairs of records that are resolved, or just being so. */
  readonly #pairs = new Map<RecordType, Map<RecordType, RecordPlan>>();

  plan(writer: AvroType, reader: AvroType, path: string, always: boolean): Plan {
    if (writer.kind === 'union') return this.#writerUnion(writer, reader, path, always);
    if (reader.kind === 'union') return this.#readerUnion(writer, reader, path, always);
    const { logical } = reader;
    if (writer.kind === 'record' && reader.kind === 'record') {
      if (namesMatch(writer, reader)) return this.#record(writer, reader, path, always);
    } else if (writer.kind === 'enum' && reader.kind === 'enum') {
      if (namesMatch(writer, reader)) return this.#enum(writer, reader, path);
    } else if (writer.kind === 'fixed' && reader.kind === 'fixed') {
      if (namesMatch(writer, reader) && writer.size === reader.size) {
        return { op: 'fixed', size: writer.size, logical };
      }
    } else if (writer.kind === 'array' && reader.kind === 'array') {
      const items = this.plan(writer.items, reader.items, `${path}[]`, false);
      return { op: 'array', writer: writer.items, items, logical };
    } else if (writer.kind === 'map' && reader.kind === 'map') {
      const values = this.plan(writer.values, reader.values, `${path}{}`, false);
      return { op: 'map', writer: writer.values, values, logical };
    } else {
      const primitive = primitivePlan(writer, reader);
      if (primitive) return primitive;
    }
    return this.#refuse(mismatch(writer, reader, path, always));
  }

  #refuse(problem: Problem): Plan {
    this.problems.push(problem);
    return { op: 'refused', problem };
  }

  #writerUnion(writer: UnionType, reader: AvroType, path: string, always: boolean): Plan {
    const alone = always && writer.branches.length === 1;
    const branches = writer.branches.map((branch, i) => {
      // With the same schema on both sides a branch is itself, whatever else it would match.
      if (reader === writer) return this.#into(branch, branch, path, alone, writer);
      const at = reader.kind === 'union' ? path : `${path} (writer's branch ${i})`;
      return this.plan(branch, reader, at, alone);
    });
    return { op: 'union', branches };
  }

  #readerUnion(writer: AvroType, reader: UnionType, path: string, always: boolean): Plan {
    const able = reader.branches.filter((branch) => matches(writer, branch));
    const same = able.find(
      (branch) => branch.kind === writer.kind && branchName(branch) === branchName(writer),
    );
    const chosen = same ?? able[0];
    if (chosen) return this.#into(writer, chosen, path, always, reader);
    const what = describeType(writer);
    return this.#refuse({
      path,
      rule: 'no-branch',
      message: `the writer has ${what}, which no branch of the reader's ${describeType(reader)} takes`,
      mend: `add ${what} to the reader's union`,
      always,
    });
  }

  /** A branch of the reader's union: the plan is its own, for it carries the branch's name. */
  #into(writer: AvroType, branch: AvroType, path: string, always: boolean, of: UnionType): Plan {
    const name = branchName(branch);
    const at = of.branches.length === 1 ? path : `${path}|${name}`;
    return { ...this.plan(writer, branch, at, always), branch: name };
  }

  #enum(writer: EnumType, reader: EnumType, path: string): Plan {
    const symbols = writer.symbols.map((symbol) =>
      reader.symbols.includes(symbol) ? symbol : reader.default,
    );
    const missing = writer.symbols.filter((_, i) => symbols[i] === undefined);
    if (missing.length > 0) {
      this.problems.push({
        path,
        rule: 'enum-symbols',
        message: `the reader's enum ${reader.name} lacks ${missing.join(', ')}, and has no default`,
        mend: `add the symbols to the reader's enum, or give it a default`,
        always: false,
      });
    }
    return { op: 'enum', writer, reader, symbols, logical: reader.logical };
  }

  #record(writer: RecordType, reader: RecordType, path: string, always: boolean): Plan {
    const known = this.#pairs.get(writer)?.get(reader);
    if (known) return known;
    const plan: RecordPlan = {
      op: 'record',
      writer,
      reader,
      steps: [],
      defaults: [],
      logical: reader.logical,
    };
    const pairs = this.#pairs.get(writer) ?? new Map<RecordType, RecordPlan>();
    this.#pairs.set(writer, pairs.set(reader, plan));
    const taken = fieldPairs(writer, reader);
    for (const field of writer.fields) {
      const into = taken.get(field);
      plan.steps.push(this.#step(field, into, into && `${path}.${into.name}`, always));
    }
    const read = new Set(taken.values());
    for (const field of reader.fields) {
      if (read.has(field)) continue;
      if (field.default) {
        plan.defaults.push(field);
        continue;
      }
      const problem: Problem = {
        path: `${path}.${field.name}`,
        rule: 'missing-default',
        message: `the writer's ${writer.name} has no field ${field.name}, and the reader's has no default`,
        mend: `give ${field.name} a default in the reader's schema, or an alias of a field of the writer's`,
        always,
      };
      const refused = this.#refuse(problem);
      // Told before anything of the record is read.
      plan.steps.unshift({ writer: field, reader: field, plan: refused });
    }
    return plan;
  }

  #step(
    field: Field,
    into: Field | undefined,
    path: string | undefined,
    always: boolean,
  ): FieldStep {
    // What is passed over is read as what it was written.
    const plan = into
      ? this.plan(field.type, into.type, path!, always)
      : this.plan(field.type, field.type, '', true);
    return { writer: field, reader: into, plan };
  }
}

/** Which field of the reader each of the writer's becomes: by name, else by the reader's alias. */
function fieldPairs(writer: RecordType, reader: RecordType): Map<Field, Field> {
  const pairs = new Map<Field, Field>();
  const named = new Map(writer.fields.map((field) => [field.name, field]));
  for (const field of reader.fields) {
    const same = named.get(field.name);
    if (same) pairs.set(same, field);
  }
  for (const field of reader.fields) {
    if (named.has(field.name)) continue;
    const alias = field.aliases.find((name) => named.has(name) && !pairs.has(named.get(name)!));
    if (alias !== undefined) pairs.set(named.get(alias)!, field);
  }
  return pairs;
}

function primitivePlan(writer: AvroType, reader: AvroType): Plan | undefined {
  const { logical } = reader;
  if (isNamed(writer) || isNamed(reader)) return undefined;
  if (writer.kind === 'array' || writer.kind === 'map' || writer.kind === 'union') return undefined;
  if (writer.kind === reader.kind) return { op: writer.kind, logical };
  if (!promotes(writer.kind, reader.kind)) return undefined;
  if (reader.kind === 'bytes' || reader.kind === 'string') {
    return { op: writer.kind, as: reader.kind, logical };
  }
  const promote = reader.kind === 'float' || reader.kind === 'double' ? reader.kind : undefined;
  return { op: writer.kind, promote, logical };
}

function mismatch(writer: AvroType, reader: AvroType, path: string, always: boolean): Problem {
  if (isNamed(writer) && isNamed(reader) && writer.kind === reader.kind) {
    if (writer.kind === 'fixed' && reader.kind === 'fixed' && namesMatch(writer, reader)) {
      return {
        path,
        rule: 'fixed-size',
        message: `fixed ${writer.name} has ${writer.size} bytes in the writer's, ${reader.size} in the reader's schema`,
        mend: `give both the size ${writer.size}; a new size needs a new name`,
        always,
      };
    }
    return {
      path,
      rule: 'name-mismatch',
      message: `the writer's ${writer.kind} is ${writer.name}, the reader's ${reader.name}`,
      mend: `add the alias "${writer.name}" to the reader's ${reader.name}`,
      always,
    };
  }
  return {
    path,
    rule: 'type-mismatch',
    message: `the writer has ${describeType(writer)}, the reader ${describeType(reader)}`,
    mend: mendOf(writer, reader),
    always,
  };
}

/** The other direction of a promotion is the usual mistake. */
function mendOf(writer: AvroType, reader: AvroType): string {
  if (!isNamed(writer) && !isNamed(reader) && promotes(reader.kind, writer.kind)) {
    return `${writer.kind} does not narrow to ${reader.kind}: keep ${writer.kind} in the reader's schema`;
  }
  return `read it as ${describeType(writer)}, or as a union that has it`;
}
