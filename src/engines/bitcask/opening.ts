/** From what is on the disk to a store that is known: recovery, hints, data, leftovers. */
import type { KeyDirectory } from '../../formats/bitcask/key-directory.ts';
import type { Disk } from '../../io/disk.ts';
import type { Catalog } from './catalog.ts';
import { type HintReader, inThisThread, inThreads, THREADS_FROM_BYTES } from './hint-reader.ts';
import { loadFiles, settle } from './load.ts';
import type { ResolvedOptions } from './options.ts';
import { recoverFile } from './recover.ts';

/** Numbers left out after a crash: more than a file of 4 GiB can have held unsynced. */
const SEQS_AFTER_CRASH = 2 ** 27;

/**
 * Fills the key directory and returns the next number. What was read is durable then: a closed
 * store is synced, another's last file was written anew. Nothing is removed, and the manifest not
 * touched, before all of it is read. Throws `corrupt`.
 */
export async function openFiles(
  disk: Disk,
  catalog: Catalog,
  keys: KeyDirectory,
  options: ResolvedOptions,
  notes: string[],
): Promise<number> {
  const { files, manifest } = catalog;
  let { nextSeq } = manifest;
  catalog.refuseOlderManifest();
  if (!manifest.closed) {
    for (const file of files.values()) {
      if (file.sealed) continue;
      await recoverFile(disk, file, manifest.nextSeq, notes);
      nextSeq = Math.max(nextSeq, file.seqLast + 1) + SEQS_AFTER_CRASH;
    }
  }
  const reader = hintReader(disk, catalog, options);
  try {
    await loadFiles([...files.values()], keys, { open: false, reader, notes });
  } finally {
    reader.close();
  }
  settle(keys, files);
  const skipped = catalog.skipNumbersInUse();
  const hints = [...files.values()].filter(({ hintCrc }) => hintCrc !== 0).length;
  const hintsLost = hints < manifest.files.filter(({ hint }) => hint).length;
  if (!manifest.closed || skipped || hintsLost) catalog.commit(nextSeq, true);
  catalog.removeLeftovers();
  return nextSeq;
}

/** Threads where there is so much to check that starting them pays. */
function hintReader(disk: Disk, { files }: Catalog, options: ResolvedOptions): HintReader {
  const { hintWorker, hintThreads } = options;
  let bytes = 0;
  for (const { hintCrc, hintPath } of files.values()) {
    if (hintCrc !== 0) bytes += disk.stat(hintPath)?.size ?? 0;
  }
  const many = hintThreads > 0 && bytes >= THREADS_FROM_BYTES;
  return hintWorker !== '' && many ? inThreads(disk, hintWorker, hintThreads) : inThisThread(disk);
}
