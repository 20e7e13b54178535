/**
 * The file that was written when the store was not closed. What was not synced may be gone, in part
 * or out of order, or may be in the cache and not on the disk (after a failed sync, or when only
 * the process died). So the file is written anew up to where it is whole, and synced; what lies
 * behind is kept beside.
 */
import type { BitcaskVisitor } from '../../formats/bitcask/model.ts';
import { dataName, HEADER_BYTES } from '../../formats/bitcask/v2/layout.ts';
import type { Disk } from '../../io/disk.ts';
import { DurableWriter } from '../../io/durable.ts';
import { saveTail } from '../torn-tail.ts';
import { corrupt } from './corrupt.ts';
import type { DataFile } from './data-file.ts';
import { checkFile } from './load.ts';
import { scanDataFile } from './scan-data.ts';

const COPY_BYTES = 256 * 1024;

/** How far a file is whole, batches included. */
interface WholePart {
  end: number;
  records: number;
  seqFirst: number;
  seqLast: number;
}

/**
 * Makes the file what its whole part is. `seqDue` is the number that was due when the manifest was
 * written. Throws `corrupt` where something that was synced cannot be read.
 */
export async function recoverFile(
  disk: Disk,
  file: DataFile,
  seqDue: number,
  notes: string[],
): Promise<void> {
  const size = checkFile(file, true);
  const whole = await wholePart(file, size, seqDue);
  const name = dataName(file.number);
  const kept = saveTail(disk, file.directory, name, whole.end, size);
  if (kept) notes.push(kept);
  copyPrefix(disk, file, whole.end);
  file.size = whole.end;
  file.records = whole.records;
  file.seqFirst = whole.seqFirst;
  file.seqLast = whole.seqLast;
  file.markDurable();
  notes.push(
    `the store was not closed: ${name} is whole up to ${whole.end}, ${size} bytes were there`,
  );
}

/**
 * The part from `from` (a record's end) on that is whole. Throws `corrupt` where what is damaged is
 * proved to have been durable.
 */
export async function wholePart(
  file: DataFile,
  size: number,
  seqDue: number,
  from = HEADER_BYTES,
): Promise<WholePart> {
  const whole: WholePart = { end: from, records: 0, seqFirst: 0, seqLast: 0 };
  const known = file.size;
  let seq = 0;
  let records = 0;
  /** The number due where the first loss is. */
  let lost: { seq: number; offset: number } | undefined;
  const visitor: BitcaskVisitor = {
    record(record) {
      if (lost) {
        // Written when something from the loss on was durable already: that is no torn tail.
        if (record.seq - record.unsynced < lost.seq) return;
        throw corrupt(file, lost.offset, `seq ${record.seq} behind it proves it synced`);
      }
      seq = record.seq;
      records++;
      whole.seqFirst ||= seq;
      if (record.continued) return;
      whole.end = record.offset + record.length;
      whole.records = records;
      whole.seqLast = seq;
    },
    damage(damage) {
      if (!damage.lost) throw corrupt(file, damage.offset, `${damage.code}: ${damage.message}`);
      // Behind what the manifest knows there may be a gap: numbers are left out after a crash.
      const due = damage.offset >= known ? seqDue : 0;
      lost ??= { seq: Math.max(due, seq + 1), offset: damage.offset };
    },
  };
  await scanDataFile(file, size, visitor, { from });
  if (whole.records === 0) whole.seqFirst = 0;
  if (whole.end < known) {
    throw corrupt(file, whole.end, `it was durable up to ${known} when the manifest was written`);
  }
  return whole;
}

function copyPrefix(disk: Disk, file: DataFile, end: number): void {
  const writer = DurableWriter.create(disk, file.path, { overwrite: true });
  try {
    const buffer = new Uint8Array(Math.min(COPY_BYTES, end));
    for (let at = 0; at < end; ) {
      const got = file.read(buffer, Math.min(buffer.length, end - at), at);
      if (got <= 0) throw corrupt(file, at, 'it ended while it was copied');
      writer.append(buffer, 0, got);
      at += got;
    }
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
  file.replaced();
}
