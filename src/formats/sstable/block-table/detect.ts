/**
 * Is it a table of one of the two? The magic number lies at the file's end, which a look at the
 * front does not show: for a file that is longer, the first block speaks.
 */
import { viewOf } from '../../bytes/read-fully.ts';
import { type Detection, NOT_THIS, type Probe } from '../../format.ts';
import { EntryBlock } from '../entry-block.ts';
import { BlockDecoder } from './block.ts';
import { CHECKSUM, LEVELDB_MAGIC, ROCKSDB_MAGIC } from './constants.ts';
import { BlockFinder } from './find-blocks.ts';
import { Unpacker } from './unpack.ts';

const BUDGET_BYTES = 64 * 1024 * 1024;
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024;
/** A database of RocksDB has one of these beside its tables. */
const ROCKSDB_SIBLING = /^(?:OPTIONS-\d+|IDENTITY)$/;
const ROCKSDB_NAME = /^\d+\.sst$/;
const LEVELDB_NAME = /^\d+\.ldb$/;
const CHECKSUMS = [CHECKSUM.crc32c, CHECKSUM.xxh3, CHECKSUM.xxhash64, CHECKSUM.xxhash] as const;
const NAMES = ['', 'masked CRC-32C', 'xxHash', 'xxHash64', 'XXH3'] as const;

export function detectBlockTable(probe: Probe, rocksdb: boolean): Detection {
  const { head, size, tail } = probe;
  const view = viewOf(head);
  const end = tail ?? (size === head.length ? head : undefined);
  if (end && end.length >= 8) {
    const last = viewOf(end);
    const low = last.getUint32(end.length - 8, true);
    const high = last.getUint32(end.length - 4, true);
    const [isLow, isHigh] = rocksdb ? ROCKSDB_MAGIC : LEVELDB_MAGIC;
    if (low === isLow && high === isHigh) {
      const magic = (high.toString(16) + low.toString(16).padStart(8, '0')).toLowerCase();
      return { confidence: 'certain', reason: `magic ${magic} at the end of the file` };
    }
    const [otherLow, otherHigh] = rocksdb ? LEVELDB_MAGIC : ROCKSDB_MAGIC;
    if (low === otherLow && high === otherHigh) return NOT_THIS;
  }
  return byFirstBlock(probe, view, rocksdb);
}

/** The magic is gone: the checksum of the first block says which it was. */
function byFirstBlock(probe: Probe, view: DataView, rocksdb: boolean): Detection {
  const { head, name, siblings } = probe;
  const decoder = new BlockDecoder();
  const block = new EntryBlock();
  const named = rocksdb ? ROCKSDB_NAME.test(name) : LEVELDB_NAME.test(name);
  const neighbour = siblings.some((one) => ROCKSDB_SIBLING.test(one));
  for (const checksum of CHECKSUMS) {
    // CRC-32C alone is what both have: name and neighbours decide.
    if (!rocksdb && checksum !== CHECKSUM.crc32c) break;
    const finder = new BlockFinder({ checksum, base: 0 }, BUDGET_BYTES);
    const end = finder.endOf(head, view, 0, head.length, 0);
    if (end < 0) continue;
    const unpacker = new Unpacker(rocksdb, UNPACKED_BYTES_MAX);
    if (!unpacker.unpack(head, view, 0, end, head[end]!)) continue;
    const { bytes, view: raw, start, end: to } = unpacker;
    if (!decoder.decode(bytes, raw, start, to, block) || block.count === 0) continue;
    const own = checksum !== CHECKSUM.crc32c || head[end]! > 1;
    const sure = own || (rocksdb ? neighbour || (named && !LEVELDB_NAME.test(name)) : named);
    const reason = `the ${NAMES[checksum]} of the first block holds, and it holds entries; no magic at the end`;
    return { confidence: sure ? 'certain' : 'likely', reason };
  }
  return named ? { confidence: 'likely', reason: `named like a table (${name})` } : NOT_THIS;
}
