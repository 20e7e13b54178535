/**
 * Parsing Canonical Form, and fingerprints of it. Two schemas of the same form read the same bytes
 * alike: docs, defaults, aliases, order, logical types and spelling are gone.
 * https://avro.apache.org/docs/1.12.0/specification/#parsing-canonical-form-for-schemas
 */
import { createHash } from 'node:crypto';
import { type AvroType, isNamed, type Schema } from './model.ts';

export function canonicalForm(schema: Schema): string {
  return print(schema.root, new Set());
}

/** A type is spelt out where it first stands, and named after that. */
function print(type: AvroType, named: Set<string>): string {
  if (isNamed(type)) {
    if (named.has(type.name)) return JSON.stringify(type.name);
    named.add(type.name);
  }
  switch (type.kind) {
    case 'union':
      return `[${type.branches.map((branch) => print(branch, named)).join(',')}]`;
    case 'array':
      return `{"type":"array","items":${print(type.items, named)}}`;
    case 'map':
      return `{"type":"map","values":${print(type.values, named)}}`;
    case 'fixed':
      return `{"name":${JSON.stringify(type.name)},"type":"fixed","size":${type.size}}`;
    case 'enum': {
      const symbols = type.symbols.map((symbol) => JSON.stringify(symbol)).join(',');
      return `{"name":${JSON.stringify(type.name)},"type":"enum","symbols":[${symbols}]}`;
    }
    case 'record': {
      const fields = type.fields.map(
        (field) => `{"name":${JSON.stringify(field.name)},"type":${print(field.type, named)}}`,
      );
      // `error` too: Apache Avro knows it as a record here.
      return `{"name":${JSON.stringify(type.name)},"type":"record","fields":[${fields.join(',')}]}`;
    }
    default:
      return `"${type.kind}"`;
  }
}

/** The fingerprint of no bytes, and the polynomial of the table: the specification's constant. */
const EMPTY = 0xc15d213aa4d7a795n;

const TABLE = /* @__PURE__ */ Array.from({ length: 256 }, (_, i) => {
  let fingerprint = BigInt(i);
  for (let bit = 0; bit < 8; bit++) {
    fingerprint = (fingerprint >> 1n) ^ (fingerprint & 1n ? EMPTY : 0n);
  }
  return fingerprint;
});

/** CRC-64-AVRO, the Rabin fingerprint of the specification. */
export function crc64Avro(bytes: Uint8Array): bigint {
  let fingerprint = EMPTY;
  for (const byte of bytes) {
    fingerprint = (fingerprint >> 8n) ^ TABLE[Number((fingerprint ^ BigInt(byte)) & 0xffn)]!;
  }
  return fingerprint;
}

export interface Fingerprints {
  /** Sixteen hex digits, the most significant first. */
  'crc-64-avro': string;
  md5: string;
  'sha-256': string;
}

export function fingerprints(schema: Schema): Fingerprints {
  const bytes = Buffer.from(canonicalForm(schema), 'utf8');
  return {
    'crc-64-avro': crc64Avro(bytes).toString(16).padStart(16, '0'),
    md5: createHash('md5').update(bytes).digest('hex'),
    'sha-256': createHash('sha256').update(bytes).digest('hex'),
  };
}
