/**
 * Readers that make values of JavaScript: code generated once per plan, for a reader that asks a
 * schema at every field runs at a third of the speed.
 */
import type { FieldStep, Plan, RecordPlan } from '../resolve/plan.ts';
import { planOf } from '../resolve/resolve.ts';
import { type Field, minimumBytes } from '../schema/model.ts';
import { Coder, recordGuard } from './coder.ts';
import { Cursor } from './cursor.ts';
import { defaultBytes } from './default-bytes.ts';
import { logicalText } from './logical-text.ts';
import type { ModeOptions } from './mode.ts';
import { hexObject, jsonNumber } from './plain.ts';
import { skipCode } from './skip-code.ts';

export type ValueReader = (cursor: Cursor) => unknown;

/** A reader of one datum. It throws BREACH at what breaks a rule; see Cursor. */
export function valueReader(plan: Plan, options: ModeOptions): ValueReader {
  const maker = new ValueCoder(options);
  const expression = maker.expression(plan);
  return maker.coder.build(`(c)=>${expression}`);
}

class ValueCoder {
  readonly coder = new Coder();
  readonly #plain: boolean;

  constructor(readonly options: ModeOptions) {
    this.#plain = options.mode !== 'native';
  }

  /** What reads a datum off `c` and is its value. */
  expression(plan: Plan): string {
    const { coder } = this;
    const { logical } = plan;
    if (this.options.logical && logical && plan.op !== 'record') {
      const text = coder.constant(logicalText(logical));
      const bare = new ValueCoder({ mode: 'native', logical: false });
      // Logical types stand on types without names of routines: a coder of its own makes no clash.
      return `${text}(${bare.expression({ ...plan, logical: undefined })})`;
    }
    switch (plan.op) {
      case 'null':
        return 'null';
      case 'boolean':
        return 'c.boolean()';
      case 'enum':
        return this.#enum(plan.symbols, plan.writer.symbols.length, plan.reader.name);
      case 'int':
        return plan.promote === 'float' ? 'Math.fround(c.int())' : 'c.int()';
      case 'long':
        return this.#long(plan.promote);
      case 'float':
      case 'double':
        return this.#plain ? `${coder.constant(jsonNumber)}(c.${plan.op}())` : `c.${plan.op}()`;
      case 'bytes':
      case 'string': {
        const kind = plan.as ?? plan.op;
        if (kind === 'string') return 'c.string()';
        return this.#bytes('c.bytesValue()');
      }
      case 'fixed':
        return this.#bytes(`c.fixed(${plan.size})`);
      case 'array':
        return `${this.#array(plan)}(c)`;
      case 'map':
        return `${this.#map(plan)}(c)`;
      case 'union':
        return `${this.#union(plan)}(c)`;
      case 'record':
        return `${this.#record(plan)}(c)`;
      case 'refused':
        return `c.refuse(${coder.constant(plan.problem)})`;
    }
  }

  #bytes(expression: string): string {
    return this.#plain ? `${this.coder.constant(hexObject)}(${expression})` : expression;
  }

  #long(promote: 'float' | 'double' | undefined): string {
    if (promote === 'float') return 'Math.fround(Number(c.long()))';
    if (promote === 'double') return 'Number(c.long())';
    return this.#plain ? `${this.coder.constant(jsonNumber)}(c.long())` : 'c.long()';
  }

  #enum(symbols: readonly (string | undefined)[], count: number, name: string): string {
    const { coder } = this;
    if (!symbols.includes(undefined)) return `${coder.constant(symbols)}[c.enum(${count})]`;
    const pick = (cursor: Cursor): string => {
      const index = cursor.enum(count);
      return symbols[index] ?? cursor.refuse(enumProblem(name, index));
    };
    return `${coder.constant(pick)}(c)`;
  }

  #array(plan: Extract<Plan, { op: 'array' }>): string {
    return this.coder.routine(
      plan,
      'array',
      () =>
        `const a=[];for(;;){const n=c.block(${minimumBytes(plan.writer)});if(n===0)break;` +
        `const e=c.blockEnd;for(let i=0;i<n;i++)a.push(${this.expression(plan.items)});` +
        'if(c.at>c.end||(e>=0&&c.at!==e))c.fail();}',
      () => 'a',
    );
  }

  #map(plan: Extract<Plan, { op: 'map' }>): string {
    const put = this.coder.constant(setKey);
    return this.coder.routine(
      plan,
      'map',
      () =>
        `const m={};for(;;){const n=c.block(${1 + minimumBytes(plan.writer)});if(n===0)break;` +
        'const e=c.blockEnd;for(let i=0;i<n;i++){const k=c.string(),' +
        `v=${this.expression(plan.values)};if(k==='__proto__')${put}(m,v);else m[k]=v;}` +
        'if(c.at>c.end||(e>=0&&c.at!==e))c.fail();}',
      () => 'm',
    );
  }

  #union(plan: Extract<Plan, { op: 'union' }>): string {
    return this.coder.routine(plan, 'union', () => {
      const cases = plan.branches.map((one, i) => `case ${i}:return ${this.expression(one)};`);
      return `switch(c.int()){${cases.join('')}default:c.fail();}`;
    });
  }

  #record(plan: RecordPlan): string {
    const { steps, reader } = plan;
    let names = new Map<Field, string>();
    return this.coder.routine(
      steps,
      'record',
      () => {
        names = new Map();
        const read = steps.map((step, i) => this.#step(step, i, names)).join('');
        const defaults = plan.defaults.map((field, i) => {
          names.set(field, `d${i}`);
          return `const d${i}=${this.#default(field)};`;
        });
        return recordGuard(plan.writer) + read + defaults.join('');
      },
      () => {
        const fields = reader.fields
          .filter((field) => names.has(field))
          .map((field) => `${propertyName(field.name)}:${names.get(field)}`);
        return `{${fields.join(',')}}`;
      },
      true,
    );
  }

  #step({ reader, plan }: FieldStep, i: number, names: Map<Field, string>): string {
    if (!reader) return skipCode(this.coder, plan);
    names.set(reader, `v${i}`);
    return `const v${i}=${this.expression(plan)};`;
  }

  /** Values that nobody can change are made once, others for each record. */
  #default(field: Field): string {
    const bytes = defaultBytes(field.type, field.default!.json);
    const read = valueReader(planOf(field.type), this.options);
    const make = (): unknown => {
      const cursor = new Cursor();
      cursor.open(bytes, 0, bytes.length);
      return read(cursor);
    };
    const value = make();
    const shared = typeof value !== 'object' || value === null;
    return shared ? this.coder.constant(value) : `${this.coder.constant(make)}()`;
  }
}

function setKey(object: Record<string, unknown>, value: unknown): void {
  Object.defineProperty(object, '__proto__', {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/** In brackets `__proto__` is a name like any other. */
function propertyName(name: string): string {
  return name === '__proto__' ? '["__proto__"]' : JSON.stringify(name);
}

export function enumProblem(name: string, index: number) {
  return {
    path: name,
    rule: 'enum-symbols' as const,
    message: `the reader's enum ${name} lacks the writer's symbol of index ${index}, and has no default`,
    mend: "add the symbol to the reader's enum, or give it a default",
    always: false,
  };
}
