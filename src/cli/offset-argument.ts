/** Offsets and lengths given on the command line: decimal, or hexadecimal with 0x. */
import { usageError } from '../shared/errors.ts';

/** `what` names the argument in the error. */
export function parseOffset(text: string, what: string): number {
  const number = /^(?:\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw usageError(
    'bad-number',
    `${what}: ${text} is no offset or length`,
    'digits, or 0x and hexadecimal digits, up to 2^53 - 1',
  );
}
