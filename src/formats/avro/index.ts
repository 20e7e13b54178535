/**
 * The family `avro`: data of Avro's binary encoding, in the containers that carry their schema.
 * What its verbs need is loaded when one of them is called: every command has all families at hand.
 */
import type { Family, FileEntry, FileSet } from '../format.ts';
import { ocf } from './ocf/index.ts';

/** Of a directory, the files that are named like containers; a single file whatever its name. */
function select(set: FileSet): readonly FileEntry[] {
  return set.isDirectory ? set.files.filter(({ name }) => name.endsWith('.avro')) : set.files;
}

export const avro: Family = {
  id: 'avro',
  title: 'Avro: data with their schema',
  dialects: [ocf],
  select,
  async verify(input, context) {
    const { verifyContainers } = await import('./ocf/verify.ts');
    return verifyContainers(input, context);
  },
  async dump(input, options, context, sink, onDamage) {
    const { dumpContainers } = await import('./ocf/verify.ts');
    return dumpContainers(input, options, context, sink, onDamage);
  },
  inOrder: () => true,
  async stat(input, context) {
    const { statContainers } = await import('./ocf/stat.ts');
    return statContainers(input, context);
  },
  async layout(input, source, context, visit) {
    const { layoutContainer } = await import('./ocf/layout.ts');
    return layoutContainer(input, source, context, visit);
  },
  async planRepair(input, _, context) {
    const { planContainerRepair } = await import('./ocf/repair.ts');
    return planContainerRepair(input, context);
  },
  async applyRepair(input, plan, context, output) {
    const { applyContainerRepair } = await import('./ocf/repair.ts');
    return applyContainerRepair(input, plan, context, output);
  },
};
