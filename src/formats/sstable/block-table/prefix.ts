/** Prefixes of keys that a filter holds beside the keys or in their place. */
import type { Properties } from './properties.ts';

/** The first `bytes` bytes of a key; a shorter one has no prefix, or, if `capped`, is its own. */
export interface PrefixRule {
  bytes: number;
  capped: boolean;
}

/**
 * The rule of the table's prefix extractor, if its filter holds prefixes; undefined too for one
 * that the application defines. Names: RocksDB's util/slice.cc.
 */
export function prefixRule(properties: Properties): PrefixRule | undefined {
  if (properties.text('rocksdb.block.based.table.prefix.filtering') !== '1') return undefined;
  const name = properties.text('rocksdb.prefix.extractor.name') ?? '';
  const [, kind, bytes] = /^rocksdb\.(Fixed|Capped)Prefix\.(\d{1,9})$/.exec(name) ?? [];
  return kind && Number(bytes) > 0
    ? { bytes: Number(bytes), capped: kind === 'Capped' }
    : undefined;
}

/** Where the prefix of a key ends; -1: it has none. */
export function prefixEnd({ bytes, capped }: PrefixRule, start: number, end: number): number {
  if (end - start >= bytes) return start + bytes;
  return capped ? end : -1;
}
