/** Every byte of a container with the field that it belongs to. */

import { toHex } from '../../../shared/hex.ts';
import { bytesValue } from '../../bytes/value.ts';
import type { ByteSource, Opened, ScanContext, Span } from '../../format.ts';
import { hexObject } from '../codec/plain.ts';
import { readVarint } from '../codec/varint.ts';
import { type WalkVisitor, walkDatum } from '../codec/walk.ts';
import { BlockData } from './block-data.ts';
import { type Header, META_TYPE } from './header.ts';
import { Walking } from './readers.ts';
import { type Block, type Damage, scanContainer } from './scan.ts';
import { MAGIC, MARKER_BYTES } from './spec.ts';

interface Open {
  name: string;
  offset: number;
  children: Span[];
}

/** Makes spans of a walk; offsets in the walked buffer are moved by `shift`. */
class SpanBuilder {
  readonly done: Span[] = [];
  readonly #open: Open[] = [];
  readonly visitor: WalkVisitor;
  shift = 0;

  constructor(readonly showBytes: (bytes: Uint8Array) => unknown) {
    this.visitor = {
      begin: (name, _, offset) => {
        this.#open.push({ name, offset: offset + this.shift, children: [] });
      },
      end: (offset) => this.#close(offset + this.shift),
      leaf: (name, start, end, value) => {
        const shown = value instanceof Uint8Array ? this.showBytes(value) : jsonable(value);
        this.#add({ name, offset: start + this.shift, length: end - start, value: shown });
      },
    };
  }

  #add(span: Span): void {
    (this.#open.at(-1)?.children ?? this.done).push(span);
  }

  #close(end: number): void {
    const { name, offset, children } = this.#open.pop()!;
    this.#add({ name, offset, length: end - offset, children });
  }

  /** Ends what a fault left open, at `end`. */
  abandon(end: number): void {
    while (this.#open.length > 0) this.#close(end);
  }

  take(): Span[] {
    return this.done.splice(0);
  }
}

function jsonable(value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

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
      data = await BlockData.open(header, input.files[0]?.name ?? '', context.limits.recordBytes);
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
  const walking = new Walking(data.type, spans.visitor);
  const shown: Span[] = [];
  let reached = 0;
  const outcome = data.read(block, walking, (index, at) => {
    const children = spans.take();
    const [only] = children;
    shown.push({ ...only!, name: `datum ${index}` });
    reached = at;
    return true;
  });
  if (reached === length) return shown;
  const [fault] = outcome.findings.filter(({ severity }) => severity === 'error');
  const rest = { offset: offset + reached, length: length - reached };
  const code = fault?.code ?? 'trailing-bytes';
  spans.abandon(offset + reached);
  return [...shown, { name: 'data', ...rest, value: fault?.message, damage: code }];
}
