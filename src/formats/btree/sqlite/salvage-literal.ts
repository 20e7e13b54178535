/** Values as literals of SQL. */
import { OddText, type SqlValue, WholeReal } from '../model.ts';
import { encodedText } from './record.ts';

function blob(bytes: Uint8Array): string {
  return `X'${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}'`;
}

/** Text of bytes, which are taken for those of the database's encoding. */
function castText(bytes: Uint8Array): string {
  return `CAST(${blob(bytes)} AS TEXT)`;
}

export function literal(value: SqlValue, encoding: number): string {
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array) return blob(value);
  if (value instanceof OddText) return castText(value.bytes);
  if (typeof value === 'string') {
    // A zero byte ends a statement: text with one goes as its bytes.
    if (value.includes('\0')) return castText(encodedText(value, encoding));
    return `'${value.replaceAll("'", "''")}'`;
  }
  if (typeof value === 'bigint')
    return value === -(2n ** 63n) ? '(-9223372036854775807-1)' : `${value}`;
  if (value instanceof WholeReal) {
    const { value: real } = value;
    return Math.abs(real) < 1e15 ? real.toFixed(1) : real.toExponential(17);
  }
  if (Number.isInteger(value) && Math.abs(value) >= 2 ** 53) return `${value.toExponential(17)}`;
  // No NaN is ever stored: it is bytes that were damaged.
  if (Number.isNaN(value)) return 'NULL';
  if (value === Number.POSITIVE_INFINITY) return '9e999';
  if (value === Number.NEGATIVE_INFINITY) return '-9e999';
  return String(value);
}
