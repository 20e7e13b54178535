/**
 * Where the entries of a textbook table end and its index begins. The footer says so, without a
 * checksum; if what it says leads nowhere, the index is searched for: its first entry repeats the
 * table's first key and points to it.
 */
import { bytesAt, readFully, viewOf } from '../../bytes/read-fully.ts';
import type { ByteSource, ScanContext } from '../../format.ts';
import type { TableDamage } from '../model.ts';
import { walkIndex } from './index-cursor.ts';
import { type FlatSpec, FOOTER_BYTES, INDEX_COUNT_AT, readKeyLength, readOffset } from './spec.ts';

export interface FlatTail {
  /** Where the entries end; undefined where nothing says so. */
  entriesEnd: number | undefined;
  /** The index can be walked from entriesEnd to the footer. */
  indexSound: boolean;
  indexCount: number;
  /** Where the footer begins; the size of the file where there is none. */
  footerAt: number;
  footerSound: boolean;
  damage: TableDamage[];
}

/** How many places that look like the index are tried. */
const CANDIDATES_MAX = 64;
const SEARCH_BYTES = 256 * 1024;
/** A first key longer than this is not searched for. */
const PATTERN_BYTES_MAX = 64 * 1024;

export async function readTail(
  spec: FlatSpec,
  source: ByteSource,
  context: ScanContext,
): Promise<FlatTail> {
  const size = source.size ?? 0;
  const footerAt = size - FOOTER_BYTES;
  if (footerAt < spec.headerBytes) return noTail(source.name, size, 'too short for a footer');
  const view = viewOf(await bytesAt(source, footerAt, FOOTER_BYTES));
  if (view.byteLength < FOOTER_BYTES) return noTail(source.name, size, 'cut while it was read');
  const offset = readOffset(view, 0);
  const count = view.getUint32(INDEX_COUNT_AT);
  const plausible = offset >= spec.headerBytes && offset <= footerAt;
  if (plausible) {
    const walk = await walkIndex(spec, source, context, offset, footerAt);
    if (walk.sound && (walk.count > 0 || offset === spec.headerBytes)) {
      const tail = { entriesEnd: offset, indexSound: true, indexCount: walk.count, footerAt };
      if (walk.count === count) return { ...tail, footerSound: true, damage: [] };
      const message = `index_count is ${count}, the index has ${walk.count} entries`;
      return { ...tail, footerSound: false, damage: [badFooter(source.name, footerAt, message)] };
    }
  }
  const found = await findIndex(spec, source, context, footerAt);
  const says = `index_offset is ${offset} and index_count ${count}`;
  if (found && found.offset !== offset) {
    const message = `${says}; the index is at ${found.offset}`;
    const damage: TableDamage[] = [badFooter(source.name, footerAt, message)];
    if (!found.sound) damage.push(badIndex(source.name, found, footerAt));
    const { sound: indexSound, count: indexCount } = found;
    const entriesEnd = found.offset;
    return { entriesEnd, indexSound, indexCount, footerAt, footerSound: false, damage };
  }
  if (found) {
    const damage = [badIndex(source.name, found, footerAt)];
    const { count: indexCount, offset: entriesEnd } = found;
    return { entriesEnd, indexSound: false, indexCount, footerAt, footerSound: true, damage };
  }
  return noTail(source.name, size, `${says}: no index begins there, and none was found`);
}

function noTail(file: string, size: number, why: string): FlatTail {
  const at = Math.max(0, size - FOOTER_BYTES);
  return {
    entriesEnd: undefined,
    indexSound: false,
    indexCount: 0,
    footerAt: size,
    footerSound: false,
    damage: [badFooter(file, at, why, size - at)],
  };
}

function badFooter(file: string, offset: number, message: string, length = FOOTER_BYTES) {
  return {
    code: 'bad-footer',
    severity: 'error' as const,
    file,
    offset,
    length,
    message,
    evidence: 'entries are read from the front',
    repair: 'write index and footer anew',
    lost: false,
  };
}

interface FoundIndex {
  offset: number;
  sound: boolean;
  count: number;
  fault: string | undefined;
}

function badIndex(file: string, found: FoundIndex, footerAt: number): TableDamage {
  return {
    code: 'index-mismatch',
    severity: 'error',
    file,
    offset: found.offset,
    length: footerAt - found.offset,
    message: `the index cannot be walked: ${found.fault}`,
    repair: 'write the index anew',
    lost: false,
  };
}

/** The place of the index by its first entry: the first key once more, and where it lies. */
async function findIndex(
  spec: FlatSpec,
  source: ByteSource,
  context: ScanContext,
  footerAt: number,
): Promise<FoundIndex | undefined> {
  const pattern = await firstIndexEntry(spec, source);
  if (!pattern) return undefined;
  let best: FoundIndex | undefined;
  let tried = 0;
  const buffer = Buffer.alloc(SEARCH_BYTES + pattern.length);
  for (let base = spec.headerBytes; base < footerAt && tried < CANDIDATES_MAX; ) {
    context.signal?.throwIfAborted();
    const got = await readFully(source, buffer, Math.min(buffer.length, footerAt - base), base);
    for (let at = buffer.indexOf(pattern); at >= 0 && at + pattern.length <= got; ) {
      const offset = base + at;
      const walk = await walkIndex(spec, source, context, offset, footerAt);
      // Of several the one that can be walked to the footer; else the last, values may hold others.
      if (walk.sound || !best?.sound) {
        best = { offset, sound: walk.sound, count: walk.count, fault: walk.fault };
      }
      if (walk.sound || ++tried >= CANDIDATES_MAX) return best;
      at = buffer.indexOf(pattern, at + 1);
    }
    if (got < buffer.length) break;
    base += SEARCH_BYTES;
    buffer.fill(0, got);
  }
  return best;
}

async function firstIndexEntry(
  spec: FlatSpec,
  source: ByteSource,
): Promise<Uint8Array | undefined> {
  const head = await bytesAt(source, spec.headerBytes, spec.keyLengthBytes);
  if (head.length < spec.keyLengthBytes) return undefined;
  const length = readKeyLength(spec, viewOf(head), 0);
  if (length > PATTERN_BYTES_MAX) return undefined;
  const key = await bytesAt(source, spec.headerBytes, spec.keyLengthBytes + length);
  if (key.length < spec.keyLengthBytes + length) return undefined;
  const pattern = new Uint8Array(key.length + 8);
  pattern.set(key);
  viewOf(pattern).setUint32(key.length + 4, spec.headerBytes);
  return pattern;
}
