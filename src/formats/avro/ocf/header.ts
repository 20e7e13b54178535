/** The header of a container: what is in it, and what can be wrong with it. */
import { Cursor } from '../codec/cursor.ts';
import { walkDatum } from '../codec/walk.ts';
import type { Schema } from '../schema/model.ts';
import { parseSchema, schemaFromJson } from '../schema/parse.ts';
import { CODEC_KEY, CODECS, type CodecName, MAGIC, MARKER_BYTES, SCHEMA_KEY } from './spec.ts';

export interface Header {
  /** Bytes that it takes, its marker included. */
  length: number;
  meta: Map<string, Buffer>;
  marker: Buffer;
  /** Undefined where the header has none that can be used: its faults say why. */
  schema: Schema | undefined;
  codec: CodecName | undefined;
  faults: HeaderFault[];
}

export interface HeaderFault {
  code: string;
  offset: number;
  length: number;
  message: string;
}

/** What came of reading a header: more bytes may be needed, or there is none. */
export type HeaderResult =
  | { state: 'ok'; header: Header }
  | { state: 'cut' }
  | { state: 'bad'; fault: HeaderFault };

/** The map of a header, as a schema. */
export const META_TYPE = schemaFromJson({ type: 'map', values: 'bytes' }).root;

/** Reads the header at the front of `bytes`; more of the file may follow behind them. */
export function readHeader(bytes: Uint8Array): HeaderResult {
  const faults: HeaderFault[] = [];
  const magic = Buffer.from(bytes.subarray(0, MAGIC.length));
  if (magic.length < MAGIC.length) return { state: 'cut' };
  if (!magic.equals(MAGIC)) {
    const message = `a container begins with 4f626a01, not ${magic.toString('hex')}`;
    faults.push({ code: 'bad-magic', offset: 0, length: MAGIC.length, message });
  }
  const walked = walkDatum(META_TYPE, bytes, MAGIC.length, bytes.length);
  if (walked.fault) {
    const { code, offset, length, message, path } = walked.fault;
    // Lengths and counts that are right may lead behind what has been read so far.
    if (['truncated-datum', 'bad-byte-length', 'bad-block-count'].includes(code)) {
      return { state: 'cut' };
    }
    const told = `the header's ${path}: ${message}`;
    return { state: 'bad', fault: { code: 'bad-header', offset, length, message: told } };
  }
  const length = walked.end + MARKER_BYTES;
  if (length > bytes.length) return { state: 'cut' };
  const meta = readMeta(bytes, walked.end);
  const marker = Buffer.from(bytes.subarray(walked.end, length));
  const header: Header = { length, meta, marker, schema: undefined, codec: undefined, faults };
  interpret(header);
  return { state: 'ok', header };
}

/** The map; a key that stands twice has its last value. */
function readMeta(bytes: Uint8Array, end: number): Map<string, Buffer> {
  const meta = new Map<string, Buffer>();
  const cursor = new Cursor();
  cursor.open(bytes, MAGIC.length, end);
  for (let count = cursor.block(2); count > 0; count = cursor.block(2)) {
    for (let i = 0; i < count; i++) meta.set(cursor.string(), Buffer.from(cursor.bytesValue()));
  }
  return meta;
}

function interpret(header: Header): void {
  const { meta, faults, length } = header;
  const tell = (message: string) => faults.push({ code: 'bad-header', offset: 0, length, message });
  const text = meta.get(SCHEMA_KEY);
  if (!text) tell(`the header has no ${SCHEMA_KEY}`);
  else {
    try {
      header.schema = parseSchema(text.toString('utf8'));
    } catch (error) {
      tell(`${SCHEMA_KEY}: ${(error as Error).message}`);
    }
  }
  const codec = meta.get(CODEC_KEY)?.toString('utf8') ?? 'null';
  const known = CODECS.find((name) => name === codec);
  if (known) header.codec = known;
  else tell(`${CODEC_KEY} is ${JSON.stringify(codec)}, known are ${CODECS.join(', ')}`);
}
