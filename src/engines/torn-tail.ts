/** What a crash left behind the last whole record is cut off only when it is kept elsewhere. */
import { join } from 'node:path';
import { type Disk, readFully } from '../io/disk.ts';
import { makeDurableDirectory, replaceFile } from '../io/durable.ts';
import { crc32c } from '../shared/crc32.ts';

/** Below the store's own directory. */
export const TORN_DIRECTORY = 'torn';

/**
 * Keeps the bytes of [from, to) of a file under a name that says where they were; zeros are not
 * worth it. Returns what was done, in words; undefined: there was nothing to keep.
 */
export function saveTail(
  disk: Disk,
  directory: string,
  file: string,
  from: number,
  to: number,
): string | undefined {
  if (to <= from) return undefined;
  const handle = disk.open(join(directory, file), 'read');
  const bytes = new Uint8Array(to - from);
  let end: number;
  try {
    end = readFully(handle, bytes, 0, bytes.length, from);
  } finally {
    handle.close();
  }
  while (end > 0 && bytes[end - 1] === 0) end--;
  if (end === 0) return undefined;
  const torn = join(directory, TORN_DIRECTORY);
  makeDurableDirectory(disk, torn);
  // The content is in the name: the same tail is saved once, however often recovery is cut short.
  const crc = crc32c.of(bytes, 0, end).toString(16).padStart(8, '0');
  const name = `${file}.${from}.${crc}`;
  const path = join(torn, name);
  if (disk.stat(path)?.size !== end) replaceFile(disk, path, bytes.subarray(0, end));
  return `${end} bytes behind offset ${from} of ${file} are kept in ${TORN_DIRECTORY}/${name}`;
}
