/**
 * A default as the bytes that a writer would have written for it: readers then read it like any
 * other value, in whatever shape they give values.
 */
import { defaultFault } from '../schema/defaults.ts';
import type { AvroType } from '../schema/model.ts';
import { Writer } from './writer.ts';

/** `json` has been checked to fit `type`. */
export function defaultBytes(type: AvroType, json: unknown): Uint8Array {
  const writer = new Writer();
  put(writer, type, json);
  return Uint8Array.prototype.slice.call(writer.written);
}

function put(writer: Writer, type: AvroType, json: unknown): void {
  switch (type.kind) {
    case 'null':
      return;
    case 'boolean':
      writer.boolean(json as boolean);
      return;
    case 'int':
    case 'long':
      writer.long(json as number | bigint);
      return;
    case 'float':
      writer.float(Number(json));
      return;
    case 'double':
      writer.double(Number(json));
      return;
    case 'string':
      writer.string(json as string);
      return;
    case 'bytes':
      writer.data(Buffer.from(json as string, 'latin1'));
      return;
    case 'fixed':
      writer.raw(Buffer.from(json as string, 'latin1'));
      return;
    case 'enum':
      writer.int(type.symbols.indexOf(json as string));
      return;
    case 'union': {
      const index = type.branches.findIndex((one) => defaultFault(one, json) === undefined);
      writer.int(index);
      put(writer, type.branches[index]!, json);
      return;
    }
    case 'array': {
      const items = json as unknown[];
      if (items.length > 0) writer.int(items.length);
      for (const item of items) put(writer, type.items, item);
      writer.int(0);
      return;
    }
    case 'map': {
      const entries = Object.entries(json as Record<string, unknown>);
      if (entries.length > 0) writer.int(entries.length);
      for (const [key, value] of entries) {
        writer.string(key);
        put(writer, type.values, value);
      }
      writer.int(0);
      return;
    }
    case 'record': {
      const object = json as Record<string, unknown>;
      for (const { name, type: inner, default: fallback } of type.fields) {
        put(writer, inner, Object.hasOwn(object, name) ? object[name] : fallback!.json);
      }
    }
  }
}
