/** Every byte of a data file or a hint file by its name. */
import { hex32 } from '../../../shared/hex.ts';
import { bytesValue } from '../../bytes/value.ts';
import { Window } from '../../bytes/window.ts';
import type { ByteSource, Span } from '../../format.ts';
import type { BitcaskRecord, BitcaskScanContext } from '../model.ts';
import { entryPosition, isCrcEntry, scanHintRiak } from './hint.ts';
import {
  HEADER_BYTES,
  HINT_HEAD_BYTES,
  HINT_KEY_SIZE_AT,
  HINT_OFFSET_AT,
  HINT_TOMBSTONE,
  HINT_TOTAL_SIZE_AT,
  hintFile,
  KEY_AT,
  KEY_SIZE_AT,
  TIMESTAMP_AT,
  VALUE_SIZE_AT,
} from './layout.ts';
import { scanRiak } from './scan.ts';

type Visit = (span: Span) => boolean;

export async function layoutRiak(
  source: ByteSource,
  context: BitcaskScanContext,
  visit: Visit,
): Promise<void> {
  if (hintFile(source.name) !== undefined) await layoutHint(source, context, visit);
  else await layoutData(source, context, visit);
}

async function layoutData(
  source: ByteSource,
  context: BitcaskScanContext,
  visit: Visit,
): Promise<void> {
  let going = true;
  await scanRiak(source, context, {
    record(record) {
      const { offset, length, deleted } = record;
      const value = deleted ? 'delete' : 'put';
      going = visit({ name: 'record', offset, length, value, children: recordFields(record) });
    },
    damage({ offset, length, code, message }) {
      going = visit({ name: 'damaged', offset, length, value: message, damage: code });
    },
    done: () => !going,
  });
}

function recordFields(record: BitcaskRecord): Span[] {
  const { offset, length, bytes, keyStart, keyEnd, deleted } = record;
  const keySize = keyEnd - keyStart;
  const valueSize = length - HEADER_BYTES - keySize;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = bytesValue(bytes, keyEnd, keyEnd + valueSize);
  const field = (name: string, at: number, bytesOf: number, of: unknown): Span => ({
    name,
    offset: offset + at,
    length: bytesOf,
    value: of,
  });
  return [
    field('crc', 0, 4, hex32(view.getUint32(keyStart - KEY_AT))),
    field('timestamp', TIMESTAMP_AT, 4, record.timestamp),
    field('key_size', KEY_SIZE_AT, 2, keySize),
    field('value_size', VALUE_SIZE_AT, 4, valueSize),
    field('key', KEY_AT, keySize, bytesValue(bytes, keyStart, keyEnd)),
    field(deleted ? 'tombstone' : 'value', KEY_AT + keySize, valueSize, value),
  ];
}

/**
 * The entries as their sizes tell them, whether they can be believed or not: what is wrong is shown
 * where it is.
 */
async function layoutHint(
  source: ByteSource,
  context: BitcaskScanContext,
  visit: Visit,
): Promise<void> {
  const damaged = await hintDamage(source, context);
  const window = new Window(source, context);
  for (let at = 0, length = 0; ; at += length) {
    await window.fill(at, HINT_HEAD_BYTES);
    if (window.end === at) return;
    const head = window.end >= at + HINT_HEAD_BYTES;
    length = HINT_HEAD_BYTES;
    if (head) length += window.view.getUint16(at - window.base + HINT_KEY_SIZE_AT);
    await window.fill(at, length);
    const { bytes, view, base, end } = window;
    if (end < at + length) {
      const value = `${end - at} bytes of an entry that has ${head ? length : 'at least 18'}`;
      visit({ name: 'damaged', offset: at, length: end - at, value, damage: 'torn-tail' });
      return;
    }
    if (!visit(entrySpan(bytes, view, at - base, at, length, damaged))) return;
  }
}

/** The stretch that nothing vouches for, with its code; of a stream that is not known before. */
async function hintDamage(
  source: ByteSource,
  context: BitcaskScanContext,
): Promise<{ code: string; from: number; to: number } | undefined> {
  let found: { code: string; from: number; to: number } | undefined;
  if (source.forwardOnly || source.size === undefined) return found;
  await scanHintRiak(source, context, {
    entry() {},
    damage({ code, offset, length }) {
      found = { code, from: offset, to: offset + length };
    },
  });
  return found;
}

function entrySpan(
  bytes: Uint8Array,
  view: DataView,
  p: number,
  at: number,
  length: number,
  damaged: { code: string; from: number; to: number } | undefined,
): Span {
  const size = view.getUint32(p + HINT_TOTAL_SIZE_AT);
  const crcEntry = isCrcEntry(view, p);
  const deleted = (view.getUint32(p + HINT_OFFSET_AT) & HINT_TOMBSTONE) !== 0;
  const key = bytesValue(bytes, p + HINT_HEAD_BYTES, p + length);
  const hit = damaged && at < damaged.to && at + length > damaged.from;
  const offset = crcEntry ? '2^63 - 1' : entryPosition(view, p);
  const field = (name: string, from: number, bytesOf: number, value: unknown): Span => ({
    name,
    offset: at + from,
    length: bytesOf,
    value,
  });
  return {
    name: crcEntry ? 'crc entry' : 'entry',
    offset: at,
    length,
    value: crcEntry ? hex32(size) : key,
    ...(hit && { damage: damaged.code }),
    children: [
      field('timestamp', 0, 4, view.getUint32(p)),
      field('key_size', HINT_KEY_SIZE_AT, 2, length - HINT_HEAD_BYTES),
      crcEntry
        ? field('crc', HINT_TOTAL_SIZE_AT, 4, hex32(size))
        : field('total_size', HINT_TOTAL_SIZE_AT, 4, size),
      field(deleted ? 'tombstone, offset' : 'offset', HINT_OFFSET_AT, 8, offset),
      field('key', HINT_HEAD_BYTES, length - HINT_HEAD_BYTES, key),
    ],
  };
}
