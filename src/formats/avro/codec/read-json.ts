/**
 * Readers that print: from the bytes of a datum to those of its JSON, without values in between.
 * Generated once per plan, like the readers that make values.
 */
import { isUtf8 } from 'node:buffer';
import type { Plan, RecordPlan } from '../resolve/plan.ts';
import { planOf } from '../resolve/resolve.ts';
import { type Field, minimumBytes } from '../schema/model.ts';
import { Coder, recordGuard } from './coder.ts';
import { BREACH, Cursor } from './cursor.ts';
import { defaultBytes } from './default-bytes.ts';
import { JsonOut } from './json-out.ts';
import { logicalText } from './logical-text.ts';
import type { ModeOptions } from './mode.ts';
import { enumProblem, valueReader } from './read-value.ts';
import { skipCode } from './skip-code.ts';

export type JsonReader = (cursor: Cursor, out: JsonOut) => void;

/** A reader of one datum into `out`. It throws BREACH at what breaks a rule; see Cursor. */
export function jsonReader(plan: Plan, options: ModeOptions): JsonReader {
  const maker = new JsonCoder(options);
  const statement = maker.branch(plan);
  return maker.coder.build(`(c,o)=>{${statement}}`);
}

const SHORT_MAX = 64;

/** A string at the cursor, printed. */
function printString(c: Cursor, o: JsonOut): void {
  const length = c.length();
  const { at } = c;
  c.at = at + length;
  if (length <= SHORT_MAX && o.string(c.bytes, at, at + length)) return;
  const span = c.bytes.subarray(at, at + length);
  if (!isUtf8(span)) throw BREACH;
  o.write(JSON.stringify(span.toString('utf8')));
}

function printHex(c: Cursor, o: JsonOut, length: number): void {
  const { at } = c;
  if (length > c.end - at) throw BREACH;
  c.at = at + length;
  o.write('{"hex":"');
  o.hex(c.bytes, at, at + length);
  o.write('"}');
}

/** As the JSON encoding has bytes: a string of the code points 0 to 255. */
function printLatin(c: Cursor, o: JsonOut, length: number): void {
  const { at } = c;
  if (length > c.end - at) throw BREACH;
  c.at = at + length;
  o.write(JSON.stringify(c.bytes.toString('latin1', at, at + length)));
}

class JsonCoder {
  readonly coder = new Coder();
  readonly #avro: boolean;

  constructor(readonly options: ModeOptions) {
    this.#avro = options.mode === 'avro';
  }

  /** Statements that put JSON which is the same every time. */
  #literal(json: string): string {
    if (json.length === 1) return `o.byte(${json.charCodeAt(0)});`;
    return `o.raw(${this.coder.constant(Buffer.from(json, 'utf8'))});`;
  }

  /** Statements that read a datum off `c` and print it to `o`. */
  statement(plan: Plan): string {
    const { coder } = this;
    if (this.options.logical && plan.logical && plan.op !== 'record') return this.#logical(plan);
    switch (plan.op) {
      case 'null':
        return this.#literal('null');
      case 'boolean':
        return 'o.boolean(c.boolean());';
      case 'int':
        return plan.promote === 'float' ? 'o.double(Math.fround(c.int()));' : 'o.int(c.int());';
      case 'long':
        if (plan.promote === 'float') return 'o.double(Math.fround(Number(c.long())));';
        if (plan.promote === 'double') return 'o.double(Number(c.long()));';
        return `o.long(c.long(),${!this.#avro});`;
      case 'float':
      case 'double':
        return `o.double(c.${plan.op}());`;
      case 'bytes':
      case 'string':
        if ((plan.as ?? plan.op) === 'string') return `${coder.constant(printString)}(c,o);`;
        return this.#bytes('c.length()');
      case 'fixed':
        return this.#bytes(String(plan.size));
      case 'enum':
        return this.#enum(plan);
      case 'array':
        return `${this.#array(plan)}(c,o);`;
      case 'map':
        return `${this.#map(plan)}(c,o);`;
      case 'union': {
        const cases = plan.branches.map((one, i) => `case ${i}:${this.branch(one)}break;`);
        return `switch(c.int()){${cases.join('')}default:c.fail();}`;
      }
      case 'record':
        return `${this.#record(plan)}(c,o);`;
      case 'refused':
        return `c.refuse(${coder.constant(plan.problem)});`;
    }
  }

  #logical(plan: Plan): string {
    const text = logicalText(plan.logical!);
    const read = valueReader({ ...plan, logical: undefined }, { mode: 'native', logical: false });
    const print = (c: Cursor, o: JsonOut): void => {
      o.write(JSON.stringify(text(read(c) as never)));
    };
    return `${this.coder.constant(print)}(c,o);`;
  }

  #bytes(length: string): string {
    return `${this.coder.constant(this.#avro ? printLatin : printHex)}(c,o,${length});`;
  }

  /** A branch of a writer's union; it is the branch of the reader's union that bears a name. */
  branch(plan: Plan): string {
    const body = this.statement(plan);
    if (!this.#avro || plan.branch === undefined || plan.op === 'null') return body;
    return `${this.#literal(`{${JSON.stringify(plan.branch)}:`)}${body}${this.#literal('}')}`;
  }

  #enum(plan: Extract<Plan, { op: 'enum' }>): string {
    const { symbols } = plan;
    const quoted = symbols.map((symbol) => symbol && Buffer.from(JSON.stringify(symbol)));
    const print = (c: Cursor, o: JsonOut): void => {
      const index = c.enum(symbols.length);
      o.raw(quoted[index] || c.refuse(enumProblem(plan.reader.name, index)));
    };
    return `${this.coder.constant(print)}(c,o);`;
  }

  #array(plan: Extract<Plan, { op: 'array' }>): string {
    return this.coder.routine(
      plan,
      'array',
      () =>
        `o.byte(91);for(;;){const n=c.block(${minimumBytes(plan.writer)});if(n===0)break;` +
        `const e=c.blockEnd;for(let i=0;i<n;i++){${this.branch(plan.items)}o.byte(44);}` +
        'if(c.at>c.end||(e>=0&&c.at!==e))c.fail();}o.close(91,93);',
    );
  }

  #map(plan: Extract<Plan, { op: 'map' }>): string {
    const key = this.coder.constant(printString);
    return this.coder.routine(
      plan,
      'map',
      () =>
        `o.byte(123);for(;;){const n=c.block(${1 + minimumBytes(plan.writer)});if(n===0)break;` +
        `const e=c.blockEnd;for(let i=0;i<n;i++){${key}(c,o);o.byte(58);` +
        `${this.branch(plan.values)}o.byte(44);}` +
        'if(c.at>c.end||(e>=0&&c.at!==e))c.fail();}o.close(123,125);',
    );
  }

  #record(plan: RecordPlan): string {
    const { steps, reader } = plan;
    const body = (): string => {
      const written: Field[] = [];
      const pieces: string[] = [];
      let before = '';
      const label = (field: Field) => this.#literal(`${JSON.stringify(field.name)}:`);
      for (const step of steps) {
        if (!step.reader) before += skipCode(this.coder, step.plan);
        else {
          written.push(step.reader);
          pieces.push(`${before}${label(step.reader)}${this.branch(step.plan)}o.byte(44);`);
          before = '';
        }
      }
      for (const field of plan.defaults) {
        written.push(field);
        pieces.push(`${this.#literal(`${JSON.stringify(field.name)}:${this.#default(field)},`)}`);
      }
      const places = new Map(written.map((field, i) => [field, i]));
      const ordered = reader.fields.filter((field) => places.has(field));
      const fields = ordered.every((field, i) => field === written[i])
        ? pieces.join('')
        : this.#reordered(
            pieces,
            ordered.map((field) => places.get(field)!),
          );
      return `${recordGuard(plan.writer)}o.byte(123);${fields}${before}o.close(123,125);`;
    };
    return this.coder.routine(steps, 'record', body, undefined, true);
  }

  /** The data has its fields in the writer's order, the reader's is wanted. */
  #reordered(pieces: readonly string[], order: readonly number[]): string {
    const marked = pieces.map((piece, i) => `${piece}const e${i}=o.at;`).join('');
    const ends = pieces.map((_, i) => `e${i}`).join(',');
    return `const s=o.at;${marked}o.reorder(s,[${ends}],[${order.join(',')}]);`;
  }

  #default(field: Field): string {
    const bytes = defaultBytes(field.type, field.default!.json);
    const cursor = new Cursor();
    cursor.open(bytes, 0, bytes.length);
    const out = new JsonOut();
    jsonReader(planOf(field.type), this.options)(cursor, out);
    return out.text;
  }
}
