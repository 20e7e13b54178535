// Writes a container with avsc, not with the project's own code: node bench/make-avro.js OUT CODEC BYTES
// Ten fields a record; the null codec's file has about BYTES, the others hold the same records.
import fs from 'node:fs';
import avsc from 'avsc';

const [out, codec, bytes] = process.argv.slice(2);
/** What a record takes on average. */
const RECORD_BYTES = 88;

const schema = {
  type: 'record',
  name: 'Event',
  namespace: 'bench',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'user', type: 'string' },
    { name: 'email', type: ['null', 'string'] },
    { name: 'score', type: 'double' },
    { name: 'count', type: 'int' },
    { name: 'ok', type: 'boolean' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['CLICK', 'VIEW', 'BUY'] } },
    { name: 'at', type: 'long' },
    { name: 'note', type: 'string' },
    { name: 'tags', type: { type: 'array', items: 'string' } },
  ],
};

const KINDS = ['CLICK', 'VIEW', 'BUY'];
const record = (i) => ({
  id: 1_700_000_000_000 + i * 37,
  user: `user-${(i * 7919) % 100_003}`,
  email: i % 3 ? `u${i % 9973}@example.org` : null,
  score: (i % 1000) / 8,
  count: (i % 500) - 250,
  ok: i % 2 === 0,
  kind: KINDS[i % 3],
  at: 1_700_000_000_000 + i * 1000,
  note: `note ${i % 97} of something that happened`,
  tags: i % 4 ? ['a', 'bb'] : [],
});

const encoder = avsc.createFileEncoder(out, schema, { codec, blockSize: 65_536 });
const count = Math.round(Number(bytes) / RECORD_BYTES);
for (let i = 0; i < count; i++) {
  if (!encoder.write(record(i))) await new Promise((resolve) => encoder.once('drain', resolve));
}
await new Promise((resolve) => encoder.end(resolve));
if (!fs.existsSync(out)) throw new Error(`${out} was not written`);
