/** What mutate did, for people. */
import type { Mutated } from '../formats/mutate/mutation.ts';
import { colors } from './color.ts';
import { table } from './table.ts';
import { printable } from './text-sink.ts';

/** Hex digits of a cell. */
const DIGITS_SHOWN = 32;

export interface MutateView {
  input: string;
  out: string;
  seed: number | string;
  inputSize: number;
  outSize: number;
  mutations: Mutated[];
}

export async function mutateText(result: MutateView, color: boolean): Promise<string> {
  const { input, out, seed, inputSize, outSize, mutations } = result;
  const rows = mutations.map(({ kind, offset, length, bit, otherOffset, before, after }) => {
    const more = bit !== undefined ? ` bit ${bit}` : '';
    const other = otherOffset !== undefined ? ` and ${otherOffset}` : '';
    return [kind + more, `${offset}${other}`, String(length), cell(before), cell(after)];
  });
  const head = ['MUTATION', 'OFFSET', 'LENGTH', 'BEFORE', 'AFTER'];
  const drawn = await table(head, rows, await colors(color));
  return (
    `${drawn}${printable(out)}: ${outSize} bytes, from ${inputSize} of ${printable(input)}; ` +
    `seed ${seed}\n`
  );
}

function cell(digits: string): string {
  if (digits === '') return '-';
  return digits.length <= DIGITS_SHOWN ? digits : `${digits.slice(0, DIGITS_SHOWN)}…`;
}
