/** What a store tells of itself. */
import type { KeyDirectory } from '../../formats/bitcask/key-directory.ts';
import { dataName, HEADER_BYTES } from '../../formats/bitcask/v2/layout.ts';
import type { Catalog } from './catalog.ts';

export interface FileStat {
  file: string;
  bytes: number;
  records: number;
  liveBytes: number;
  liveRecords: number;
  /** Percent of the records' bytes that no longer count. */
  fragmentation: number;
  sealed: boolean;
  merged: boolean;
  hint: boolean;
}

export interface StoreStat {
  keys: number;
  bytes: number;
  liveBytes: number;
  nextSeq: number;
  generation: string;
  /** Bytes of the key directory: its table, and the keys. */
  memory: { table: number; keys: number };
  files: FileStat[];
  /** Why the last work in the background failed, if it did. */
  backgroundFailure?: string;
}

export function statOf(
  catalog: Catalog,
  keys: KeyDirectory,
  nextSeq: number,
  failure: string | undefined,
): StoreStat {
  const files = [...catalog.files.values()].map((file): FileStat => {
    const body = file.size - HEADER_BYTES;
    return {
      file: dataName(file.number),
      bytes: file.size,
      records: file.records,
      liveBytes: file.liveBytes,
      liveRecords: file.liveRecords,
      fragmentation: body === 0 ? 0 : Math.round((100 * (body - file.liveBytes)) / body),
      sealed: file.sealed,
      merged: file.merged,
      hint: file.hintCrc !== 0,
    };
  });
  return {
    keys: keys.size,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    liveBytes: files.reduce((sum, file) => sum + file.liveBytes, 0),
    nextSeq,
    generation: String(catalog.manifest.generation),
    memory: keys.memory,
    files,
    ...(failure !== undefined && { backgroundFailure: failure }),
  };
}
