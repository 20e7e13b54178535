/** Which prefixes of keys a filter of RocksDB holds. */
import { describe, expect, it } from 'vitest';
import { prefixEnd, prefixRule } from '../../../src/formats/sstable/block-table/prefix.ts';
import { Properties } from '../../../src/formats/sstable/block-table/properties.ts';

function propertiesOf(extractor: string, filtering = '1'): Properties {
  const properties = new Properties();
  properties.add('rocksdb.prefix.extractor.name', Buffer.from(extractor));
  properties.add('rocksdb.block.based.table.prefix.filtering', Buffer.from(filtering));
  return properties;
}

describe('prefixes', () => {
  it('of a fixed length: shorter keys have none', () => {
    const rule = prefixRule(propertiesOf('rocksdb.FixedPrefix.4'))!;
    expect(rule).toEqual({ bytes: 4, capped: false });
    expect(prefixEnd(rule, 10, 20)).toBe(14);
    expect(prefixEnd(rule, 10, 14)).toBe(14);
    expect(prefixEnd(rule, 10, 13)).toBe(-1);
  });

  it('of a capped length: shorter keys are their own', () => {
    const rule = prefixRule(propertiesOf('rocksdb.CappedPrefix.4'))!;
    expect(rule).toEqual({ bytes: 4, capped: true });
    expect(prefixEnd(rule, 10, 20)).toBe(14);
    expect(prefixEnd(rule, 10, 13)).toBe(13);
  });

  it('of an application, or that the filter does not hold, are not known', () => {
    for (const name of ['nullptr', 'rocksdb.Noop', 'mine.FixedPrefix.4', 'rocksdb.FixedPrefix.0'])
      expect(prefixRule(propertiesOf(name))).toBeUndefined();
    expect(prefixRule(propertiesOf('rocksdb.FixedPrefix.4', '0'))).toBeUndefined();
    expect(prefixRule(new Properties())).toBeUndefined();
  });
});
