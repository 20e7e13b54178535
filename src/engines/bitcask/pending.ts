/** What was just written becomes what readers see: the key directory points to it. */
import type { KeyDirectory } from '../../formats/bitcask/key-directory.ts';
import { HEAD_BYTES } from '../../formats/bitcask/v2/layout.ts';
import {
  expiresOf,
  isDeletion,
  keyLengthOf,
  recordBytesOf,
  seqOf,
} from '../../formats/bitcask/v2/record.ts';
import type { DataFile } from './data-file.ts';

/** buffer[0, bytes) holds whole records, the first of which stands at `from` of `file`. */
export function applyPending(
  keys: KeyDirectory,
  files: ReadonlyMap<number, DataFile>,
  file: DataFile,
  buffer: Uint8Array,
  view: DataView,
  bytes: number,
  from: number,
): void {
  for (let at = 0; at < bytes; ) {
    const length = recordBytesOf(view, at);
    const keyStart = at + HEAD_BYTES;
    const keyEnd = keyStart + keyLengthOf(view, at);
    if (isDeletion(buffer, at)) {
      const entry = keys.find(buffer, keyStart, keyEnd);
      if (entry >= 0) {
        forget(keys, files, entry);
        keys.remove(entry);
      }
      file.deletionBytes += length;
    } else {
      const entry = keys.put(buffer, keyStart, keyEnd);
      if (!keys.created) forget(keys, files, entry);
      keys.set(entry, file.number, from + at, length, seqOf(view, at), 0);
      keys.setExpires(entry, expiresOf(view, at));
      file.liveBytes += length;
      file.liveRecords++;
    }
    at += length;
  }
}

/** The record that the entry points to no longer counts. */
export function forget(
  keys: KeyDirectory,
  files: ReadonlyMap<number, DataFile>,
  entry: number,
): void {
  const file = files.get(keys.file(entry))!;
  file.liveBytes -= keys.length(entry);
  file.liveRecords--;
}
