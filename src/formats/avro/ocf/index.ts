/** The dialect `ocf`: object container files. */
import { type Detection, type Dialect, NOT_THIS, type Probe } from '../../format.ts';
import { readHeader } from './header.ts';
import { CODEC_KEY, MAGIC } from './spec.ts';

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
  const result = readHeader(head);
  if (result.state === 'ok') {
    const codec = result.header.meta.get(CODEC_KEY)?.toString('utf8') ?? 'null';
    const damaged = result.header.faults.length > 0 ? ', which is damaged' : '';
    return {
      confidence: 'certain',
      reason: `the magic number and a header with schema and codec ${codec}${damaged}`,
    };
  }
  const named = name.endsWith('.avro') ? ', and the name ends with .avro' : '';
  return { confidence: 'likely', reason: `the magic number of a container${named}` };
}
