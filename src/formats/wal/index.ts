/** The family `wal`: write-ahead logs, whoever wrote them. */
import type { ByteSource, Family, ScanContext, Span } from '../format.ts';
import { btreeV1 } from './btree-v1/index.ts';
import { dumpLog } from './dump.ts';
import { leveldb } from './leveldb/index.ts';
import { lsmV1 } from './lsm-v1/index.ts';
import type { WalDialect, WalOpened, WalScanContext } from './model.ts';
import { applyLogRepair, planLogRepair } from './repair.ts';
import { rocksdb } from './rocksdb/index.ts';
import { type LogPart, verifyLogPart } from './second-reader.ts';
import { selectSegments } from './segments.ts';
import { statLog } from './stat.ts';
import { v1 } from './v1/index.ts';
import { v2 } from './v2/index.ts';
import { verifyLog } from './verify.ts';

export const walDialects: readonly WalDialect[] = [v2, v1, leveldb, rocksdb, btreeV1, lsmV1];

export function walContext(input: WalOpened, context: ScanContext): WalScanContext {
  return { ...context, set: input.set };
}

export const wal: Family<WalDialect> = {
  id: 'wal',
  title: 'write-ahead logs: operations in order',
  dialects: walDialects,
  select: selectSegments,
  inOrder: () => true,
  verify: (input, context) => verifyLog(input, walContext(input, context)),
  verifyPart: (input, part, context) =>
    verifyLogPart(input, part as LogPart, walContext(input, context)),
  dump: (input, options, context, sink, onDamage) =>
    dumpLog(input, options, walContext(input, context), sink, onDamage),
  stat: (input, context) => statLog(input, walContext(input, context)),
  planRepair: (input, options, context) =>
    planLogRepair(input, options, walContext(input, context)),
  applyRepair: (input, plan, context, output) =>
    applyLogRepair(input, plan, walContext(input, context), output),
  layout: (
    input: WalOpened,
    source: ByteSource,
    context: ScanContext,
    visit: (span: Span) => boolean,
  ) => input.dialect.layout(source, walContext(input, context), visit),
};
