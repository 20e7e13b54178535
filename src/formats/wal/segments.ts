import type { FileEntry, FileSet } from '../format.ts';
import type { WalDialect } from './model.ts';

/** Which of a set's files this dialect reads as segments, in order of their numbers. */
export function selectSegments(set: FileSet, dialect: WalDialect): readonly FileEntry[] {
  if (!set.isDirectory) return set.files;
  const numbered: { file: FileEntry; number: number }[] = [];
  const first = dialect.firstSegment?.(set) ?? 0;
  for (const file of set.files) {
    const number = dialect.segmentNumber(file.name);
    if (number !== undefined && number >= first) numbered.push({ file, number });
  }
  return numbered.sort((a, b) => a.number - b.number).map(({ file }) => file);
}
