/**
 * The layout of a segment whose records lie back to back, out of its scan: every record's fields,
 * every damaged stretch as one span.
 */
import type { ByteSource, Span } from '../format.ts';
import type { WalDamage, WalDialect, WalRecord, WalScanContext } from './model.ts';

/** The leaf spans of one record, tiling [record.offset, record.offset + record.length). */
export type RecordFields = (record: WalRecord) => Span[];

export async function layoutFromScan(
  dialect: Pick<WalDialect, 'scan'>,
  fields: RecordFields,
  source: ByteSource,
  context: WalScanContext,
  visit: (span: Span) => boolean,
): Promise<void> {
  let going = true;
  await dialect.scan(source, context, {
    record(record) {
      const { offset, length } = record;
      const value = record.seqHigh || record.seqLow ? record.seqText : undefined;
      const span = { name: 'record', offset, length, value, children: fields(record) };
      going = visit(value === undefined ? { ...span, value: record.op } : span);
    },
    damage(damage: WalDamage) {
      if (!damage.lost || damage.length === 0) return;
      const { offset, length, code } = damage;
      going = visit({ name: 'damaged', offset, length, value: damage.message, damage: code });
    },
    done: () => !going,
  });
}
