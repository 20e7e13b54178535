/** Every byte of a container with the field that it belongs to. */

import { toHex } from '../../../shared/hex.ts';
import { bytesValue } from '../../bytes/value.ts';
import type { ByteSource, Opened, ScanContext, Span } from '../../format.ts';
import { hexObject } from '../codec/plain.ts';
import { readVarint } from '../codec/varint.ts';
import { walkDatum } from '../codec/walk.ts';
import { SpanBuilder } from '../spans.ts';
import { BlockData, type BlockOutcome } from './block-data.ts';
import { type Header, META_TYPE } from './header.ts';
import { Walking } from './readers.ts';
import { type Block, type Damage, scanContainer } from './scan.ts';
import { MAGIC, MARKER_BYTES } from './spec.ts';

export async function layoutContainer(
  input: Opened,
  source: ByteSource,
  context: ScanContext,
  visit: (span: Span) => boolean,
): Promise<void> {
  let data: BlockData | undefined;
  let stopped = false;
  let reached = 0;
  let marker: Damage | undefined;
  const show = (span: Span) => {
    reached = span.offset + span.length;
    if (!stopped && !visit(span)) stopped = true;
  };
  await scanContainer(source, context, {
    async header(header) {
      data = BlockData.open(header, input.files[0]?.name ?? '', context.limits.recordBytes);
      show(await headerSpan(header, source));
    },
    block(block) {
      show(blockSpan(block, data, marker));
      marker = undefined;
    },
    damage(damage) {
      const { offset, length, code, message } = damage;
      if (damage.code === 'bad-marker') marker = damage;
      if (!damage.lost || length === 0) return;
      if (offset > reached) {
        show({ name: 'damaged', offset: reached, length: offset - reached, damage: code });
      }
      show({ name: 'damaged', offset, length, value: message, damage: code });
    },
    done: () => stopped,
  });
}

/** Reads the header's bytes again, which is all that it keeps no copy of. */
async function headerSpan(header: Header, source: ByteSource): Promise<Span> {
  const { length, faults } = header;
  const bytes = new Uint8Array(length);
  // The front of a stream can be read again for as long as headers usually are.
  for (let done = 0; done < length; ) {
    const got = await source.read(bytes, done, length - done, done);
    if (got <= 0) break;
    done += got;
  }
  const spans = new SpanBuilder((value) => bytesValue(value));
  walkDatum(META_TYPE, bytes, MAGIC.length, length - MARKER_BYTES, spans.visitor);
  const magic = faults.find(({ code }) => code === 'bad-magic');
  const children: Span[] = [
    {
      name: 'magic',
      offset: 0,
      length: MAGIC.length,
      value: { hex: toHex(bytes, 0, MAGIC.length) },
      ...(magic && { damage: magic.code }),
    },
    ...spans.take().map((span) => ({ ...span, name: 'meta' })),
    {
      name: 'marker',
      offset: length - MARKER_BYTES,
      length: MARKER_BYTES,
      value: { hex: toHex(header.marker) },
    },
  ];
  return { name: 'header', offset: 0, length, children };
}

function blockSpan(block: Block, data: BlockData | undefined, marker: Damage | undefined): Span {
  const { offset, length, dataOffset, bytes, start, end, count } = block;
  const head = start - (dataOffset - offset);
  const countBytes = readVarint(bytes, head, start).length;
  const size = end - start;
  const markerAt = dataOffset + size;
  const children: Span[] = [
    { name: 'count', offset, length: countBytes, value: count },
    {
      name: 'size',
      offset: offset + countBytes,
      length: dataOffset - offset - countBytes,
      value: size,
    },
    ...dataSpans(block, data),
    {
      name: 'marker',
      offset: markerAt,
      length: MARKER_BYTES,
      value: { hex: toHex(bytes, end, end + MARKER_BYTES) },
      ...(marker && { damage: marker.code }),
    },
  ];
  return { name: 'block', offset, length, children };
}

/** Datum by datum where nothing is compressed; else in one piece, with what comes out of it. */
function dataSpans(block: Block, data: BlockData | undefined): Span[] {
  const { dataOffset: offset, start, end } = block;
  const length = end - start;
  if (!data) return length > 0 ? [{ name: 'data', offset, length }] : [];
  if (!data.plain) {
    const unpacked = data.unpack(block);
    return unpacked instanceof Uint8Array
      ? [{ name: 'compressed', offset, length, value: `${unpacked.length} bytes of data` }]
      : [{ name: 'compressed', offset, length, value: unpacked.message, damage: unpacked.code }];
  }
  const spans = new SpanBuilder(hexObject);
  spans.shift = offset;
  const walking = new Walking(data.type, spans.visitor, () => spans.reset());
  const shown: Span[] = [];
  const outcome = data.read(block, walking, (index) => {
    const [only] = spans.take();
    shown.push({ ...only!, name: `datum ${index}` });
    return true;
  });
  return withLosses(shown, outcome, offset, length);
}

/** Behind each run but one that ends where the block does there are bytes that are no data. */
function withLosses(
  data: readonly Span[],
  { runs, findings }: BlockOutcome,
  offset: number,
  length: number,
): Span[] {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const shown: Span[] = [];
  let next = 0;
  for (const [i, run] of runs.entries()) {
    shown.push(...data.slice(next, next + run.records));
    next += run.records;
    const end = runs[i + 1]?.start ?? length;
    if (end === run.end) continue;
    const fault = errors[Math.min(i, errors.length - 1)];
    const place = { offset: offset + run.end, length: end - run.end };
    const damage = fault?.code ?? 'trailing-bytes';
    shown.push({ name: 'data', ...place, value: fault?.message, damage });
  }
  return shown;
}
