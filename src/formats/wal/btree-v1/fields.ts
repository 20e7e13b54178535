/** The fields of an entry, byte for byte, and those of the page that its image is. */
import { hex32 } from '../../../shared/hex.ts';
import { bytesValue } from '../../bytes/value.ts';
import type { Span } from '../../format.ts';
import type { WalRecord } from '../model.ts';
import { CRC_BYTES, DATA_LENGTH_AT, IMAGE_AT, PAGE_AT, SEQ_AT } from './layout.ts';
import { COUNT_AT, HEADER_BYTES, LINK_AT, META_BYTES, NO_PAGE, PageView } from './page.ts';

export function fieldsOfEntry(record: WalRecord): Span[] {
  const { offset, bytes, valueStart, valueEnd } = record;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = valueStart - IMAGE_AT;
  const size = valueEnd - valueStart;
  const dataLength = view.getUint32(start + DATA_LENGTH_AT);
  const imageAt = offset + IMAGE_AT;
  const children = fieldsOfPage(bytes, view, valueStart, size, imageAt);
  const image = { name: 'image', offset: imageAt, length: size };
  return [
    { name: 'seq', offset: offset + SEQ_AT, length: 4, value: record.seqLow },
    { name: 'page', offset: offset + PAGE_AT, length: 4, value: view.getUint32(start + PAGE_AT) },
    {
      name: 'data_length',
      offset: offset + DATA_LENGTH_AT,
      length: 4,
      value: dataLength,
      ...(dataLength !== size && { damage: 'bad-length' }),
    },
    children
      ? { ...image, children }
      : { ...image, value: bytesValue(bytes, valueStart, valueEnd) },
    {
      name: 'crc',
      offset: imageAt + size,
      length: CRC_BYTES,
      value: hex32(view.getUint32(valueEnd)),
    },
  ];
}

/**
 * The page at `bytes[start, start + size)`, which lies at `offset` in the file; undefined: no page
 * that we know.
 */
function fieldsOfPage(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  size: number,
  offset: number,
): Span[] | undefined {
  const page = new PageView();
  page.look(bytes, view, start, size);
  const { kind } = page;
  if (kind === 'unknown') return undefined;
  const spans: Span[] = [];
  const u32 = (name: string, at: number): Span => {
    const number = view.getUint32(start + at);
    return { name, offset: offset + at, length: 4, value: number === NO_PAGE ? 'none' : number };
  };
  if (kind === 'metadata') {
    const names = ['root', 'height', 'total_keys', 'next_free', 'free_head'];
    names.forEach((name, i) => {
      spans.push(u32(name, i * 4));
    });
  } else {
    const count = view.getUint16(start + COUNT_AT);
    spans.push({ name: 'type', offset, length: 1, value: kind });
    spans.push({ name: 'count', offset: offset + COUNT_AT, length: 2, value: count });
    spans.push(u32(LINK_NAMES[kind], LINK_AT));
    let at = HEADER_BYTES;
    for (let i = 0; i < count; i++) {
      const cell = fieldsOfCell(bytes, view, start + at, offset + at, kind === 'leaf');
      spans.push(cell);
      at += cell.length;
    }
  }
  const used = kind === 'metadata' ? META_BYTES : page.used;
  if (used < size) spans.push({ name: 'unused', offset: offset + used, length: size - used });
  return spans;
}

const LINK_NAMES = { leaf: 'next_sibling', internal: 'child', free: 'next' } as const;

function fieldsOfCell(
  bytes: Uint8Array,
  view: DataView,
  p: number,
  offset: number,
  leaf: boolean,
): Span {
  const keyLength = view.getUint16(p);
  const keyEnd = p + 2 + keyLength;
  const key = bytesValue(bytes, p + 2, keyEnd);
  const children: Span[] = [
    { name: 'key_length', offset, length: 2, value: keyLength },
    { name: 'key', offset: offset + 2, length: keyLength, value: key },
  ];
  const rest = offset + 2 + keyLength;
  if (!leaf) {
    children.push({ name: 'child', offset: rest, length: 4, value: view.getUint32(keyEnd) });
    return { name: 'cell', offset, length: 6 + keyLength, value: key, children };
  }
  const valueLength = view.getUint16(keyEnd);
  const value = bytesValue(bytes, keyEnd + 2, keyEnd + 2 + valueLength);
  children.push({ name: 'value_length', offset: rest, length: 2, value: valueLength });
  children.push({ name: 'value', offset: rest + 2, length: valueLength, value });
  return { name: 'cell', offset, length: 4 + keyLength + valueLength, value: key, children };
}
