/** The family `avro`: data of Avro's binary encoding, in the containers that carry their schema. */
import type { ByteSource, Family, FileEntry, FileSet, Opened } from '../format.ts';
import { ocf } from './ocf/index.ts';
import { layoutContainer } from './ocf/layout.ts';
import { applyContainerRepair, planContainerRepair } from './ocf/repair.ts';
import { statContainers } from './ocf/stat.ts';
import { dumpContainers, verifyContainers } from './ocf/verify.ts';

/** Of a directory, the files that are named like containers; a single file whatever its name. */
function select(set: FileSet): readonly FileEntry[] {
  return set.isDirectory ? set.files.filter(({ name }) => name.endsWith('.avro')) : set.files;
}

export const avro: Family = {
  id: 'avro',
  title: 'Avro: data with their schema',
  dialects: [ocf],
  select,
  verify: verifyContainers,
  dump: dumpContainers,
  stat: statContainers,
  layout: (input: Opened, source: ByteSource, context, visit) =>
    layoutContainer(input, source, context, visit),
  planRepair: (input, _, context) => planContainerRepair(input, context),
  applyRepair: applyContainerRepair,
};
