import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListValue } from '../../src/formats/format.ts';
import { type BytesFormats, jsonCell } from '../../src/ui/bytes-format.ts';
import { JsonSink } from '../../src/ui/json-sink.ts';
import { Output } from '../../src/ui/output.ts';

class Kept extends Output {
  text_ = '';
  constructor() {
    super(-1);
  }
  override put(bytes: Uint8Array, end: number): void {
    this.text_ += Buffer.from(bytes.subarray(0, end)).toString();
  }
}

const AUTO: BytesFormats = { key: 'auto', value: 'auto', redact: false };

function listOf(values: readonly ListValue[], formats = AUTO): unknown {
  const output = new Kept();
  const sink = new JsonSink(output, formats);
  sink.begin();
  sink.integer('n', 1);
  sink.list('list', values);
  sink.end();
  output.flush();
  return (JSON.parse(output.text_) as { n: number; list: unknown }).list;
}

describe('a list', () => {
  const value = fc.oneof(
    fc.double(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.maxSafeInteger(),
    fc.constant(null),
    fc.string({ unit: 'binary' }),
    fc.uint8Array({ maxLength: 255 }),
  );
  const shown = (one: ListValue, formats: BytesFormats): unknown => {
    if (typeof one === 'string' || one instanceof Uint8Array) return jsonCell(one, formats);
    if (typeof one === 'bigint') return Number.isSafeInteger(Number(one)) ? Number(one) : `${one}`;
    // Zero without its sign, as JSON.stringify has it.
    return Number.isFinite(one ?? 0) ? one && one + 0 : `${one}`;
  };

  it('has numbers as they are, digits of those beyond a double, and bytes apart from texts', () => {
    const formats: BytesFormats[] = [
      AUTO,
      { ...AUTO, value: 'base64' },
      { ...AUTO, value: 'size' },
      { ...AUTO, redact: true },
    ];
    fc.assert(
      fc.property(fc.array(value), fc.constantFrom(...formats), (values, one) => {
        const expected = JSON.parse(JSON.stringify(values.map((each) => shown(each, one))));
        expect(listOf(values, one)).toEqual(expected);
      }),
    );
  });

  it('has bytes and texts that are larger than what is gathered for one write', () => {
    const bytes = new Uint8Array(300_000).fill(0xa5);
    const text = 'é'.repeat(300_000);
    expect(listOf([bytes, text, 1])).toEqual([{ hex: 'a5'.repeat(300_000) }, text, 1]);
  });
});
