/** The dialect `ocf`: object container files. */
import { type Detection, type Dialect, NOT_THIS, type Probe } from '../../format.ts';
import { readVarint } from '../codec/varint.ts';
import { CODEC_KEY, MAGIC, SCHEMA_KEY } from './spec.ts';

/** How much of a value is of interest, and how many keys. */
const SHORT_MAX = 20;
const KEYS_MAX = 100;

export const ocf: Dialect = {
  id: 'ocf',
  family: 'avro',
  title: 'Avro object container files: a schema, and blocks of data between markers',
  source: 'https://avro.apache.org/docs/1.12.0/specification/#object-container-files',
  unchecked: [
    'no checksum (but of Snappy, bzip2, xz, some Zstandard): a changed value that still fits its type is not noticed',
    'blocks have no numbers: one that was taken out, or stands twice, leaves no trace',
    'data cut off at the end of a block leave no trace',
    'keys of a map that stand twice: the last one counts',
  ],
  detect,
};

function detect({ head, name }: Probe): Detection {
  const begins = MAGIC.every((byte, i) => head[i] === byte);
  if (!begins) return NOT_THIS;
  const keys = glance(head);
  if (keys.has(SCHEMA_KEY)) {
    const codec = keys.get(CODEC_KEY) ?? 'null';
    return {
      confidence: 'certain',
      reason: `the magic number and a header with schema and codec ${codec}`,
    };
  }
  const named = name.endsWith('.avro') ? ', and the name ends with .avro' : '';
  return { confidence: 'likely', reason: `the magic number of a container${named}` };
}

/**
 * The keys of the header's map as far as they can be made out, with the text of short values. No
 * more than a glance, for it is taken at every file: header.ts reads the header in earnest.
 */
function glance(head: Uint8Array): Map<string, string> {
  const keys = new Map<string, string>();
  let at = MAGIC.length;
  const text = (): string | undefined => {
    const { value, length, state } = readVarint(head, at, head.length);
    const start = at + length;
    at = start + Number(value);
    if (state !== 'ok' || value < 0) return undefined;
    return Buffer.from(head.subarray(start, Math.min(at, start + SHORT_MAX))).toString('latin1');
  };
  const { value: count, length, state } = readVarint(head, at, head.length);
  at += length;
  for (let i = 0; state === 'ok' && i < count && i < KEYS_MAX; i++) {
    const key = text();
    const value = text();
    if (key === undefined || value === undefined) break;
    keys.set(key, value);
  }
  return keys;
}
