/** Two schemas put together, for commands: what a reader sees, and what stands in the way. */
import type { FieldStep, Plan, Problem, RecordPlan } from '../formats/avro/resolve/plan.ts';
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
  const { plan } = resolve(writer, reader);
  const top = 'name' in reader ? reader.name : reader.kind;
  const account = new Account();
  if (plan.op !== 'record') {
    const note = plan.op === 'refused' ? plan.problem.message : noteOf(plan);
    account.lines.push({
      path: top,
      how: plan.op === 'refused' ? 'refused' : 'read',
      writer: describeType(writer),
      reader: describeType(reader),
      ...(note && { note }),
    });
  }
  account.visit(plan, top);
  return account.lines;
}

class Account {
  readonly lines: ResolvedField[] = [];
  readonly #seen = new Set<unknown>();

  visit(plan: Plan, path: string): void {
    switch (plan.op) {
      case 'array':
        this.visit(plan.items, `${path}[]`);
        break;
      case 'map':
        this.visit(plan.values, `${path}{}`);
        break;
      case 'union':
        for (const branch of plan.branches) this.visit(branch, path);
        break;
      case 'record':
        if (!this.#seen.has(plan.steps)) {
          this.#seen.add(plan.steps);
          this.#record(plan, path);
        }
        break;
    }
  }

  #record(plan: RecordPlan, path: string): void {
    for (const step of plan.steps) this.#step(step, path);
    for (const field of plan.defaults) {
      const note = `default ${JSON.stringify(field.default!.json)}`;
      const reader = describeType(field.type);
      this.lines.push({ path: `${path}.${field.name}`, how: 'default', reader, note });
    }
  }

  #step({ writer: from, reader: into, plan }: FieldStep, path: string): void {
    const line: ResolvedField = { path: `${path}.${(into ?? from).name}`, how: 'read' };
    this.lines.push(line);
    const missing = plan.op === 'refused' && plan.problem.rule === 'missing-default';
    if (!missing) line.writer = describeType(from.type);
    if (!into) {
      line.how = 'skipped';
      return;
    }
    line.reader = describeType(into.type);
    if (into.name !== from.name) line.from = from.name;
    const note = plan.op === 'refused' ? plan.problem.message : noteOf(plan);
    if (note) line.note = note;
    if (plan.op === 'refused') line.how = 'refused';
    else this.visit(plan, line.path);
  }
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
