/** Views of a set of files. */
import type { ByteSource, FileSet } from './format.ts';

/** The same files, opened otherwise. */
export function openedBy(set: FileSet, open: (name: string) => ByteSource): FileSet {
  return {
    path: set.path,
    isDirectory: set.isDirectory,
    files: set.files,
    // Asked for only where they are: looking for them reads a directory.
    get siblings() {
      return set.siblings;
    },
    open,
    ...(set.below && { below: (name: string) => set.below?.(name) }),
  };
}
