/** Whether a file of a directory is a table of the same dialect. */
import { probeOf } from '../detect.ts';
import type { FileEntry, FileSet } from '../format.ts';
import type { TableDialect } from './model.ts';

export async function probeTable(
  dialect: TableDialect,
  set: FileSet,
  file: FileEntry,
): Promise<boolean> {
  const { confidence } = dialect.detect(await probeOf(set, file));
  return confidence !== 'no';
}
