/** A data file of a running store through the dialect's own scan. */
import type { BitcaskVisitor } from '../../formats/bitcask/model.ts';
import { dataName } from '../../formats/bitcask/v2/layout.ts';
import { scanData } from '../../formats/bitcask/v2/scan.ts';
import { type ByteSource, DEFAULT_LIMITS, type FileSet } from '../../formats/format.ts';
import { corrupt } from './corrupt.ts';
import type { DataFile } from './data-file.ts';

/** How a long scan lets others have their turn. */
export interface Pace {
  /** Called before each window of so many bytes is read. */
  before(bytes: number): Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Visits the records and the damage of the first `size` bytes, from `from` on. Throws `corrupt`
 * where the file ends before that.
 */
export async function scanDataFile(
  file: DataFile,
  size: number,
  visitor: BitcaskVisitor,
  options: { from?: number; pace?: Pace | undefined } = {},
): Promise<void> {
  const { pace, from } = options;
  const read = (target: Uint8Array, start: number, length: number, position: number): number => {
    const got = file.readInto(target, start, length, position);
    if (got < length)
      throw corrupt(file, position + got, `it ends here, ${size} bytes belong to it`);
    return got;
  };
  const source: ByteSource = {
    name: dataName(file.number),
    size,
    read(target, start, length, position) {
      const most = Math.min(length, size - position);
      if (most <= 0) return 0;
      if (!pace) return read(target, start, most, position);
      return pace.before(most).then(() => read(target, start, most, position));
    },
  };
  const set: FileSet = {
    path: file.directory,
    isDirectory: true,
    files: [],
    siblings: [],
    open: () => source,
  };
  await scanData(
    source,
    {
      limits: DEFAULT_LIMITS,
      set,
      ...(from !== undefined && { from }),
      ...(pace && { signal: pace.signal }),
    },
    visitor,
  );
}
