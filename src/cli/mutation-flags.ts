/** The mutations that a command line asks for, in the order in which they stand there. */
import { MUTATION_KINDS, type Mutation, type MutationKind } from '../formats/mutate/mutation.ts';
import { usageError } from '../shared/errors.ts';
import { parseHex } from './bytes-argument.ts';
import { parseOffset } from './offset-argument.ts';

/** A mutation, or so many that chance chooses. */
export type Step = Mutation | { kind: 'random'; count: number; kinds: readonly MutationKind[] };

/** A rehearsal needs a handful; each one makes the file's description longer. */
const RANDOM_COUNT_MAX = 10_000;

/** One flag as it was given; `pageSize` is --page-size. */
export function parseStep(flag: string, text: string, pageSize: number | undefined): Step {
  const name = `--${flag}`;
  switch (flag) {
    case 'flip': {
      const [offset, bit] = split(text, name, 'OFFSET[:BIT]', 1);
      if (bit === undefined) return { kind: 'flip', offset: parseOffset(offset, name) };
      if (!/^[0-7]$/.test(bit)) throw usageError('bad-bit', `${name} ${text}: a bit is 0 to 7`);
      return { kind: 'flip', offset: parseOffset(offset, name), bit: Number(bit) };
    }
    case 'zero':
    case 'garbage':
    case 'duplicate': {
      const [offset, length] = split(text, name, 'OFFSET:LENGTH', 2);
      const span = { offset: parseOffset(offset, name), length: parseOffset(length!, name) };
      if (span.length === 0) throw usageError('bad-number', `${name} ${text}: no bytes at all`);
      return { kind: flag, ...span };
    }
    case 'truncate':
      return { kind: 'truncate', size: parseOffset(text, name) };
    case 'swap-pages': {
      const [a, b] = split(text, name, 'PAGE:PAGE', 2);
      if (pageSize === undefined) throw usageError('usage', `${name} needs --page-size`);
      return { kind: flag, a: parseOffset(a, name), b: parseOffset(b!, name), pageSize };
    }
    case 'insert': {
      const [offset, digits] = split(text, name, 'OFFSET:HEX', 2);
      const bytes = parseHex(digits!);
      if (bytes.length === 0) throw usageError('bad-bytes', `${name} ${text}: no bytes at all`);
      return { kind: 'insert', offset: parseOffset(offset, name), bytes };
    }
    default:
      return parseRandom(text);
  }
}

function parseRandom(text: string): Step {
  const [count, list] = split(text, '--random', 'COUNT[:KIND,…]', 1);
  const number = parseOffset(count, '--random');
  if (number < 1 || number > RANDOM_COUNT_MAX) {
    throw usageError('bad-number', `--random ${text}: from 1 to ${RANDOM_COUNT_MAX}`);
  }
  const kinds = list === undefined ? MUTATION_KINDS : list.split(',');
  for (const kind of kinds) {
    if (!(MUTATION_KINDS as readonly string[]).includes(kind)) {
      throw usageError(
        'bad-kind',
        `--random ${text}: there is no mutation ${kind}`,
        `there are ${MUTATION_KINDS.join(', ')}`,
      );
    }
  }
  return { kind: 'random', count: number, kinds: kinds as readonly MutationKind[] };
}

/** Two parts around the first colon; the second may be missing when `least` is 1. */
function split(text: string, flag: string, form: string, least: 1 | 2): [string, string?] {
  const colon = text.indexOf(':');
  if (colon < 0 && least === 1) return [text];
  if (colon <= 0) throw usageError('usage', `${flag} ${text}: expected ${form}`);
  return [text.slice(0, colon), text.slice(colon + 1)];
}
