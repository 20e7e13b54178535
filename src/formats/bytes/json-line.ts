/** Lines of JSON as `dump --json` prints them and `write`, `import` and `append` take them. */
import { DdiaError } from '../../shared/errors.ts';

const SEQ_MAX = (1n << 64n) - 1n;

export type Fields = Readonly<Record<string, unknown>>;

export function badLine(number: number, why: string): DdiaError {
  return new DdiaError('bad-line', `line ${number}: ${why}`);
}

/** Undefined for lines that carry no record: empty ones, `damage` and `summary`. */
export function fieldsOfLine(line: Buffer, number: number): Fields | undefined {
  const text = line.toString('utf8').trim();
  if (text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badLine(number, `no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badLine(number, 'expected an object');
  }
  const fields = value as Fields;
  return 'damage' in fields || 'summary' in fields ? undefined : fields;
}

/** A sequence number; numbers that JavaScript cannot hold stand as strings. */
export function seqOfLine(value: unknown, number: number): bigint {
  const digits = typeof value === 'number' ? String(value) : value;
  if (typeof digits !== 'string' || !/^\d{1,20}$/.test(digits) || BigInt(digits) > SEQ_MAX) {
    const what = '"seq" must be an integer from 0 to 2^64 - 1, beyond 2^53 - 1 as a string';
    throw badLine(number, what);
  }
  return BigInt(digits);
}
