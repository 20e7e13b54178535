/**
 * Which type a value in JavaScript or JSON fits, for unions whose branch the value does not name:
 * the first that it fits, as deep as it goes.
 */

import { isBase64, isHex } from '../../../shared/packed-text.ts';
import { isLong, isText } from '../schema/defaults.ts';
import type { AvroType } from '../schema/model.ts';

const DIGITS = /^-?\d{1,20}$/;
const LATIN = /^[\u0000-\u00ff]*$/;

/** An integer of 64 bits; JSON has those beyond 2^53 - 1 as strings of digits. */
export function longOf(value: unknown): number | bigint | undefined {
  if (typeof value === 'string' && DIGITS.test(value)) {
    const exact = BigInt(value);
    return isLong(exact) ? exact : undefined;
  }
  return isLong(value) ? value : undefined;
}

/** A number; JSON has what is no number as a word, and integers of any length. */
export function doubleOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  return undefined;
}

/** Bytes: as they are, as `{"hex": …}` or `{"base64": …}`, or the UTF-8 of a string. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return isText(value) ? Buffer.from(value, 'utf8') : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const keys = Object.keys(value);
  if (keys.length !== 1) return undefined;
  const { hex, base64 } = value as Record<string, unknown>;
  if (typeof hex === 'string' && isHex(hex)) return Buffer.from(hex, 'hex');
  if (typeof base64 === 'string' && isBase64(base64)) return Buffer.from(base64, 'base64');
  return undefined;
}

/** Bytes as the JSON encoding has them: a string of the code points 0 to 255. */
export function latinOf(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' && LATIN.test(value) ? Buffer.from(value, 'latin1') : undefined;
}

/** An object with keys, neither an array nor bytes. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

export function accepts(type: AvroType, value: unknown): boolean {
  switch (type.kind) {
    case 'null':
      return value === null;
    case 'boolean':
      return typeof value === 'boolean';
    case 'int':
      return typeof value === 'number' && value === (value | 0);
    case 'long':
      return longOf(value) !== undefined;
    case 'float':
    case 'double':
      return doubleOf(value) !== undefined;
    case 'string':
      return typeof value === 'string' && isText(value);
    case 'bytes':
      return bytesOf(value) !== undefined;
    case 'fixed':
      return bytesOf(value)?.length === type.size;
    case 'enum':
      return type.symbols.includes(value as string);
    case 'array':
      return Array.isArray(value) && value.every((item) => accepts(type.items, item));
    case 'map':
      return isObject(value) && Object.values(value).every((one) => accepts(type.values, one));
    case 'union':
      return type.branches.some((branch) => accepts(branch, value));
    case 'record':
      return (
        isObject(value) &&
        Object.keys(value).every((key) => type.fields.some(({ name }) => name === key)) &&
        type.fields.every(({ name, type: inner, default: fallback }) =>
          Object.hasOwn(value, name) ? accepts(inner, value[name]) : fallback !== undefined,
        )
      );
  }
}
