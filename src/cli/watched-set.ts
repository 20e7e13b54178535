/**
 * Progress of work that goes through several files at once, a merge of tables say: the bytes read
 * of them all, of the bytes that they have.
 */
import { openedBy } from '../formats/file-set.ts';
import type { ByteSource, FileEntry, FileSet, ScanContext } from '../formats/format.ts';

type Tell = NonNullable<ScanContext['progress']>;
interface Opened {
  readonly set: FileSet;
  readonly files: readonly FileEntry[];
}

/** The same files, of which each read is told. */
export function watched<T extends Opened>(inputs: readonly T[], tell: Tell | undefined): T[] {
  // Nobody looks: no read is to cost more.
  if (!tell || !process.stderr.isTTY) return [...inputs];
  let total = 0;
  for (const { files } of inputs) for (const { size = 0 } of files) total += size;
  let done = 0;
  return inputs.map((input) => {
    const { path } = input.set;
    const read = (bytes: number): void => {
      // What is read again does not count.
      done = Math.min(total, done + bytes);
      tell(path, done, total);
    };
    const { set } = input;
    return { ...input, set: openedBy(set, (name) => watchedSource(set.open(name), read)) };
  });
}

function watchedSource(source: ByteSource, read: (bytes: number) => void): ByteSource {
  const { name, size, forwardOnly } = source;
  return {
    name,
    size,
    ...(forwardOnly !== undefined && { forwardOnly }),
    read(target, start, length, position) {
      read(length);
      return source.read(target, start, length, position);
    },
    ...(source.readBeside && {
      readBeside(target, start, length, position) {
        read(length);
        return source.readBeside!(target, start, length, position);
      },
    }),
    close: () => source.close?.(),
  };
}
