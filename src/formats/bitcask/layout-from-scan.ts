/**
 * The layout of a file whose records or entries lie back to back, out of its scan: the fields of
 * each, every damaged stretch as one span.
 */
import type { ByteSource, Span } from '../format.ts';
import type { BitcaskDialect, BitcaskRecord, BitcaskScanContext, HintEntry } from './model.ts';

/** The leaf spans of one record or entry, tiling it. */
export interface Fields {
  ofRecord(record: BitcaskRecord): Span[];
  ofEntry(entry: HintEntry): Span[];
}

/** A hint file is told by its name; a file of any other name is a data file. */
export async function layoutFromScan(
  dialect: Pick<BitcaskDialect, 'scan' | 'scanHint' | 'hintFile'>,
  fields: Fields,
  source: ByteSource,
  context: BitcaskScanContext,
  visit: (span: Span) => boolean,
): Promise<void> {
  let going = true;
  const done = () => !going;
  const damaged = ({ offset, length, code, message }: Damaged): void => {
    if (length > 0)
      going = visit({ name: 'damaged', offset, length, value: message, damage: code });
  };
  if (dialect.hintFile(source.name) !== undefined) {
    await dialect.scanHint(source, context, {
      entry(entry) {
        const { offset, length } = entry;
        going = visit({ name: 'entry', offset, length, children: fields.ofEntry(entry) });
      },
      damage: damaged,
      done,
    });
    return;
  }
  await dialect.scan(source, context, {
    record(record) {
      const { offset, length, deleted } = record;
      const value = deleted ? 'delete' : 'put';
      going = visit({ name: 'record', offset, length, value, children: fields.ofRecord(record) });
    },
    damage(damage) {
      if (damage.lost) damaged(damage);
    },
    done,
  });
}

interface Damaged {
  offset: number;
  length: number;
  code: string;
  message: string;
}
