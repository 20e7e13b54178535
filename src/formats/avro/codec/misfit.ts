/**
 * Why a value could not be written: a second, slow look at it, with the path to the first field
 * that does not fit its type.
 */
import { DdiaError } from '../../../shared/errors.ts';
import { brief } from '../schema/defaults.ts';
import { type AvroType, branchName, describeType, isNamed } from '../schema/model.ts';
import { accepts, bytesOf, isObject, latinOf } from './accepts.ts';
import { DEPTH_MAX } from './limits.ts';
import type { WriteMode } from './mode.ts';

export function misfit(type: AvroType, mode: WriteMode, value: unknown): DdiaError {
  const root = isNamed(type) ? type.name : type.kind;
  const found = new Search(mode).look(type, value, root, 0);
  const { path, message } = found ?? { path: root, message: `nested deeper than ${DEPTH_MAX}` };
  return new DdiaError('bad-value', `${path}: ${message}`);
}

interface Misfit {
  path: string;
  message: string;
}

class Search {
  constructor(readonly mode: WriteMode) {}

  look(type: AvroType, value: unknown, path: string, depth: number): Misfit | undefined {
    if (depth > DEPTH_MAX) return { path, message: `nested deeper than ${DEPTH_MAX}` };
    switch (type.kind) {
      case 'record':
        return this.#record(type, value, path, depth + 1);
      case 'array':
        if (!Array.isArray(value)) return wanted('an array', value, path);
        return first(value.entries(), (i, item) =>
          this.look(type.items, item, `${path}[${i}]`, depth + 1),
        );
      case 'map':
        if (!isObject(value)) return wanted('an object', value, path);
        return first(Object.entries(value), (key, one) =>
          this.look(type.values, one, `${path}{${JSON.stringify(key)}}`, depth + 1),
        );
      case 'union':
        return this.mode === 'avro'
          ? this.#named(type, value, path, depth)
          : this.#bare(type, value, path, depth);
      case 'bytes':
      case 'fixed':
        return this.#bytes(type, value, path);
      default:
        return accepts(type, value) ? undefined : wanted(describe(type), value, path);
    }
  }

  #bytes(type: AvroType, value: unknown, path: string): Misfit | undefined {
    const bytes = this.mode === 'avro' ? latinOf(value) : bytesOf(value);
    if (bytes && (type.kind !== 'fixed' || bytes.length === type.size)) return undefined;
    const how =
      this.mode === 'avro'
        ? 'a string of U+0000 to U+00FF'
        : '{"hex": …}, {"base64": …} or a string';
    return wanted(`${describeType(type)}, as ${how},`, value, path);
  }

  #record(
    type: Extract<AvroType, { kind: 'record' }>,
    value: unknown,
    path: string,
    depth: number,
  ): Misfit | undefined {
    if (!isObject(value)) return wanted('an object', value, path);
    const extra = Object.keys(value).find((key) => !type.fields.some(({ name }) => name === key));
    if (extra !== undefined) {
      return { path, message: `${type.name} has no field ${brief(extra)}` };
    }
    return first(type.fields.entries(), (_, field) => {
      const { name } = field;
      const own = Object.hasOwn(value, name) ? value[name] : undefined;
      if (own !== undefined) return this.look(field.type, own, `${path}.${name}`, depth);
      return field.default ? undefined : { path, message: `the field ${name} is missing` };
    });
  }

  #named(
    type: Extract<AvroType, { kind: 'union' }>,
    value: unknown,
    path: string,
    depth: number,
  ): Misfit | undefined {
    const names = type.branches.map(branchName);
    if (value === null && names.includes('null')) return undefined;
    const keys = isObject(value) ? Object.keys(value) : [];
    const index = keys.length === 1 ? names.indexOf(keys[0]!) : -1;
    if (index < 0 || names[index] === 'null') {
      return wanted(`null or an object of one key, a branch of ${names.join(', ')},`, value, path);
    }
    const inner = (value as Record<string, unknown>)[names[index]!];
    return this.look(type.branches[index]!, inner, `${path}|${names[index]}`, depth + 1);
  }

  /** Where one branch alone is of the value's own shape, what is wrong lies deeper in it. */
  #bare(
    type: Extract<AvroType, { kind: 'union' }>,
    value: unknown,
    path: string,
    depth: number,
  ): Misfit | undefined {
    if (accepts(type, value)) return undefined;
    const shape = Array.isArray(value) ? ['array'] : isObject(value) ? ['record', 'map'] : [];
    const near = type.branches.filter(({ kind }) => shape.includes(kind));
    if (near.length === 1) {
      return this.look(near[0]!, value, `${path}|${branchName(near[0]!)}`, depth + 1);
    }
    return wanted(`one of ${type.branches.map(describeType).join(', ')}`, value, path);
  }
}

function first<K, V>(
  entries: Iterable<readonly [K, V]>,
  look: (key: K, value: V) => Misfit | undefined,
): Misfit | undefined {
  for (const [key, value] of entries) {
    const found = look(key, value);
    if (found) return found;
  }
  return undefined;
}

function describe(type: AvroType): string {
  if (type.kind === 'enum') return `one of ${type.symbols.join(', ')}`;
  if (type.kind === 'int') return 'an integer of 32 bits';
  if (type.kind === 'long') return 'an integer of 64 bits';
  return describeType(type);
}

function wanted(what: string, value: unknown, path: string): Misfit {
  return { path, message: `${what} is wanted, not ${brief(value)}` };
}
