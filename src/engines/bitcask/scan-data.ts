/** A data file on a Disk through the dialect's own scan. */
import type { BitcaskVisitor } from '../../formats/bitcask/model.ts';
import { dataName } from '../../formats/bitcask/v2/layout.ts';
import { scanData } from '../../formats/bitcask/v2/scan.ts';
import { type ByteSource, DEFAULT_LIMITS, type FileSet } from '../../formats/format.ts';
import type { Disk } from '../../io/disk.ts';
import { DiskSource } from '../../io/disk-set.ts';
import type { DataFile } from './data-file.ts';

/** How a long scan lets others have their turn. */
export interface Pace {
  /** Called before each window of so many bytes is read. */
  before(bytes: number): Promise<void>;
  readonly signal: AbortSignal;
}

/** Visits the records and the damage of the first `size` bytes, from `from` on. */
export async function scanDataFile(
  disk: Disk,
  file: DataFile,
  size: number,
  visitor: BitcaskVisitor,
  options: { from?: number; pace?: Pace | undefined } = {},
): Promise<void> {
  const whole = new DiskSource(disk, file.path, dataName(file.number));
  const { pace, from } = options;
  const source: ByteSource = {
    name: whole.name,
    size: Math.min(size, whole.size),
    read(target, start, length, position) {
      const most = Math.min(length, size - position);
      if (most <= 0) return 0;
      if (!pace) return whole.read(target, start, most, position);
      return pace.before(most).then(() => whole.read(target, start, most, position));
    },
  };
  try {
    const set: FileSet = {
      path: file.directory,
      isDirectory: true,
      files: [],
      siblings: [],
      open: () => whole,
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
  } finally {
    whole.close();
  }
}
