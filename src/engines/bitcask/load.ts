/**
 * Fills the key directory: from hint files where there are valid ones, else from the data. In any
 * order, since the record with the highest number counts; deletions are kept until all files are
 * read, so that none can be passed by an older record of its key.
 */
import { DELETED, type KeyDirectory } from '../../formats/bitcask/key-directory.ts';
import { decodeDataHeader } from '../../formats/bitcask/v2/headers.ts';
import { visitHint } from '../../formats/bitcask/v2/hint.ts';
import { HEADER_BYTES } from '../../formats/bitcask/v2/layout.ts';
import { corrupt } from './corrupt.ts';
import type { DataFile } from './data-file.ts';
import type { CheckedHint, HintReader } from './hint-reader.ts';
import { scanDataFile } from './scan-data.ts';

export interface Loading {
  /** More may have been written to the file that is not sealed than the manifest knows of. */
  open: boolean;
  reader: HintReader;
  /** What is not as it should be and can be done without, in words. */
  notes: string[];
}

/**
 * Reads what the files hold, in order, with hints asked for ahead; a file whose hint is of no use
 * has none from then on. Throws `corrupt` where a file is not what it should be.
 */
export async function loadFiles(
  files: readonly DataFile[],
  keys: KeyDirectory,
  { open, reader, notes }: Loading,
): Promise<void> {
  for (const file of files) checkFile(file, open);
  const asked = new Map<DataFile, Promise<CheckedHint>>();
  const hinted = files.filter(({ hintCrc }) => hintCrc !== 0);
  let next = 0;
  const ask = (): void => {
    const file = hinted[next++];
    if (!file) return;
    const hint = reader.read(file.hintPath, {
      file: file.number,
      crc: file.hintCrc,
      dataBytes: file.size,
    });
    hint.catch(() => {}); // told when its turn comes
    asked.set(file, hint);
  };
  for (let i = 0; i <= reader.ahead; i++) ask();
  for (const file of files) {
    const hint = await asked.get(file);
    if (hint !== undefined) {
      asked.delete(file);
      ask();
    }
    if (hint !== undefined && typeof hint !== 'string') {
      takeHint(file, hint, keys);
      continue;
    }
    if (hint !== undefined) {
      notes.push(`${file.hintPath}: ${hint}; the data file was read instead`);
      file.hintCrc = 0;
    }
    await loadData(file, keys);
  }
}

function takeHint(file: DataFile, bytes: Uint8Array, keys: KeyDirectory): void {
  visitHint(bytes, ({ keyStart, keyEnd, position, length, seq, expires, deleted }) =>
    note(keys, file, bytes, keyStart, keyEnd, position, length, seq, expires, deleted),
  );
}

/**
 * Returns the file's size. Throws `corrupt` if it is shorter than the manifest says (it has lost
 * records that nothing else would miss), longer although nothing was to be written to it, or not
 * the file that is named. `open`: see Loading.
 */
export function checkFile(file: DataFile, open: boolean): number {
  const size = file.bytesThere;
  const bytes = new Uint8Array(HEADER_BYTES);
  const got = file.read(bytes, HEADER_BYTES, 0);
  const header = got === HEADER_BYTES ? decodeDataHeader(bytes) : undefined;
  if (header?.intact && header.crc !== file.crc) {
    throw corrupt(file, 0, 'it is not the file that the manifest names');
  }
  const mayGrow = open && !file.sealed;
  if (size < file.size || (size > file.size && !mayGrow)) {
    throw corrupt(file, Math.min(size, file.size), `${size} bytes, ${file.size} in the manifest`);
  }
  if (!header?.intact) throw corrupt(file, 0, 'its header is damaged');
  return size;
}

async function loadData(file: DataFile, keys: KeyDirectory): Promise<void> {
  await scanDataFile(file, file.size, {
    record: (record) =>
      note(
        keys,
        file,
        record.bytes,
        record.keyStart,
        record.keyEnd,
        record.offset,
        record.length,
        record.seq,
        record.expires,
        record.deleted,
      ),
    damage(damage) {
      throw corrupt(file, damage.offset, `${damage.code}: ${damage.message}`);
    },
  });
}

/** Takes a record's place down if it is the newest of its key so far. */
export function note(
  keys: KeyDirectory,
  file: DataFile,
  bytes: Uint8Array,
  keyStart: number,
  keyEnd: number,
  position: number,
  length: number,
  seq: number,
  expires: number,
  deleted: boolean,
): void {
  const entry = keys.put(bytes, keyStart, keyEnd);
  if (!keys.created && keys.order(entry) >= seq) return;
  keys.set(entry, file.number, position, length, seq, deleted ? DELETED : 0);
  keys.setExpires(entry, expires);
}

/** All files are read: deletions have done their work, and what each file holds is known. */
export function settle(keys: KeyDirectory, files: ReadonlyMap<number, DataFile>): void {
  for (const file of files.values()) {
    file.liveBytes = 0;
    file.liveRecords = 0;
    file.deletionBytes = 0;
  }
  keys.forEach((entry) => {
    const file = files.get(keys.file(entry))!;
    const length = keys.length(entry);
    if ((keys.flags(entry) & DELETED) !== 0) {
      file.deletionBytes += length;
      keys.remove(entry);
      return;
    }
    file.liveBytes += length;
    file.liveRecords++;
  });
}
