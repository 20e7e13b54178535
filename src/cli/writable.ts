/** What the commands that write from lines have in common. */
import type { Dialect } from '../formats/format.ts';
import { DdiaError, usageError } from '../shared/errors.ts';
import { count } from '../ui/count.ts';
import type { DdiaCommand } from './base-command.ts';
import { knownFamilies } from './plugins.ts';

/** The dialect `id` of a family; a usage error if there is none, or if it is read only. */
export async function writableDialect<D extends Dialect & { readonly encoder?: unknown }>(
  command: DdiaCommand,
  familyId: string,
  id: string,
): Promise<D> {
  const families = await knownFamilies(command.config, id, undefined, [familyId]);
  const family = families.find((one) => one.id === familyId);
  const dialects = (family?.dialects ?? []) as unknown as readonly D[];
  const dialect = dialects.find((one) => one.id === id || `${familyId}/${one.id}` === id);
  if (dialect?.encoder) return dialect;
  const writable = dialects.filter((one) => one.encoder).map((one) => one.id);
  throw usageError(
    dialect ? 'not-writable' : 'unknown-dialect',
    dialect ? `dialect ${id} is read, not written` : `unknown dialect: ${id}`,
    `can be written: ${writable.join(', ')}`,
  );
}

/** Errors of what a line asks for name the line. */
export function inLine(number: number, act: () => void): void {
  try {
    act();
  } catch (error) {
    throwInLine(number, error);
  }
}

export function throwInLine(number: number, error: unknown): never {
  // What the disk says has nothing to do with the line.
  const own = error instanceof DdiaError && error.cause === undefined;
  if (!own || error.message.startsWith('line ')) throw error;
  throw new DdiaError(error.code, `line ${number}: ${error.message}`, error.hint, error.exit);
}

/** What went wrong at a line, with how many records before it are there to stay. */
export function withKept(error: unknown, records: number, where = 'store'): unknown {
  if (!(error instanceof DdiaError) || records === 0) return error;
  const are = records === 1 ? 'is' : 'are';
  const kept = `${count(records, 'record')} before it ${are} in the ${where}`;
  return new DdiaError(error.code, error.message, kept, error.exit);
}
