/**
 * Is a file a block log, and whose? By what its first bytes hold, its name, and the names beside
 * it.
 */
import { type Detection, NOT_THIS, type Probe } from '../../format.ts';
import { BatchCursor } from './batch.ts';
import {
  BATCH_HEADER_BYTES,
  BLOCK_BYTES,
  FIRST_TYPE,
  FULL_TYPE,
  HEADER_BYTES,
  LAST_TYPE,
  LOG_NAME,
  TYPE_AT,
  TYPE_NAMES,
} from './constants.ts';
import { readField } from './edit.ts';
import { EditReader } from './edit-reader.ts';
import { dataBytes, intactEnd } from './header.ts';
import { kindOfName, kindOfPayload } from './kind.ts';
import { FragmentSearch } from './search.ts';
import type { BlockLogSpec } from './spec.ts';

/** Payloads that are decoded to tell the dialects apart. */
const PAYLOADS_MAX = 256;

/** What the front of a file shows. */
interface Evidence {
  /** Offset of the first fragment whose checksum holds; -1: there is none. */
  first: number;
  /** Payloads seen, as far as they could be decoded: `batch`, `edit`; undefined: not one. */
  content: 'batch' | 'edit' | undefined;
  /** What only RocksDB writes, in words. */
  rocksdbOnly: string | undefined;
}

/** `reader`: the spec that takes everything, RocksDB's; `strict`: LevelDB's. */
export function detectBlockLog(
  id: 'leveldb' | 'rocksdb',
  probe: Probe,
  reader: BlockLogSpec,
  strict: BlockLogSpec,
): Detection {
  const evidence = gather(probe.head, reader, strict);
  const side = siblingsOf(probe.siblings);
  if (evidence.first < 0) return byName(id, probe, side);
  const answer = byContent(id, evidence, side);
  // Inside a block, under a name that is no log's, it may as well be something that was stored in
  // another file.
  const inside = evidence.first % BLOCK_BYTES !== 0 && kindOfName(probe.name) === undefined;
  return inside && answer.confidence === 'certain' ? { ...answer, confidence: 'likely' } : answer;
}

function byContent(id: 'leveldb' | 'rocksdb', evidence: Evidence, side: Siblings): Detection {
  const at = evidence.first === 0 ? 'the first fragment' : `the fragment at ${evidence.first}`;
  const holds = `the masked CRC-32C of ${at} holds`;
  const { content, rocksdbOnly } = evidence;
  if (rocksdbOnly !== undefined) {
    if (id === 'leveldb') return NOT_THIS;
    return { confidence: 'certain', reason: `${holds}; only RocksDB writes ${rocksdbOnly}` };
  }
  if (content === undefined) {
    const reason = `${holds}; it holds neither a write batch nor a version edit`;
    return id === (side.rocksdb ? 'rocksdb' : 'leveldb')
      ? { confidence: 'likely', reason }
      : NOT_THIS;
  }
  const named = `${holds}, it holds a ${content === 'batch' ? 'write batch' : 'version edit'}`;
  if (side.rocksdb !== undefined) {
    const reason = `${named}; ${side.rocksdb} lies beside it`;
    return { confidence: id === 'rocksdb' ? 'certain' : 'likely', reason };
  }
  if (id === 'rocksdb') {
    return { confidence: 'likely', reason: `${named} that LevelDB could have written as well` };
  }
  if (side.leveldb !== undefined) {
    return { confidence: 'certain', reason: `${named}; ${side.leveldb} lies beside it` };
  }
  const reason = `${named}; nothing is in it that only RocksDB writes`;
  // Other logs beside it may hold what this one does not: one database has one dialect.
  return { confidence: side.logs > 1 ? 'likely' : 'certain', reason };
}

/** Nothing intact: the name is all there is. */
function byName(id: string, probe: Probe, side: Siblings): Detection {
  if (kindOfName(probe.name) === undefined) return NOT_THIS;
  if (id !== (side.rocksdb === undefined ? 'leveldb' : 'rocksdb')) return NOT_THIS;
  const beside = side.rocksdb ?? side.leveldb ?? side.database;
  const reason = `named like a log (${probe.name})`;
  return {
    confidence: 'likely',
    reason: beside === undefined ? reason : `${reason}; ${beside} lies beside it`,
  };
}

interface Siblings {
  /** A name that only this one gives. */
  rocksdb: string | undefined;
  leveldb: string | undefined;
  /** A name that both give. */
  database: string | undefined;
  /** How many logs there are. */
  logs: number;
}

function siblingsOf(names: readonly string[]): Siblings {
  const find = (pattern: RegExp) => names.find((name) => pattern.test(name));
  const leveldb = find(/^\d{6,}\.ldb$/);
  // Older versions of LevelDB named their tables .sst, too; beside an .ldb they say nothing.
  const tables = leveldb === undefined ? find(/^\d{6,}\.sst$/) : undefined;
  return {
    rocksdb: find(/^OPTIONS-\d{6,}$/) ?? find(/^IDENTITY$/) ?? find(/^\d{6,}\.blob$/) ?? tables,
    leveldb,
    database: find(/^MANIFEST-\d+$/) ?? find(/^CURRENT$/),
    logs: names.filter((name) => LOG_NAME.test(name)).length,
  };
}

/** Walks the intact fragments of the blocks in `head`. */
function gather(head: Uint8Array, reader: BlockLogSpec, strict: BlockLogSpec): Evidence {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const evidence: Evidence = { first: -1, content: undefined, rocksdbOnly: undefined };
  let payloads = 0;
  for (let block = 0; block < head.length; block += BLOCK_BYTES) {
    const end = Math.min(block + BLOCK_BYTES, head.length);
    let p = block;
    if (evidence.first < 0 && intactEnd(reader.headers, head, view, p, end) < 0) {
      p = new FragmentSearch().find({ bytes: head, view, base: 0 }, reader.headers, p, end, end);
    }
    while (p >= 0 && payloads < PAYLOADS_MAX) {
      const next = intactEnd(reader.headers, head, view, p, end);
      if (next < 0) break;
      if (evidence.first < 0) evidence.first = p;
      look(evidence, head, p, next, reader, strict);
      if (evidence.rocksdbOnly !== undefined) return evidence;
      payloads++;
      p = next;
    }
  }
  return evidence;
}

/** What the intact fragment [p, next) tells. */
function look(
  evidence: Evidence,
  head: Uint8Array,
  p: number,
  next: number,
  reader: BlockLogSpec,
  strict: BlockLogSpec,
): void {
  const type = head[p + TYPE_AT]!;
  if (type > LAST_TYPE) {
    evidence.rocksdbOnly = `fragments of type ${type} (${TYPE_NAMES[type]})`;
    return;
  }
  const data = next - dataBytes(head, p);
  if (type === FULL_TYPE) {
    const kind = kindOfPayload(reader.batch, reader.edit, head, data, next);
    evidence.content ??= kind;
    if (kind === undefined) return;
    if (kindOfPayload(strict.batch, strict.edit, head, data, next) === kind) return;
    evidence.rocksdbOnly = foreignTag(head, data, next, kind, reader, strict);
  } else if (type === FIRST_TYPE && next - data > BATCH_HEADER_BYTES + HEADER_BYTES) {
    // The start of something longer: its first operation has to do.
    const tag = head[data + BATCH_HEADER_BYTES]!;
    if (reader.batch.flags[tag] === 0) return;
    evidence.content ??= 'batch';
    if (strict.batch.flags[tag] === 0) {
      evidence.rocksdbOnly = `operations of the kind ${reader.batch.names[tag]}`;
    }
  }
}

/** Names the first thing in the payload that LevelDB does not know. */
function foreignTag(
  head: Uint8Array,
  data: number,
  next: number,
  kind: 'batch' | 'edit',
  reader: BlockLogSpec,
  strict: BlockLogSpec,
): string {
  if (kind === 'batch') {
    const cursor = new BatchCursor(reader.batch);
    for (let p = data + BATCH_HEADER_BYTES; p >= 0 && p < next; ) {
      const tag = head[p]!;
      if (strict.batch.flags[tag] === 0) {
        return `operations of the kind ${reader.batch.names[tag]} (tag ${tag})`;
      }
      p = cursor.read(head, p, next);
    }
    return 'such write batches';
  }
  const edit = new EditReader(reader.edit.types, true);
  edit.begin(head, data, next);
  while (edit.p < next) {
    edit.parts = [];
    const field = readField(reader.edit, edit);
    const tag = edit.parts[0]?.value;
    if (!field || (typeof tag === 'number' && !strict.edit.tags.has(tag))) {
      return `fields of the kind ${field?.op ?? '?'} (tag ${tag})`;
    }
  }
  return 'such version edits';
}
