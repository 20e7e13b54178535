/**
 * Defaults: JSON in a schema that stands for a value. Bytes and fixed are strings whose code points
 * 0 to 255 are the bytes. Of a union, the default is of the first branch that it fits (since 1.12;
 * before that it had to be of the first branch, which this includes).
 */
import type { AvroType } from './model.ts';

const LONG_MIN = -(1n << 63n);
const LONG_MAX = (1n << 63n) - 1n;
const LONE_SURROGATE = /\p{Surrogate}/u;
const BYTES = /^[\u0000-\u00ff]*$/;
/** Fields that a default leaves out have defaults of their own, and so on: these bound it. */
const DEPTH_MAX = 200;
const PARTS_MAX = 100_000;

/** Why `json` is no value of `type`, with the place in it; undefined if it is one. */
export function defaultFault(type: AvroType, json: unknown): string | undefined {
  return look(type, json, 0, { parts: PARTS_MAX });
}

interface Budget {
  parts: number;
}

function look(type: AvroType, json: unknown, depth: number, budget: Budget): string | undefined {
  if (budget.parts-- <= 0) return `it has more than ${PARTS_MAX} parts`;
  if (depth > DEPTH_MAX) return 'it is nested too deep, or refers to itself without an end';
  switch (type.kind) {
    case 'null':
      return json === null ? undefined : wants('null', json);
    case 'boolean':
      return typeof json === 'boolean' ? undefined : wants('true or false', json);
    case 'int':
      return json === Number(json) && json === (json | 0)
        ? undefined
        : wants('an integer of 32 bits', json);
    case 'long':
      return isLong(json) ? undefined : wants('an integer of 64 bits', json);
    case 'float':
    case 'double':
      return typeof json === 'number' || typeof json === 'bigint' || isNamedNumber(json)
        ? undefined
        : wants('a number', json);
    case 'bytes':
    case 'string':
      return stringFault(type.kind, json);
    case 'fixed': {
      const fault = stringFault('fixed', json);
      if (fault || (json as string).length === type.size) return fault;
      return `a string of ${type.size} characters is wanted, not of ${(json as string).length}`;
    }
    case 'enum':
      return type.symbols.includes(json as string)
        ? undefined
        : wants(`one of ${type.symbols.join(', ')}`, json);
    case 'union':
      return type.branches.some((branch) => look(branch, json, depth + 1, budget) === undefined)
        ? undefined
        : wants(`a value of one of the branches`, json);
    default:
      return nestedFault(type, json, depth + 1, budget);
  }
}

function nestedFault(
  type: Extract<AvroType, { kind: 'array' | 'map' | 'record' }>,
  json: unknown,
  depth: number,
  budget: Budget,
): string | undefined {
  if (type.kind === 'array') {
    if (!Array.isArray(json)) return wants('an array', json);
    return first(json.entries(), (i, item) => [look(type.items, item, depth, budget), `[${i}]`]);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return wants('an object', json);
  }
  const object = json as Record<string, unknown>;
  if (type.kind === 'map') {
    return first(Object.entries(object), (key, value) => [
      look(type.values, value, depth, budget),
      `{${JSON.stringify(key)}}`,
    ]);
  }
  return first(type.fields.entries(), (_, field): [string | undefined, string] => {
    if (Object.hasOwn(object, field.name)) {
      return [look(field.type, object[field.name], depth, budget), `.${field.name}`];
    }
    if (!field.default) return [`it lacks the field ${field.name}`, ''];
    return [look(field.type, field.default.json, depth, budget), `.${field.name}`];
  });
}

function first<K, V>(
  entries: Iterable<readonly [K, V]>,
  lookAt: (key: K, value: V) => [string | undefined, string],
): string | undefined {
  for (const [key, value] of entries) {
    const [fault, place] = lookAt(key, value);
    if (fault !== undefined) return place ? `at ${place}: ${fault}` : fault;
  }
  return undefined;
}

function stringFault(kind: 'bytes' | 'string' | 'fixed', json: unknown): string | undefined {
  if (typeof json !== 'string') return wants('a string', json);
  if (kind === 'string') return isText(json) ? undefined : 'the string is no Unicode text';
  return BYTES.test(json) ? undefined : `${kind} take characters from U+0000 to U+00FF only`;
}

/** JSON has no way to write these; Apache Avro's own readers take the words. */
function isNamedNumber(json: unknown): boolean {
  return json === 'NaN' || json === 'Infinity' || json === '-Infinity';
}

/** Strings of JavaScript may hold halves of characters, which UTF-8 has no bytes for. */
export function isText(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

export function isLong(json: unknown): json is number | bigint {
  if (typeof json === 'bigint') return json >= LONG_MIN && json <= LONG_MAX;
  return Number.isSafeInteger(json);
}

function wants(what: string, json: unknown): string {
  return `${what} is wanted, not ${brief(json)}`;
}

const BRIEF_CHARACTERS = 60;

/** A value in few characters, for messages. */
export function brief(json: unknown): string {
  if (json === undefined) return 'nothing';
  if (typeof json === 'bigint') return String(json);
  if (json instanceof Uint8Array) return `${json.length} bytes`;
  const text =
    JSON.stringify(json, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    ) ?? typeof json;
  return text.length > BRIEF_CHARACTERS ? `${text.slice(0, BRIEF_CHARACTERS)}…` : text;
}
