/** Every byte of a textbook table with its field, out of its scan. */

import { bytesAt, viewOf } from '../../bytes/read-fully.ts';
import { bytesValue } from '../../bytes/value.ts';
import type { ByteSource, ScanContext, Span } from '../../format.ts';
import { type EntryBlock, TYPE, typeName } from '../entry-block.ts';
import type { TableVisitor } from '../model.ts';
import { IndexCursor } from './index-cursor.ts';
import { scanFlat } from './scan.ts';
import { type FlatSpec, FOOTER_BYTES, readOffset } from './spec.ts';

export async function layoutFlat(
  spec: FlatSpec,
  source: ByteSource,
  context: ScanContext,
  visit: (span: Span) => boolean,
): Promise<void> {
  let going = true;
  const frames: { name: string; offset: number; length: number; damage: string | undefined }[] = [];
  const headers: Span[] = [];
  if (spec.headerBytes > 0) headers.push(await header(spec, source));
  const visitor: TableVisitor = {
    block(block) {
      flush();
      for (let i = 0; i < block.count && going; i++) going = visit(entrySpan(spec, block, i));
    },
    damage(damage) {
      const { lost, offset, length, code, message } = damage;
      if (!lost || length === 0 || !going) return;
      flush();
      going = visit({ name: 'damaged', offset, length, value: message, damage: code });
    },
    frame: (name, offset, length, damage) => {
      if (name !== 'header') frames.push({ name, offset, length, damage });
      else if (damage && headers[0]) headers[0] = { ...headers[0], damage };
    },
    done: () => !going,
  };
  const flush = (): void => {
    const first = headers.pop();
    if (first) going = visit(first);
  };
  await scanFlat(spec, source, { ...context, depth: 'read' }, visitor);
  flush();
  for (const { name, offset, length, damage } of frames) {
    if (!going) return;
    if (name === 'footer') going = visit(await footer(source, offset, damage));
    else if (damage) going = visit({ name: 'damaged', offset, length, damage });
    else await indexSpans(spec, source, context, offset, length, (span) => (going = visit(span)));
  }
}

async function header(spec: FlatSpec, source: ByteSource): Promise<Span> {
  const bytes = await bytesAt(source, 0, Math.min(spec.headerBytes, source.size ?? 0));
  const length = bytes.length;
  const span = { name: 'header', offset: 0, length };
  if (length < spec.headerBytes) return { ...span, damage: 'bad-magic' };
  const view = viewOf(bytes);
  return {
    ...span,
    children: [
      { name: 'magic', offset: 0, length: 4, value: bytesValue(bytes, 0, 4) },
      { name: 'version', offset: 4, length: 2, value: view.getUint16(4) },
      { name: 'entry_count', offset: 6, length: 4, value: view.getUint32(6) },
    ],
  };
}

async function footer(
  source: ByteSource,
  offset: number,
  damage: string | undefined,
): Promise<Span> {
  const view = viewOf(await bytesAt(source, offset, FOOTER_BYTES));
  return {
    name: 'footer',
    offset,
    length: FOOTER_BYTES,
    ...(damage && { damage }),
    children: [
      { name: 'index_offset', offset, length: 8, value: readOffset(view, 0) },
      { name: 'index_count', offset: offset + 8, length: 4, value: view.getUint32(8) },
    ],
  };
}

async function indexSpans(
  spec: FlatSpec,
  source: ByteSource,
  context: ScanContext,
  offset: number,
  length: number,
  visit: (span: Span) => boolean,
): Promise<void> {
  const cursor = new IndexCursor(spec, source, context, offset, offset + length);
  const head = spec.keyLengthBytes;
  while (await cursor.advance()) {
    const { at, bytes, keyStart, keyEnd, target } = cursor;
    const keyLength = keyEnd - keyStart;
    const children: Span[] = [
      { name: 'key_length', offset: at, length: head, value: keyLength },
      {
        name: 'key',
        offset: at + head,
        length: keyLength,
        value: bytesValue(bytes, keyStart, keyEnd),
      },
      { name: 'offset', offset: at + head + keyLength, length: 8, value: target },
    ];
    const span = { name: 'entry_index', offset: at, length: cursor.next - at, children };
    if (!visit(span)) return;
  }
}

/** The leaf spans of one entry. */
function entrySpan(spec: FlatSpec, block: EntryBlock, i: number): Span {
  const offset = block.offsets![i]!;
  const length = block.lengths![i]!;
  const { keyBytes, keyStart, keyEnd, valueStart, valueEnd, types } = block;
  const base = keyStart[i]! - spec.keyLengthBytes;
  const at = (p: number): number => offset + p - base;
  const keyLength = keyEnd[i]! - keyStart[i]!;
  const children: Span[] = [
    { name: 'key_length', offset, length: spec.keyLengthBytes, value: keyLength },
    {
      name: 'key',
      offset: at(keyStart[i]!),
      length: keyLength,
      value: bytesValue(keyBytes, keyStart[i], keyEnd[i]),
    },
  ];
  let p = keyEnd[i]!;
  if (spec.hasTimestamp) {
    children.push({ name: 'timestamp', offset: at(p), length: 8, value: block.timestamps![i] });
    p += 8;
  }
  if (spec.hasTimestamp && types[i] === TYPE.delete) {
    children.push({ name: 'deleted', offset: at(p), length: 1, value: 0xff });
  } else {
    const start = valueStart[i]! < 0 ? valueEnd[i]! : valueStart[i]!;
    const end = valueEnd[i]!;
    children.push({ name: 'value_length', offset: at(p), length: 4, value: end - start });
    const value = bytesValue(block.valueBytes, start, end);
    children.push({ name: 'value', offset: at(p + 4), length: end - start, value });
  }
  return { name: 'entry', offset, length, value: typeName(types[i]!), children };
}
