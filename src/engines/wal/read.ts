/** Reading the segments of a log, beside a writer or without one. */
import { DEFAULT_LIMITS } from '../../formats/format.ts';
import type { WalOpened, WalRecord } from '../../formats/wal/model.ts';
import { scanLog } from '../../formats/wal/reader.ts';
import { v2 } from '../../formats/wal/v2/index.ts';
import type { Disk } from '../../io/disk.ts';
import { diskSet } from '../../io/disk-set.ts';
import { DdiaError } from '../../shared/errors.ts';

/** The segments in `directory` from number `firstSegment` on. */
export function openSegments(disk: Disk, directory: string, firstSegment: number): WalOpened {
  const set = diskSet(disk, directory);
  const files = set.files
    .filter(({ name }) => (v2.segmentNumber(name) ?? 0) >= firstSegment)
    .sort((a, b) => v2.segmentNumber(a.name)! - v2.segmentNumber(b.name)!);
  return { set, dialect: v2, files };
}

/** Visits everything, commits and checkpoints included. Throws a DdiaError `corrupt` at damage. */
export async function iterateSegments(
  input: WalOpened,
  visit: (record: WalRecord) => void,
): Promise<void> {
  const context = { limits: DEFAULT_LIMITS, set: input.set };
  await scanLog(input, context, {
    record: visit,
    damage({ file, offset, message }) {
      throw new DdiaError('corrupt', `${file} @ ${offset}: ${message}`);
    },
  });
}
