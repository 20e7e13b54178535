/**
 * From the JSON of a schema to its types. Strict: what breaks the specification's rules is refused
 * with the path where it stands.
 */
import { parseJsonBig } from '../../../shared/json-big.ts';
import { brief, defaultFault } from './defaults.ts';
import { logicalOf } from './logical.ts';
import {
  type AvroType,
  branchName,
  type EnumType,
  type Field,
  type FixedType,
  type NamedType,
  PRIMITIVES,
  type Primitive,
  type RecordType,
  type Schema,
  SchemaError,
} from './model.ts';
import { aliasesOf, checkSymbol, checkWord, nameOf } from './names.ts';

/** Types within types; a schema that a person wrote has a dozen. */
const NESTING_MAX = 250;
const FIXED_BYTES_MAX = 2 ** 31 - 1;
/** Types, fields and symbols in all: code is made of them, which has to stay within bounds. */
const PARTS_MAX = 20_000;

type Json = Record<string, unknown>;

/**
 * Parses the text of a schema. `known` has types that it may refer to without defining them (of
 * other schemas that it references). Throws a SchemaError.
 */
export function parseSchema(text: string, known?: ReadonlyMap<string, NamedType>): Schema {
  let json: unknown;
  try {
    json = parseJsonBig(text);
  } catch (error) {
    throw new SchemaError('the top', `no JSON: ${(error as Error).message}`);
  }
  return schemaFromJson(json, known);
}

export function schemaFromJson(json: unknown, known?: ReadonlyMap<string, NamedType>): Schema {
  const parser = new SchemaParser(known);
  const root = parser.type(json, '', '', 0);
  parser.checkDefaults();
  return { root, names: parser.names, ignored: parser.ignored, json };
}

class SchemaParser {
  readonly names = new Map<string, NamedType>();
  readonly ignored: string[] = [];
  #parts = 0;
  /** Defaults are looked at when all types are known: a type may be defined behind its use. */
  readonly #defaults: { field: Field; path: string }[] = [];

  constructor(readonly known: ReadonlyMap<string, NamedType> = new Map()) {}

  checkDefaults(): void {
    for (const { field, path } of this.#defaults) {
      const fault = defaultFault(field.type, field.default!.json);
      if (fault !== undefined) {
        throw new SchemaError(path, `the default does not fit: ${fault}`);
      }
    }
  }

  type(json: unknown, namespace: string, path: string, depth: number): AvroType {
    const at = path || 'the top';
    this.#count(1, at);
    if (depth > NESTING_MAX) throw new SchemaError(at, `types nested deeper than ${NESTING_MAX}`);
    if (typeof json === 'string') return this.#reference(json, namespace, at);
    if (Array.isArray(json)) return this.#union(json, namespace, path, depth);
    if (typeof json !== 'object' || json === null) {
      throw new SchemaError(at, `a type is a name, an object or an array, not ${brief(json)}`);
    }
    const object = json as Json;
    const type = this.#object(object, namespace, path, depth);
    if (object['logicalType'] !== undefined) {
      const logical = logicalOf(type, object);
      if (typeof logical === 'string') this.ignored.push(`${at}: ${logical}`);
      else type.logical = logical;
    }
    return type;
  }

  #count(parts: number, at: string): void {
    this.#parts += parts;
    if (this.#parts <= PARTS_MAX) return;
    throw new SchemaError(at, `the schema has more than ${PARTS_MAX} types, fields and symbols`);
  }

  #reference(name: string, namespace: string, at: string): AvroType {
    if (isPrimitive(name)) return { kind: name };
    const full = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
    const type = this.names.get(full) ?? this.known.get(full);
    if (type) return type;
    const near = [...this.names.keys()].filter((one) => one.endsWith(`.${name}`));
    const hint = near.length > 0 ? `there is ${near.join(', ')}: name it in full` : undefined;
    throw new SchemaError(at, `no type of the name ${brief(full)} is defined before this`, hint);
  }

  #union(json: readonly unknown[], namespace: string, path: string, depth: number): AvroType {
    const branches: AvroType[] = [];
    const seen = new Set<string>();
    for (const [i, one] of json.entries()) {
      const branch = this.type(one, namespace, `${path}|${i}`, depth + 1);
      const name = branchName(branch);
      if (branch.kind === 'union') {
        throw new SchemaError(`${path}|${i}`, 'a union may not directly hold another union');
      }
      if (seen.has(name)) {
        throw new SchemaError(`${path}|${i}`, `the union has ${name} twice`);
      }
      seen.add(name);
      branches.push(branch);
    }
    return { kind: 'union', branches };
  }

  #object(json: Json, namespace: string, path: string, depth: number): AvroType {
    const at = path || 'the top';
    const { type } = json;
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(json, namespace, at, depth);
      case 'enum':
        return this.#enum(json, namespace, at);
      case 'fixed':
        return this.#fixed(json, namespace, at);
      case 'array':
        if (json['items'] === undefined) throw new SchemaError(at, 'an array needs "items"');
        return {
          kind: 'array',
          items: this.type(json['items'], namespace, `${path}[]`, depth + 1),
        };
      case 'map':
        if (json['values'] === undefined) throw new SchemaError(at, 'a map needs "values"');
        return {
          kind: 'map',
          values: this.type(json['values'], namespace, `${path}{}`, depth + 1),
        };
      case undefined:
        throw new SchemaError(at, 'the object has no "type"');
      default: {
        const inner = this.type(type, namespace, path, depth + 1);
        // A reference with attributes must not put them on the type that it refers to.
        return typeof type === 'string' ? { ...inner } : inner;
      }
    }
  }

  /** Enters a name before its fields are read, for these may refer to it. */
  #define(type: NamedType, at: string): void {
    if (this.names.has(type.name) || this.known.has(type.name)) {
      throw new SchemaError(at, `${type.name} is defined twice`);
    }
    this.names.set(type.name, type);
  }

  #record(json: Json, outer: string, at: string, depth: number): AvroType {
    const { name, namespace } = nameOf(json, outer, at);
    const type: RecordType = {
      kind: 'record',
      error: json['type'] === 'error',
      name,
      aliases: aliasesOf(json, namespace, at),
      fields: [],
    };
    this.#define(type, at);
    const { fields } = json;
    if (!Array.isArray(fields)) throw new SchemaError(at, `record ${name} needs an array "fields"`);
    const path = at === 'the top' ? name : at;
    const seen = new Set<string>();
    for (const one of fields as unknown[]) {
      const field = this.#field(one, namespace, path, depth);
      if (seen.has(field.name)) {
        throw new SchemaError(path, `record ${name} has two fields of the name ${field.name}`);
      }
      seen.add(field.name);
      type.fields.push(field);
    }
    return type;
  }

  #field(json: unknown, namespace: string, path: string, depth: number): Field {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw new SchemaError(path, `a field is an object, not ${brief(json)}`);
    }
    const object = json as Json;
    const name = checkWord(object['name'], 'field', path);
    const at = `${path}.${name}`;
    if (object['type'] === undefined) throw new SchemaError(at, 'the field has no "type"');
    const { order, aliases = [] } = object;
    if (order !== undefined && !['ascending', 'descending', 'ignore'].includes(order as string)) {
      throw new SchemaError(at, `order is ascending, descending or ignore, not ${brief(order)}`);
    }
    if (!Array.isArray(aliases)) throw new SchemaError(at, 'aliases are an array of names');
    const field: Field = {
      name,
      type: this.type(object['type'], namespace, at, depth + 1),
      aliases: aliases.map((alias) => checkWord(alias, 'alias', at)),
    };
    if (Object.hasOwn(object, 'default')) {
      field.default = { json: object['default'] };
      this.#defaults.push({ field, path: at });
    }
    return field;
  }

  #enum(json: Json, outer: string, at: string): EnumType {
    const { name, namespace } = nameOf(json, outer, at);
    const { symbols, default: fallback } = json;
    if (!Array.isArray(symbols)) throw new SchemaError(at, `enum ${name} needs an array "symbols"`);
    this.#count(symbols.length, at);
    const checked = symbols.map((symbol) => checkSymbol(symbol, name, at));
    const seen = new Set<string>();
    const twice = checked.find((symbol) => seen.size === seen.add(symbol).size);
    if (twice !== undefined) throw new SchemaError(at, `enum ${name} has ${twice} twice`);
    if (fallback !== undefined && !checked.includes(fallback as string)) {
      throw new SchemaError(at, `the default ${brief(fallback)} is no symbol of enum ${name}`);
    }
    const type: EnumType = {
      kind: 'enum',
      name,
      aliases: aliasesOf(json, namespace, at),
      symbols: checked,
      default: fallback as string | undefined,
    };
    this.#define(type, at);
    return type;
  }

  #fixed(json: Json, outer: string, at: string): FixedType {
    const { name, namespace } = nameOf(json, outer, at);
    const { size } = json;
    if (!Number.isSafeInteger(size) || (size as number) < 0 || (size as number) > FIXED_BYTES_MAX) {
      throw new SchemaError(at, `size of fixed ${name} is an integer from 0, not ${brief(size)}`);
    }
    const type: FixedType = {
      kind: 'fixed',
      name,
      aliases: aliasesOf(json, namespace, at),
      size: size as number,
    };
    this.#define(type, at);
    return type;
  }
}

function isPrimitive(name: string): name is Primitive {
  return (PRIMITIVES as readonly string[]).includes(name);
}
