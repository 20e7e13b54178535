/** "To match, one of the following must hold": the specification's list, without looking deep. */
import { type AvroType, isNamed, type NamedType, unqualified } from '../schema/model.ts';

/** What a value of the one type may be read as: these ways only, never back. */
const PROMOTIONS: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
};

export function promotes(from: string, to: string): boolean {
  return PROMOTIONS[from]?.includes(to) ?? false;
}

/** By unqualified name, or because an alias of the reader names the writer's in full. */
export function namesMatch(writer: NamedType, reader: NamedType): boolean {
  return (
    unqualified(writer.name) === unqualified(reader.name) || reader.aliases.includes(writer.name)
  );
}

export function matches(writer: AvroType, reader: AvroType): boolean {
  if (writer.kind === 'union' || reader.kind === 'union') return true;
  if (isNamed(writer) && isNamed(reader)) {
    if (writer.kind !== reader.kind || !namesMatch(writer, reader)) return false;
    return writer.kind !== 'fixed' || reader.kind !== 'fixed' || writer.size === reader.size;
  }
  if (writer.kind === 'array' && reader.kind === 'array') {
    return matches(writer.items, reader.items);
  }
  if (writer.kind === 'map' && reader.kind === 'map') return matches(writer.values, reader.values);
  return writer.kind === reader.kind || promotes(writer.kind, reader.kind);
}
