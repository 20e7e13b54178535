/**
 * Logical types: which fit the type they stand on. "Language implementations must ignore unknown
 * logical types when reading, and should use the underlying Avro type" (specification, Logical
 * Types); so must they one that does not fit.
 */
import type { AvroType, Logical } from './model.ts';

/** The kinds of type that each may stand on. */
const ON: Readonly<Record<string, readonly string[]>> = {
  decimal: ['bytes', 'fixed'],
  'big-decimal': ['bytes'],
  uuid: ['string', 'fixed'],
  date: ['int'],
  'time-millis': ['int'],
  'time-micros': ['long'],
  'timestamp-millis': ['long'],
  'timestamp-micros': ['long'],
  'timestamp-nanos': ['long'],
  'local-timestamp-millis': ['long'],
  'local-timestamp-micros': ['long'],
  'local-timestamp-nanos': ['long'],
  duration: ['fixed'],
};

/** The logical type that `json` puts on `type`, or why it is ignored. */
export function logicalOf(type: AvroType, json: Record<string, unknown>): Logical | string {
  const name = json['logicalType'];
  if (typeof name !== 'string') return 'logicalType is no string';
  const kinds = Object.hasOwn(ON, name) ? ON[name]! : undefined;
  if (!kinds) return `logical type ${name} is not known`;
  if (!kinds.includes(type.kind)) {
    return `logical type ${name} stands on ${type.kind}, expected ${kinds.join(' or ')}`;
  }
  if (type.kind === 'fixed' && name === 'duration' && type.size !== 12) {
    return `duration is a fixed of 12 bytes, not ${type.size}`;
  }
  if (type.kind === 'fixed' && name === 'uuid' && type.size !== 16) {
    return `uuid is a fixed of 16 bytes, not ${type.size}`;
  }
  return name === 'decimal' ? decimalOf(type, json) : ({ name } as Logical);
}

function decimalOf(type: AvroType, json: Record<string, unknown>): Logical | string {
  const { precision, scale = 0 } = json;
  if (!isCount(precision) || precision === 0) {
    return 'decimal needs a precision, an integer over 0';
  }
  if (!isCount(scale) || scale > precision) {
    return `scale of a decimal is an integer from 0 to its precision ${precision}`;
  }
  if (type.kind === 'fixed') {
    // The digits that fit into so many bytes with a sign: floor(log10(2^(8n - 1) - 1)).
    const most = Math.floor(Math.log10(2) * (8 * type.size - 1));
    if (precision > most) {
      return `precision ${precision} does not fit into ${type.size} bytes, which hold ${most} digits`;
    }
  }
  return { name: 'decimal', precision, scale };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
