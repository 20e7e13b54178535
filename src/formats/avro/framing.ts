/**
 * Framings: what stands before a single datum, so that a reader finds its schema.
 *
 *     raw            the datum alone
 *     single-object  C3 01, the CRC-64-AVRO fingerprint of the schema (8, least significant first)
 *     confluent      00, the schema's id in a registry (4, most significant first)
 *     registry-v1    the schema's id (4, most significant first), and no mark before it
 *
 * https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding
 * https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/
 */
import { crc64Avro } from './schema/canonical.ts';

export const FRAMINGS = ['raw', 'single-object', 'confluent', 'registry-v1'] as const;
export type Framing = (typeof FRAMINGS)[number];

const SINGLE_OBJECT_MARK = [0xc3, 0x01] as const;
const CONFLUENT_MARK = 0;

export interface Framed {
  framing: Framing;
  /** Where the datum begins. */
  start: number;
  /** Of confluent and registry-v1. */
  schemaId?: number;
  /** Of single-object: sixteen hex digits, the most significant first. */
  fingerprint?: string;
}

/** Why a payload has no such framing. */
export interface FramingFault {
  fault: string;
}

export function readFraming(payload: Uint8Array, framing: Framing): Framed | FramingFault {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const { length } = bytes;
  switch (framing) {
    case 'raw':
      return { framing, start: 0 };
    case 'single-object':
      if (length < 10 || bytes[0] !== SINGLE_OBJECT_MARK[0] || bytes[1] !== SINGLE_OBJECT_MARK[1]) {
        return { fault: `expected c301 and eight bytes, found ${front(bytes)}` };
      }
      return {
        framing,
        start: 10,
        fingerprint: bytes.readBigUInt64LE(2).toString(16).padStart(16, '0'),
      };
    case 'confluent':
      if (length < 5 || bytes[0] !== CONFLUENT_MARK) {
        return { fault: `expected 00 and an id of four bytes, found ${front(bytes)}` };
      }
      return { framing, start: 5, schemaId: bytes.readUInt32BE(1) };
    case 'registry-v1':
      if (length < 4) return { fault: `expected an id of four bytes, found ${front(bytes)}` };
      return { framing, start: 4, schemaId: bytes.readUInt32BE(0) };
  }
}

function front(bytes: Buffer): string {
  return `${bytes.length} bytes${bytes.length > 0 ? ` beginning ${bytes.toString('hex', 0, 5)}` : ''}`;
}

/** What to put before a datum. */
export function framingBytes(
  framing: Framing,
  schema: { canonical: string; id?: number | undefined },
): Buffer {
  const id = schema.id ?? 0;
  switch (framing) {
    case 'raw':
      return Buffer.alloc(0);
    case 'single-object': {
      const bytes = Buffer.alloc(10);
      bytes.set(SINGLE_OBJECT_MARK);
      bytes.writeBigUInt64LE(crc64Avro(Buffer.from(schema.canonical, 'utf8')), 2);
      return bytes;
    }
    case 'confluent': {
      const bytes = Buffer.alloc(5);
      bytes.writeUInt32BE(id, 1);
      return bytes;
    }
    case 'registry-v1': {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(id);
      return bytes;
    }
  }
}
