/** What the MANIFEST alone shows of a column family's levels. */
import { DdiaError } from '../../shared/errors.ts';
import type { Finding } from '../format.ts';
import { keyText } from '../key-text.ts';
import type { ColumnFamily, Database, TableFile } from './model.ts';
import { compareEnds, inKeyOrder, orderOf } from './walk.ts';

export function checkLevels(database: Database, family: ColumnFamily): Finding[] {
  const file = database.manifest ?? 'CURRENT';
  const findings: Finding[] = [];
  const tell = (code: string, { offset, length }: TableFile, message: string): void => {
    findings.push({ code, severity: 'error', file, offset, length, message });
  };
  const order = orderIfKnown(family);
  if (typeof order === 'string') {
    const place = { file, offset: 0, length: 0 };
    return [{ code: 'unknown-order', severity: 'info', ...place, message: order }];
  }
  const { lastSequence, nextFileNumber } = database.version;
  for (const table of family.tables.values()) {
    const { smallest, largest, number, largestSeq } = table;
    if (smallest && largest && Buffer.compare(smallest.userKey, largest.userKey) * order > 0) {
      const range = `${keyText(smallest.userKey)} to ${keyText(largest.userKey)}`;
      tell('range-mismatch', table, `the range of table ${number} ends before it begins: ${range}`);
    }
    if (nextFileNumber !== undefined && number >= nextFileNumber) {
      const message = `table ${number}, the next file is to be ${nextFileNumber}`;
      tell('edit-mismatch', table, message);
    }
    if (largestSeq !== undefined && lastSequence !== undefined && largestSeq > lastSequence) {
      const message = `table ${number} reaches seq ${largestSeq}, the last one is ${lastSequence}`;
      tell('sequence-mismatch', table, message);
    }
  }
  const levels = new Set([...family.tables.values()].map(({ level }) => level));
  for (const level of levels) {
    if (level === 0) continue;
    const own = [...family.tables.values()].filter((table) => table.level === level);
    const sorted = inKeyOrder(own, order);
    for (let i = 1; i < sorted.length; i++) {
      const [before, after] = [sorted[i - 1]!, sorted[i]!];
      if (!before.largest || !after.smallest || compareEnds(before, after, order) < 0) continue;
      const ends = keyText(before.largest.userKey);
      const begins = keyText(after.smallest.userKey);
      const message =
        `table ${before.number} ends at ${ends}, table ${after.number} of the same level ` +
        `${level} begins at ${begins}: a reader looks into one of them only`;
      tell('level-overlap', after, message);
    }
  }
  return findings;
}

/** Or why it is not known. */
export function orderIfKnown(family: ColumnFamily): 1 | -1 | string {
  try {
    return orderOf(family);
  } catch (error) {
    if (error instanceof DdiaError) return error.message;
    throw error;
  }
}
