/** The family `lsm`: directories of levels of tables, with a log. See v2/FORMAT.md. */
import {
  type Detection,
  type Dialect,
  type Family,
  type FileEntry,
  type FileSet,
  NOT_THIS,
  type Opened,
  type Probe,
  type ScanContext,
} from '../format.ts';
import { inMemory } from '../sstable/seekable.ts';
import { v2 as table } from '../sstable/v2/index.ts';
import { v2 as log } from '../wal/v2/index.ts';
import { MANIFEST_NAME as LOG_MANIFEST } from '../wal/v2/manifest.ts';
import { storeContent } from './content.ts';
import { dumpStore } from './dump.ts';
import { layoutManifest } from './layout.ts';
import { LOG_DIRECTORY, MAGIC, MANIFEST_NAME } from './manifest.ts';
import type { Database } from './model.ts';
import { openDatabase } from './open.ts';
import { applyStoreRepair, planStoreRepair } from './repair.ts';
import { statDatabase } from './stat.ts';
import { UNCHECKED_OWN, verifyDatabase } from './verify.ts';

export const v2: Dialect = {
  id: 'v2',
  family: 'lsm',
  title: 'LSM store of ours: a manifest, tables of levels, a log below',
  source: 'docs/formats/lsm-v2.md',
  unchecked: UNCHECKED_OWN,
  wholeDirectory: true,
  lockFile: 'LOCK',
  detect,
};

function detect({ name, head }: Probe): Detection {
  if (Buffer.from(head.subarray(0, MAGIC.length)).toString('latin1') === MAGIC) {
    return { confidence: 'certain', reason: `a manifest that begins with ${MAGIC}` };
  }
  return name === MANIFEST_NAME
    ? { confidence: 'certain', reason: `a file ${MANIFEST_NAME}, though it is damaged` }
    : NOT_THIS;
}

/** The manifest first, then tables, then what lies in the directory of the log. */
export function selectStore(set: FileSet): readonly FileEntry[] {
  if (!set.isDirectory) return set.files;
  const manifest = set.files.filter(({ name }) => name === MANIFEST_NAME);
  const tables = set.files.filter(({ name }) => table.fileName.test(name));
  const below = set.below?.(LOG_DIRECTORY)?.files ?? [];
  const logs = below
    .filter(({ name }) => log.segmentNumber(name) !== undefined || name === LOG_MANIFEST)
    .map((file) => ({ ...file, name: `${LOG_DIRECTORY}/${file.name}` }));
  return [...manifest, ...tables, ...logs];
}

function open({ set }: Opened, context: ScanContext): Promise<Database> {
  return openDatabase(set, 'v2', context);
}

export const lsm: Family = {
  id: 'lsm',
  title: 'stores of levels: tables, a manifest that names them, and a log',
  dialects: [v2],
  select: selectStore,
  inOrder: () => false,
  verify: async (input, context) => verifyDatabase(await open(input, context), context),
  dump: async (input, options, context, sink, onDamage) =>
    dumpStore(await open(input, context), options, context, sink, onDamage),
  content: async (input, options, context, sink, onDamage) =>
    storeContent(await open(input, context), options, context, sink, onDamage),
  stat: async (input, context) => statDatabase(await open(input, context), context),
  planRepair: planStoreRepair,
  applyRepair: applyStoreRepair,
  async layout({ set }, source, context, visit) {
    const name = source.name.slice(source.name.lastIndexOf('/') + 1);
    if (table.fileName.test(name)) {
      await table.layout(await inMemory(source, context.limits), context, visit);
    } else if (log.segmentNumber(name) !== undefined) {
      await log.layout(source, { ...context, set }, visit);
    } else if (name === LOG_MANIFEST) {
      visit({ name: 'log_manifest', offset: 0, length: source.size ?? 0 });
    } else await layoutManifest(source, visit);
  },
};
