/** avro inspect: payloads as something that has a layout, as every file that is inspected. */

import type { Framing } from '../formats/avro/framing.ts';
import { payloadSpan, unframedSpan } from '../formats/avro/payload-spans.ts';
import { MemorySource } from '../formats/bytes/memory-source.ts';
import { Window } from '../formats/bytes/window.ts';
import type { ByteSource, FileSet, ScanContext, Span } from '../formats/format.ts';
import { openFileSet } from '../io/file-set.ts';
import { DdiaError } from '../shared/errors.ts';
import type { SchemaLookup } from './avro-decode.ts';
import { framePayload } from './avro-decode.ts';
import type { Packing } from './avro-encode.ts';
import { readPayloads } from './avro-payloads.ts';
import type { Inspected } from './inspect-spans.ts';

const LENGTH_BYTES = 4;

type Visit = (span: Span) => boolean;

export async function payloadsToInspect(
  path: string,
  packing: Packing,
  lookup: SchemaLookup,
  framing: Framing | undefined,
  context: ScanContext,
): Promise<Inspected> {
  const text = packing === 'hex' || packing === 'base64';
  const set = text ? await decodedSet(path, packing, context) : fileOf(path);
  const spanOf = async (payload: Uint8Array, offset: number): Promise<Span> => {
    const found = await framePayload(payload, lookup, framing);
    if ('fault' in found) return unframedSpan(payload, offset, found.fault);
    return payloadSpan(payload, offset, found.framed, found.schema.root);
  };
  return {
    set,
    files: set.files,
    family: 'avro',
    dialect: framing ?? 'payload',
    layout: (source, inner, visit) =>
      packing === 'length-prefixed'
        ? prefixed(source, inner, spanOf, visit)
        : single(source, inner, spanOf, visit),
  };
}

function fileOf(path: string): FileSet {
  const set = openFileSet(path);
  if (set.isDirectory) throw new DdiaError('not-a-file', `${path} is no file`);
  return set;
}

type SpanOf = (payload: Uint8Array, offset: number) => Promise<Span>;

async function single(
  source: ByteSource,
  context: ScanContext,
  spanOf: SpanOf,
  visit: Visit,
): Promise<void> {
  const window = new Window(source, context);
  const most = context.limits.recordBytes;
  await window.fill(0, most + 1);
  if (window.count > most) {
    const message = `${source.name}: a payload of more than ${most} bytes`;
    throw new DdiaError('payload-too-long', message, '--max-record-bytes raises the limit');
  }
  visit(await spanOf(window.bytes.slice(0, window.count), 0));
}

async function prefixed(
  source: ByteSource,
  context: ScanContext,
  spanOf: SpanOf,
  visit: Visit,
): Promise<void> {
  const window = new Window(source, context);
  const most = context.limits.recordBytes;
  for (let offset = 0; ; ) {
    await window.fill(offset, LENGTH_BYTES);
    const there = window.end - offset;
    if (there <= 0) return;
    const length = there < LENGTH_BYTES ? 0 : window.view.getUint32(offset - window.base);
    const whole = LENGTH_BYTES + length;
    if (length <= most) await window.fill(offset, whole);
    if (length > most || window.end < offset + whole) {
      const left = length > most ? undefined : window.end - offset;
      visit(await restSpan(window, offset, length, left));
      return;
    }
    const start = offset - window.base + LENGTH_BYTES;
    const payload = window.bytes.slice(start, start + length);
    const place = { offset, length: LENGTH_BYTES };
    const more = visit({ name: 'length_header', ...place, value: length });
    if (!more || !visit(await spanOf(payload, offset + LENGTH_BYTES))) return;
    offset += whole;
  }
}

/** From a length that leads nowhere to the end of the file. */
async function restSpan(
  window: Window,
  offset: number,
  length: number,
  left: number | undefined,
): Promise<Span> {
  const { source } = window;
  const why =
    left === undefined
      ? `a payload of ${length} bytes, more than --max-record-bytes allows`
      : `${left} bytes are left of a length and a payload of ${length}`;
  let end = source.size;
  while (end === undefined) {
    await window.fill(window.end, 1);
    if (window.atEnd) end = window.end;
  }
  const damage = left === undefined ? 'bad-byte-length' : 'truncated-datum';
  return { name: 'payload', offset, length: end - offset, value: why, damage };
}

/** Lines of digits as files of bytes; what is shown are the bytes that they stand for. */
async function decodedSet(path: string, packing: Packing, context: ScanContext): Promise<FileSet> {
  const sources: MemorySource[] = [];
  let bytes = 0;
  const most = context.limits.recordBytes;
  await readPayloads(path, packing, context, (payload, number) => {
    bytes += payload.length;
    if (bytes > most) {
      const message = `the payloads up to line ${number} have more than ${most} bytes`;
      throw new DdiaError('payload-too-long', message, '--max-record-bytes raises the limit');
    }
    sources.push(new MemorySource(`line ${number}`, payload));
  });
  const one = sources.length === 1;
  const open = (name: string) => sources.find((source) => source.name === name)!;
  return { path, isDirectory: !one, files: sources, siblings: sources, open };
}
