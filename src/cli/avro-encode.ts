/** avro encode: from lines of JSON to a container, or to payloads. */
import { randomBytes } from 'node:crypto';
import type { WriteMode } from '../formats/avro/codec/mode.ts';
import { valueWriter } from '../formats/avro/codec/write-value.ts';
import { Writer } from '../formats/avro/codec/writer.ts';
import { type Framing, framingBytes } from '../formats/avro/framing.ts';
import { loadCodec } from '../formats/avro/ocf/codecs.ts';
import type { CodecName } from '../formats/avro/ocf/spec.ts';
import { ContainerWriter, markerOf } from '../formats/avro/ocf/write.ts';
import { canonicalForm } from '../formats/avro/schema/canonical.ts';
import { openForReading, readLines } from '../io/lines.ts';
import { DdiaError, usageError } from '../shared/errors.ts';
import { parseJsonBig } from '../shared/json-big.ts';
import type { ByteTarget } from './avro-output.ts';
import type { GivenSchema } from './avro-schema.ts';
import { throwInLine } from './writable.ts';

/** How payloads are told apart where there are several. */
export const PACKINGS = ['binary', 'hex', 'base64', 'length-prefixed'] as const;
export type Packing = (typeof PACKINGS)[number];

export interface EncodeOptions {
  mode: WriteMode;
  /** A container, if given; else payloads. */
  codec: CodecName | undefined;
  blockBytes: number | undefined;
  /** Makes the marker of the container, so that it comes out the same each time. */
  markerSeed: string | undefined;
  framing: Framing;
  schemaId: number | undefined;
  packing: Packing;
}

/** Returns how many data were written. */
export async function encodeLines(
  input: string,
  schema: GivenSchema,
  options: EncodeOptions,
  target: ByteTarget,
  signal: AbortSignal,
): Promise<number> {
  const put = valueWriter(schema.schema.root, options.mode);
  const sink = options.codec
    ? await containerSink(schema, options, options.codec, target)
    : payloadSink(schema, options, target);
  let count = 0;
  const lines = openForReading(input);
  try {
    await readLines(
      lines.fd,
      (line, number) => {
        const text = line.toString('utf8');
        if (text.trim() === '') return;
        try {
          sink.datum((writer) => put(writer, parsed(text)));
        } catch (error) {
          throwInLine(number, error);
        }
        count++;
      },
      signal,
    );
  } finally {
    lines.close();
  }
  sink.end();
  return count;
}

function parsed(text: string): unknown {
  try {
    return parseJsonBig(text);
  } catch (error) {
    throw new DdiaError('bad-json', `no JSON: ${(error as Error).message}`);
  }
}

interface DatumSink {
  datum(put: (writer: Writer) => void): void;
  end(): void;
}

async function containerSink(
  schema: GivenSchema,
  options: EncodeOptions,
  codec: CodecName,
  target: ByteTarget,
): Promise<DatumSink> {
  const { markerSeed, blockBytes } = options;
  const writer = new ContainerWriter(
    {
      codec,
      compression: await loadCodec(codec),
      schemaText: JSON.stringify(JSON.parse(schema.text)),
      marker: markerSeed === undefined ? randomBytes(16) : markerOf(markerSeed),
      ...(blockBytes !== undefined && { blockBytes }),
    },
    (bytes) => target.write(bytes),
  );
  return { datum: (put) => writer.datum(put), end: () => writer.flush() };
}

function payloadSink(
  schema: GivenSchema,
  { framing, schemaId, packing }: EncodeOptions,
  target: ByteTarget,
): DatumSink {
  const canonical = canonicalForm(schema.schema);
  const front = framingBytes(framing, { canonical, id: schemaId });
  const writer = new Writer();
  let count = 0;
  return {
    datum(put) {
      writer.reset();
      writer.raw(front);
      put(writer);
      if (packing === 'binary' && count++ > 0) {
        throw usageError(
          'usage',
          'a second payload cannot be told from the first in plain bytes',
          'give --hex, --base64 or --length-prefixed, or --ocf for a container',
        );
      }
      target.write(packed(writer.written, packing));
    },
    end() {},
  };
}

function packed(payload: Buffer, packing: Packing): Buffer {
  if (packing === 'binary') return payload;
  if (packing !== 'length-prefixed') return Buffer.from(`${payload.toString(packing)}\n`, 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(payload.length);
  return Buffer.concat([length, payload]);
}
