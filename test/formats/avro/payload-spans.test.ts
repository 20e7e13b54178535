/** Payloads byte for byte, whole and broken. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { valueWriter } from '../../../src/formats/avro/codec/write-value.ts';
import { Writer } from '../../../src/formats/avro/codec/writer.ts';
import { FRAMINGS, framingBytes, readFraming } from '../../../src/formats/avro/framing.ts';
import { payloadSpan } from '../../../src/formats/avro/payload-spans.ts';
import { canonicalForm } from '../../../src/formats/avro/schema/canonical.ts';
import { parseSchema } from '../../../src/formats/avro/schema/parse.ts';
import { coverageFaults } from '../../../src/formats/coverage.ts';
import type { Span } from '../../../src/formats/format.ts';
import { sample } from './arbitrary.ts';

const SCHEMA = parseSchema(
  JSON.stringify({
    type: 'record',
    name: 'R',
    fields: [
      { name: 'id', type: 'int' },
      { name: 'name', type: ['null', 'string'] },
      { name: 'kind', type: { type: 'enum', name: 'K', symbols: ['a', 'b'] } },
    ],
  }),
);

function leaves({ children, ...span }: Span): Span[] {
  return children ? children.flatMap(leaves) : [span];
}

describe.each(FRAMINGS)('a payload framed as %s', (framing) => {
  const front = framingBytes(framing, { canonical: canonicalForm(SCHEMA), id: 7 });
  const payload = Buffer.concat([front, Buffer.from('0202046162' + '02', 'hex')]);

  function spanOf(bytes: Uint8Array, offset = 0): Span {
    const framed = readFraming(bytes, framing);
    if ('fault' in framed) throw new Error(framed.fault);
    return payloadSpan(bytes, offset, framed, SCHEMA.root);
  }

  it('has a field for each of its bytes, wherever it stands', () => {
    const span = spanOf(payload, 100);
    expect(coverageFaults([span], 100, 100 + payload.length)).toEqual([]);
    const names = leaves(span).map(({ name, offset, value }) => [name, offset, value]);
    const at = 100 + front.length;
    expect(names.slice(-4)).toEqual([
      ['id', at, 1],
      ['branch', at + 1, 1],
      ['string', at + 2, 'ab'],
      ['kind', at + 5, 'b'],
    ]);
    const before = {
      raw: [],
      'single-object': [
        ['mark', 100, { hex: 'c301' }],
        ['fingerprint', 102, expect.stringMatching(/^[0-9a-f]{16}$/)],
      ],
      confluent: [
        ['magic', 100, { hex: '00' }],
        ['schema_id', 101, 7],
      ],
      'registry-v1': [['schema_id', 100, 7]],
    }[framing];
    expect(names.slice(0, -4)).toEqual(before);
  });

  it('shows what could be read of a broken one, and the rest as damage', () => {
    const broken = Buffer.from(payload);
    broken[broken.length - 1] = 8;
    const last = leaves(spanOf(broken)).at(-1);
    expect(last).toMatchObject({
      name: 'data',
      offset: payload.length - 1,
      length: 1,
      damage: 'bad-enum-index',
      value: 'R.kind: index 4 of enum K, expected 0 to 1',
    });
    const longer = spanOf(Buffer.concat([payload, Buffer.from([0, 0])]));
    expect(leaves(longer).at(-1)).toMatchObject({ length: 2, damage: 'trailing-bytes' });
    const cut = spanOf(payload.subarray(0, -1));
    expect(cut).toMatchObject({ damage: 'truncated-datum' });
    expect(leaves(cut).at(-1)).toMatchObject({ name: 'string', value: 'ab' });
  });

  it('is accounted for to the last byte, whatever is in it', () => {
    const hits = fc.array(fc.tuple(fc.nat(payload.length - 1), fc.nat(255)), { maxLength: 3 });
    fc.assert(
      fc.property(hits, fc.nat(payload.length), (changes, length) => {
        const bytes = Buffer.from(payload);
        for (const [at, byte] of changes) bytes[at] = byte;
        const part = bytes.subarray(0, length);
        const framed = readFraming(part, framing);
        if ('fault' in framed) return;
        const span = payloadSpan(part, 0, framed, SCHEMA.root);
        expect(coverageFaults([span], 0, length)).toEqual([]);
      }),
    );
  });
});

it('any datum of any schema is accounted for, and all of it is understood', () => {
  fc.assert(
    fc.property(sample, ({ schema, value }) => {
      const type = parseSchema(JSON.stringify(schema)).root;
      const writer = new Writer();
      valueWriter(type, 'value')(writer, value);
      const bytes = Buffer.from(writer.written);
      const span = payloadSpan(bytes, 0, { framing: 'raw', start: 0 }, type);
      expect(coverageFaults([span], 0, bytes.length)).toEqual([]);
      expect(leaves(span).filter(({ damage }) => damage !== undefined)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
