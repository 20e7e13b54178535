/** What a crash left behind the last whole record is cut off only when it is kept elsewhere. */
import { join } from 'node:path';
import type { Disk, DiskFile } from '../io/disk.ts';
import { DurableWriter, makeDurableDirectory } from '../io/durable.ts';
import { CRC_INITIAL, crc32c } from '../shared/crc32.ts';

/** Below the store's own directory. */
export const TORN_DIRECTORY = 'torn';

const PIECE_BYTES = 256 * 1024;

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
  const source = disk.open(join(directory, file), 'read');
  try {
    const { bytes, crc } = measure(source, from, to);
    if (bytes === 0) return undefined;
    const torn = join(directory, TORN_DIRECTORY);
    makeDurableDirectory(disk, torn);
    // The content is in the name: the same tail is saved once, however often recovery is cut short.
    const name = `${file}.${from}.${crc.toString(16).padStart(8, '0')}`;
    const path = join(torn, name);
    if (disk.stat(path)?.size !== bytes) {
      const writer = DurableWriter.create(disk, path, { overwrite: true });
      try {
        readPieces(source, from, from + bytes, (piece) => writer.append(piece, 0, piece.length));
        writer.finish();
      } catch (error) {
        writer.abort();
        throw error;
      }
    }
    return `${bytes} bytes behind offset ${from} of ${file} are kept in ${TORN_DIRECTORY}/${name}`;
  } finally {
    source.close();
  }
}

/** How many bytes there are up to the last one that is not zero, and their checksum. */
function measure(source: DiskFile, from: number, to: number): { bytes: number; crc: number } {
  let bytes = 0;
  let read = 0;
  let register = CRC_INITIAL;
  /** The register as it was behind the last byte that is not zero. */
  let kept = CRC_INITIAL;
  readPieces(source, from, to, (piece, view) => {
    let end = piece.length;
    while (end > 0 && piece[end - 1] === 0) end--;
    register = crc32c.update(register, piece, view, 0, end);
    if (end > 0) {
      kept = register;
      bytes = read + end;
    }
    register = crc32c.update(register, piece, view, end, piece.length);
    read += piece.length;
  });
  return { bytes, crc: ~kept >>> 0 };
}

function readPieces(
  source: DiskFile,
  from: number,
  to: number,
  visit: (piece: Uint8Array, view: DataView) => void,
): void {
  const buffer = new Uint8Array(Math.min(PIECE_BYTES, to - from));
  const view = new DataView(buffer.buffer);
  for (let at = from; at < to; ) {
    const got = source.read(buffer, 0, Math.min(buffer.length, to - at), at);
    if (got <= 0) return;
    visit(buffer.subarray(0, got), view);
    at += got;
  }
}
