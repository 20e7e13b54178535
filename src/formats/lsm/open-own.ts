/** Opens a directory of ours: manifest, tables, and the log in the directory below. */
import { bytesAt } from '../bytes/read-fully.ts';
import type { FileSet, Finding, ScanContext } from '../format.ts';
import { v2 as table } from '../sstable/v2/index.ts';
import { tableName } from '../sstable/v2/layout.ts';
import { selectSegments } from '../wal/segments.ts';
import { v2 as log } from '../wal/v2/index.ts';
import { SEGMENT_NAME } from '../wal/v2/layout.ts';
import { emptyVersion } from './edits.ts';
import { type ExaminedManifest, examineManifest, type PlacedTable } from './examine-manifest.ts';
import { LOG_DIRECTORY, MANIFEST_NAME } from './manifest.ts';
import { type Database, type LogFile, SEQ_MAX, type TableFile, type Version } from './model.ts';
import { filesOfKind } from './names.ts';

/** A manifest of a million tables is smaller. */
const MANIFEST_BYTES_MAX = 256 * 1024 * 1024;
const NOTHING: FileSet = {
  path: LOG_DIRECTORY,
  isDirectory: true,
  files: [],
  siblings: [],
  open(name) {
    throw new Error(`${name} of no directory`);
  },
};

/** By what lies in it where the manifest is gone: a table of ours, or a log below. */
export function isOwn(set: FileSet): boolean {
  if (set.files.some(({ name }) => table.fileName.test(name))) return true;
  const below = set.below?.(LOG_DIRECTORY);
  return below?.files.some(({ name }) => SEGMENT_NAME.test(name)) ?? false;
}

export async function openOwn(set: FileSet, context: ScanContext): Promise<Database> {
  const examined = await readManifest(set);
  const { header, findings } = examined;
  const version: Version = emptyVersion();
  if (header) {
    version.flushedSeq = header.flushedSeq;
    version.lastSequence = BigInt(header.flushedSeq);
    version.nextFileNumber = header.nextFile;
  }
  const tables = version.families.get(0)!.tables;
  const present = new Set(set.files.map(({ name }) => name));
  for (const placed of examined.tables) {
    const one = tableOf(placed);
    if (present.has(tableName(one.number))) one.name = tableName(one.number);
    tables.set(one.number, one);
  }
  version.edits = tables.size;
  const logSet = set.below?.(LOG_DIRECTORY) ?? NOTHING;
  const logs = logsOf(logSet);
  const logPrefix = `${LOG_DIRECTORY}/`;
  // Whoever reads the store is told of a log that is not whole, not only who verifies it.
  const input = { set: logSet, dialect: log, files: logs };
  for (const one of (await log.verifySet?.(input, { ...context, set: logSet })) ?? []) {
    if (one.severity === 'error') findings.push({ ...one, file: `${logPrefix}${one.file}` });
  }
  const guessed = !examined.whole;
  if (guessed) guess(set, version, findings);
  context.signal?.throwIfAborted();
  return {
    set,
    logSet,
    logPrefix,
    software: 'v2',
    wal: log,
    sstable: table,
    manifest: MANIFEST_NAME,
    version,
    logs,
    guessed,
    findings,
    identity: header && { storeId: header.storeId, generation: header.generation },
  };
}

function logsOf(logSet: FileSet): LogFile[] {
  return selectSegments(logSet, log).map(({ name, size = 0 }) => {
    return { number: log.segmentNumber(name)!, name, size };
  });
}

async function readManifest(set: FileSet): Promise<ExaminedManifest> {
  const file = set.files.find(({ name }) => name === MANIFEST_NAME);
  const size = file?.size ?? 0;
  if (!file || size > MANIFEST_BYTES_MAX) {
    const what = file
      ? `${size} bytes, at most ${MANIFEST_BYTES_MAX} are read`
      : 'there is none: nothing tells which of the tables live';
    return { header: undefined, tables: [], findings: [bad(`${what}`, size)], whole: false };
  }
  const source = set.open(MANIFEST_NAME);
  try {
    return examineManifest(await bytesAt(source, 0, size));
  } finally {
    source.close?.();
  }
}

function bad(message: string, length: number): Finding {
  const place = { file: MANIFEST_NAME, offset: 0, length };
  const repair = 'write it anew from the tables';
  return { code: 'bad-manifest', severity: 'error', ...place, message, repair };
}

/**
 * Of a table with range deletions, the last key may be the end of one, which it does not take away:
 * the next table may begin there.
 */
function tableOf({ entry, offset, length }: PlacedTable): TableFile {
  const { file, level, bytes, seqFirst, seqLast, firstKey, lastKey, rangeDeletions } = entry;
  return {
    number: file,
    level,
    size: bytes,
    smallest: { userKey: firstKey, seq: 1n, type: 'put' },
    largest: { userKey: lastKey, seq: rangeDeletions > 0 ? SEQ_MAX : 0n, type: 'put' },
    smallestSeq: BigInt(seqFirst),
    largestSeq: BigInt(seqLast),
    name: undefined,
    offset,
    length,
    entry,
  };
}

/**
 * Without the whole manifest, every table of the directory counts that it does not name: each
 * stands in level 0, where any may hold any key, and the sequence numbers say what is newest.
 */
function guess(set: FileSet, { families }: Version, findings: Finding[]): void {
  const { tables } = families.get(0)!;
  let added = 0;
  for (const { number, name, size } of filesOfKind(set.files, 'table')) {
    if (tables.has(number)) continue;
    const unknown = { smallest: undefined, largest: undefined };
    const seqs = { smallestSeq: undefined, largestSeq: undefined };
    const place = { offset: 0, length: 0 };
    tables.set(number, { number, level: 0, size, name, ...unknown, ...seqs, ...place });
    added++;
  }
  if (added === 0) return;
  const message =
    `tables that no entry names which can be read are read too, ${added} of them: ` +
    'what a compaction had dropped of them shows again';
  const place = { file: MANIFEST_NAME, offset: 0, length: 0 };
  findings.push({ code: 'guessed-tables', severity: 'warning', ...place, message });
}
