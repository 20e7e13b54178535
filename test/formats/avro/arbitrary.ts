/** Random schemas, values of them, and bytes of these, for properties that hold for all. */
import fc from 'fast-check';

export interface Sample {
  schema: unknown;
  /** As JSON has it: bytes as {hex}, longs beyond 2^53 as digits. */
  value: unknown;
}

interface Made {
  json: unknown;
  value: fc.Arbitrary<unknown>;
  /** What tells it from others in a union. */
  branch: string;
}

const hex = (bytes: Uint8Array) => ({ hex: Buffer.from(bytes).toString('hex') });
const long = fc
  .bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })
  .map((n) => (Number.isSafeInteger(Number(n)) ? Number(n) : String(n)));
const double = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0));
const text = fc.string({ unit: 'binary', maxLength: 40 });

const LEAVES: Made[] = [
  { json: 'null', value: fc.constant(null), branch: 'null' },
  { json: 'boolean', value: fc.boolean(), branch: 'boolean' },
  { json: 'int', value: fc.integer(), branch: 'int' },
  { json: 'long', value: fc.oneof(long, fc.integer()), branch: 'long' },
  {
    json: 'float',
    value: fc.float({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
    branch: 'float',
  },
  { json: 'double', value: double, branch: 'double' },
  { json: 'bytes', value: fc.uint8Array({ maxLength: 20 }).map(hex), branch: 'bytes' },
  { json: 'string', value: text, branch: 'string' },
];

/** A schema with a source of its values; names are numbered, so that none comes twice. */
function made(depth: number, names: { next: number }): fc.Arbitrary<Made> {
  const leaf = fc.constantFrom(...LEAVES);
  const named = fc.nat({ max: 3 }).map((kind): Made => {
    const name = `N${names.next++}`;
    if (kind === 0) {
      const symbols = ['A', 'B', 'C'];
      return {
        json: { type: 'enum', name, symbols },
        value: fc.constantFrom(...symbols),
        branch: name,
      };
    }
    const size = kind;
    return {
      json: { type: 'fixed', name, size },
      value: fc.uint8Array({ minLength: size, maxLength: size }).map(hex),
      branch: name,
    };
  });
  if (depth === 0) return fc.oneof({ weight: 4, arbitrary: leaf }, { weight: 1, arbitrary: named });
  const inner = made(depth - 1, names);
  const array = inner.map(
    ({ json, value }): Made => ({
      json: { type: 'array', items: json },
      value: fc.array(value, { maxLength: 4 }),
      branch: 'array',
    }),
  );
  const map = inner.map(
    ({ json, value }): Made => ({
      json: { type: 'map', values: json },
      value: fc.dictionary(text, value, { maxKeys: 4, noNullPrototype: true }),
      branch: 'map',
    }),
  );
  const record = fc.array(inner, { maxLength: 5 }).map((types): Made => {
    const name = `N${names.next++}`;
    const fields = types.map(({ json }, i) => ({ name: `f${i}`, type: json }));
    const values = Object.fromEntries(types.map(({ value }, i) => [`f${i}`, value]));
    return { json: { type: 'record', name, fields }, value: fc.record(values), branch: name };
  });
  // One other branch than null: which of several a bare value is of can be ambiguous.
  const union = inner
    .filter(({ branch, json }) => branch !== 'null' && !Array.isArray(json))
    .map(
      ({ json, value }): Made => ({
        json: ['null', json],
        value: fc.option(value),
        branch: 'union',
      }),
    );
  return fc.oneof(leaf, named, array, map, record, union);
}

export const sample: fc.Arbitrary<Sample> = fc
  .constant(null)
  .chain(() => made(3, { next: 0 }))
  .chain(({ json, value }) => value.map((one) => ({ schema: json, value: one })));
