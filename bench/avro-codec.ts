/**
 * Encoding and decoding of a ten-field record in memory, against avsc: node bench/run.js avro
 * Prints a line for each: name, nanoseconds a record of ours, of avsc's, and the rates' ratio in
 * percent, by turns.
 */
import avsc from 'avsc';
import { Cursor } from '../src/formats/avro/codec/cursor.ts';
import { DatumDecoder } from '../src/formats/avro/codec/datum.ts';
import { valueWriter } from '../src/formats/avro/codec/write-value.ts';
import { Writer } from '../src/formats/avro/codec/writer.ts';
import { schemaFromJson } from '../src/formats/avro/schema/parse.ts';

const RECORDS = 1000;
const TURNS = 15;
const PASSES = 200;

const schema = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'count', type: 'int' },
    { name: 'customer', type: 'string' },
    { name: 'price', type: 'double' },
    { name: 'paid', type: 'boolean' },
    { name: 'note', type: 'string' },
    { name: 'weight', type: 'float' },
    { name: 'at', type: 'long' },
    { name: 'coupon', type: ['null', 'string'] },
    { name: 'state', type: { type: 'enum', name: 'State', symbols: ['NEW', 'SENT', 'DONE'] } },
  ],
};

const values = Array.from({ length: RECORDS }, (_, i) => ({
  id: i * 1_000_003,
  count: i,
  customer: `customer-${i}`,
  price: i / 3,
  paid: i % 2 === 0,
  note: `some longer text of a field, number ${i}`,
  weight: i / 2,
  at: 1_700_000_000_000 + i,
  coupon: i % 2 ? null : `x${i}`,
  state: 'SENT',
}));

const theirs = avsc.Type.forSchema(schema as never);
const payloads = values.map((value) => theirs.toBuffer(value));
const { root } = schemaFromJson(schema);
const decoder = new DatumDecoder(root);
const put = valueWriter(root, 'value');
const cursor = new Cursor();
const writer = new Writer();
/** What is made is kept for a moment, or it would not have to be made at all. */
let kept: unknown;

function encoded(value: unknown): Buffer {
  writer.reset();
  put(writer, value);
  return Buffer.from(writer.written);
}

for (const [i, value] of values.entries()) {
  if (!encoded(value).equals(payloads[i]!)) throw new Error(`record ${i} is encoded differently`);
}

const work = {
  encode: {
    ours: () => {
      for (const value of values) kept = encoded(value);
    },
    avsc: () => {
      for (const value of values) kept = theirs.toBuffer(value);
    },
  },
  decode: {
    ours: () => {
      for (const payload of payloads) {
        cursor.open(payload, 0, payload.length);
        kept = decoder.decode(cursor);
      }
    },
    avsc: () => {
      for (const payload of payloads) kept = theirs.fromBuffer(payload);
    },
  },
};

function nanoseconds(run: () => void): number {
  const begun = performance.now();
  for (let i = 0; i < PASSES; i++) run();
  return ((performance.now() - begun) * 1e6) / PASSES / RECORDS;
}

for (const [name, { ours, avsc: peer }] of Object.entries(work)) {
  nanoseconds(ours);
  nanoseconds(peer);
  for (let turn = 0; turn < TURNS; turn++) {
    const [a, b] = [nanoseconds(ours), nanoseconds(peer)];
    process.stdout.write(`${name} ${a.toFixed(0)} ${b.toFixed(0)} ${((100 * b) / a).toFixed(0)}\n`);
  }
}
if (kept === undefined) throw new Error('nothing was made');
