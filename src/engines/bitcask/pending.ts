/** What was written becomes what readers see: the key directory points to it. */
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
    const start = at + HEAD_BYTES;
    const end = start + keyLengthOf(view, at);
    const deleted = isDeletion(buffer, at);
    const seq = seqOf(view, at);
    const expires = expiresOf(view, at);
    applyRecord(keys, files, file, buffer, start, end, from + at, length, seq, expires, deleted);
    at += length;
  }
}

/** The record at `position` of `file` is newer than all that the directory knows of. */
export function applyRecord(
  keys: KeyDirectory,
  files: ReadonlyMap<number, DataFile>,
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
  if (deleted) {
    const known = keys.find(bytes, keyStart, keyEnd);
    if (known >= 0) {
      forget(keys, files, known);
      keys.remove(known);
    }
    file.deletionBytes += length;
    return;
  }
  const entry = keys.put(bytes, keyStart, keyEnd);
  if (!keys.created) forget(keys, files, entry);
  keys.set(entry, file.number, position, length, seq, 0);
  keys.setExpires(entry, expires);
  file.liveBytes += length;
  file.liveRecords++;
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
