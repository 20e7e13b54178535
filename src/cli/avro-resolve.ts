/** Two schemas put together, for commands: what a reader sees, and what stands in the way. */
import type { Plan, Problem } from '../formats/avro/resolve/plan.ts';
import { resolve } from '../formats/avro/resolve/resolve.ts';
import { type AvroType, describeType } from '../formats/avro/schema/model.ts';
import { DdiaError } from '../shared/errors.ts';

/** Refuses schemas of which no datum at all can be read, before anything is. */
export function refuseImpossible(writer: AvroType, reader: AvroType): void {
  const problem = resolve(writer, reader).problems.find(({ always }) => always);
  if (!problem) return;
  throw new DdiaError(
    'incompatible-schema',
    `the reader's schema cannot read these data: ${problem.path}: ${problem.message}`,
    problem.mend,
  );
}

export interface ResolvedField {
  /** In the reader's schema; of what is passed over, in the writer's. */
  path: string;
  /** `read`, `default`, `skipped` or `refused`. */
  how: 'read' | 'default' | 'skipped' | 'refused';
  /** The field of the writer's that it is read from, where that has another name. */
  from?: string;
  writer?: string;
  reader?: string;
  /** What is done with the value on the way. */
  note?: string;
}

/** What becomes of each field, record by record; types that refer to themselves once. */
export function resolvedFields(writer: AvroType, reader: AvroType): ResolvedField[] {
  const lines: ResolvedField[] = [];
  const seen = new Set<unknown>();
  const visit = (plan: Plan, path: string): void => {
    switch (plan.op) {
      case 'array':
        visit(plan.items, `${path}[]`);
        break;
      case 'map':
        visit(plan.values, `${path}{}`);
        break;
      case 'union':
        for (const branch of plan.branches) visit(branch, path);
        break;
      case 'record':
        if (!seen.has(plan.steps)) {
          seen.add(plan.steps);
          fields(plan, path);
        }
        break;
    }
  };
  const fields = (plan: Extract<Plan, { op: 'record' }>, path: string): void => {
    for (const step of plan.steps) {
      const { writer: from, reader: into, plan: inner } = step;
      const line: ResolvedField = { path: `${path}.${(into ?? from).name}`, how: 'read' };
      lines.push(line);
      if (inner.op === 'refused' && inner.problem.rule === 'missing-default') {
        Object.assign(line, { how: 'refused', reader: describeType(into!.type) });
        line.note = inner.problem.message;
        continue;
      }
      line.writer = describeType(from.type);
      if (!into) {
        line.how = 'skipped';
        continue;
      }
      line.reader = describeType(into.type);
      if (into.name !== from.name) line.from = from.name;
      if (inner.op === 'refused') {
        line.how = 'refused';
        line.note = inner.problem.message;
      } else {
        const note = noteOf(inner);
        if (note) line.note = note;
        visit(inner, line.path);
      }
    }
    for (const field of plan.defaults) {
      const note = `default ${JSON.stringify(field.default!.json)}`;
      const path_ = `${path}.${field.name}`;
      lines.push({ path: path_, how: 'default', reader: describeType(field.type), note });
    }
  };
  const { plan } = resolve(writer, reader);
  const top = 'name' in reader ? reader.name : reader.kind;
  if (plan.op !== 'record') {
    const line: ResolvedField = {
      path: top,
      how: plan.op === 'refused' ? 'refused' : 'read',
      writer: describeType(writer),
      reader: describeType(reader),
    };
    const note = plan.op === 'refused' ? plan.problem.message : noteOf(plan);
    if (note) line.note = note;
    lines.push(line);
  }
  visit(plan, top);
  return lines;
}

function noteOf(plan: Plan): string | undefined {
  const notes: string[] = [];
  if (plan.op === 'union') {
    for (const branch of plan.branches) {
      if (branch.op === 'refused') notes.push(`refused: ${branch.problem.message}`);
    }
    return notes.join('; ') || undefined;
  }
  if (plan.op === 'enum') {
    const lost = plan.writer.symbols.filter((symbol, i) => plan.symbols[i] !== symbol);
    if (lost.length === 0) return undefined;
    const instead = plan.reader.default;
    return instead === undefined
      ? `refused: ${lost.join(', ')}`
      : `${lost.join(', ')} become ${instead}`;
  }
  if ('promote' in plan && plan.promote) notes.push(`${plan.op} becomes ${plan.promote}`);
  if ('as' in plan && plan.as) notes.push(`${plan.op} becomes ${plan.as}`);
  if (plan.branch) notes.push(`into branch ${plan.branch}`);
  return notes.join('; ') || undefined;
}

/** A problem in a sentence. */
export function problemText({ path, rule, message, mend }: Problem): string {
  return `${path}: ${rule}: ${message}\n    to mend it: ${mend}`;
}
