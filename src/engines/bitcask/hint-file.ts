/** Makes hint files durable, and gathers what goes in from the data file itself. */
import { randomBytes } from 'node:crypto';
import { DELETED, KeyDirectory } from '../../formats/bitcask/key-directory.ts';
import { decodeHintHeader } from '../../formats/bitcask/v2/headers.ts';
import { HintEncoder } from '../../formats/bitcask/v2/hint.ts';
import { HEAD_BYTES } from '../../formats/bitcask/v2/layout.ts';
import type { Disk } from '../../io/disk.ts';
import { DurableWriter } from '../../io/durable.ts';
import { corrupt } from './corrupt.ts';
import type { DataFile } from './data-file.ts';
import { note } from './load.ts';
import { type Pace, scanDataFile } from './scan-data.ts';

/** The data it is for must be durable. Returns the crc in its header. */
export function writeHint(disk: Disk, file: DataFile, hint: HintEncoder): number {
  const parts = hint.finish(file.size);
  const writer = DurableWriter.create(disk, file.hintPath, { overwrite: true });
  try {
    for (const part of parts) writer.append(part, 0, part.length);
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
  return decodeHintHeader(parts[0]!)!.crc;
}

/**
 * Reads a sealed data file back and gathers its hint: one entry for the newest record of each key
 * in it. Throws `corrupt` if it does not read as it was written.
 */
export async function gatherHint(
  file: DataFile,
  storeId: bigint,
  pace: Pace,
): Promise<HintEncoder> {
  const keys = new KeyDirectory(randomBytes(4).readUInt32LE());
  await scanDataFile(
    file,
    file.size,
    {
      record: ({ bytes, keyStart, keyEnd, offset, length, seq, expires, deleted }) =>
        note(keys, file, bytes, keyStart, keyEnd, offset, length, seq, expires, deleted),
      damage(damage) {
        throw corrupt(file, damage.offset, `${damage.code}: ${damage.message}`);
      },
    },
    { pace },
  );
  const hint = new HintEncoder(file.number, storeId);
  const entries = new Uint32Array(keys.size);
  let count = 0;
  keys.forEach((entry) => {
    entries[count++] = entry;
  });
  entries.sort((a, b) => keys.position(a) - keys.position(b));
  for (const entry of entries) {
    const keyStart = keys.keyStart(entry);
    const keyLength = keys.keyLength(entry);
    hint.add(
      keys.position(entry),
      keys.length(entry) - HEAD_BYTES - keyLength,
      keys.order(entry),
      keys.expires(entry),
      (keys.flags(entry) & DELETED) !== 0,
      keys.keyChunk(entry),
      keyStart,
      keyStart + keyLength,
    );
  }
  return hint;
}
