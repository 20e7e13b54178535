/** The family `bitcask`: append-only stores with a key directory in memory. */
import type { Family, ScanContext } from '../format.ts';
import { applyStoreRepair } from './apply-repair.ts';
import { tellContent } from './content.ts';
import { dumpStore } from './dump.ts';
import { selectFiles } from './files.ts';
import { hashV1 } from './hash-v1/index.ts';
import { logV1 } from './log-v1/index.ts';
import type { BitcaskDialect, BitcaskOpened, BitcaskScanContext } from './model.ts';
import { planStoreRepair } from './repair.ts';
import { riak } from './riak/index.ts';
import { statStore } from './stat.ts';
import { v2 } from './v2/index.ts';
import { verifyStore } from './verify.ts';

export const bitcaskDialects: readonly BitcaskDialect[] = [v2, hashV1, logV1, riak];

export function bitcaskContext(input: BitcaskOpened, context: ScanContext): BitcaskScanContext {
  return { ...context, set: input.set };
}

export const bitcask: Family<BitcaskDialect> = {
  id: 'bitcask',
  title: 'append-only stores with a key directory in memory: the newest record of a key counts',
  dialects: bitcaskDialects,
  select: selectFiles,
  // Merged files hold older records than files of lower numbers.
  inOrder: ({ newest }) => newest === 'position',
  verify: (input, context) => verifyStore(input, bitcaskContext(input, context)),
  dump: (input, options, context, sink, onDamage) =>
    dumpStore(input, options, bitcaskContext(input, context), sink, onDamage),
  content: (input, options, context, sink, onDamage) =>
    tellContent(input, options, bitcaskContext(input, context), sink, onDamage),
  stat: (input, context) => statStore(input, bitcaskContext(input, context)),
  planRepair: (input, options, context) =>
    planStoreRepair(input, options, bitcaskContext(input, context)),
  applyRepair: (input, plan, context, output) =>
    applyStoreRepair(input, plan, bitcaskContext(input, context), output),
  layout: (input, source, context, visit) =>
    input.dialect.layout(source, bitcaskContext(input, context), visit),
};
