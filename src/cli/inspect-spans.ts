/** inspect: walks the layout of every file of a PATH and shows the spans that were asked for. */
import { Coverage } from '../formats/coverage.ts';
import type { Identified } from '../formats/detect.ts';
import type { ByteSource, FileEntry, ScanContext, Span } from '../formats/format.ts';
import { DdiaError, usageError } from '../shared/errors.ts';
import type { BytesOf, SpanView } from '../ui/span-view.ts';
import { KeptSource } from './kept-source.ts';

/** Which top-level spans are shown; all of them, unless something is given. */
export interface Selection {
  /** The record of this number, counted from 1 through all files. */
  record?: number | undefined;
  /** The span that holds this byte. */
  at?: number | undefined;
  /** Those that have bytes in [from, to). */
  from?: number | undefined;
  to?: number | undefined;
  /** Stops after this many. */
  limit?: number | undefined;
}

/** Top-level spans that frame the records instead of being some: `header`, `segment_header`. */
const FRAME_NAMES =
  'header|footer|trailer|padding|zeros|index|metaindex|filter|properties|dictionary|meta';
const FRAME = new RegExp(`(?:^|_)(?:${FRAME_NAMES})$`);

export async function inspectSpans(
  input: Identified,
  selection: Selection,
  context: ScanContext,
  view: SpanView,
): Promise<{ damaged: boolean }> {
  if (input.files.length > 1) refuseOffsets(input, selection);
  const walk = new Walk(input, selection, context, view);
  for (const file of input.files) {
    if (walk.done) break;
    await walk.file(file);
  }
  walk.checkFound();
  return { damaged: walk.damaged };
}

/** An offset is a place in one file. */
function refuseOffsets(input: Identified, { at, from, to }: Selection): void {
  if (at === undefined && from === undefined && to === undefined) return;
  const { set, files } = input;
  throw usageError(
    'needs-one-file',
    `an offset is a place in one file, and ${set.path} has ${files.length}`,
    `give the file: ${set.path.replace(/\/+$/, '')}/${files[0]!.name}`,
  );
}

class Walk {
  done = false;
  damaged = false;
  #records = 0;
  #isRecord = false;
  #shown = 0;
  #size = 0;

  constructor(
    readonly input: Identified,
    readonly selection: Selection,
    readonly context: ScanContext,
    readonly view: SpanView,
  ) {}

  async file(file: FileEntry): Promise<void> {
    const { input, context, view } = this;
    const opened = input.set.open(file.name);
    const kept = opened.forwardOnly
      ? new KeptSource(opened, 2 * context.limits.recordBytes)
      : undefined;
    const source = kept ?? opened;
    try {
      this.#checkOffset(source);
      view.beginFile(file.name, source.size);
      const coverage = new Coverage(0, source.size);
      const bytes = bytesOf(source, kept);
      const show = (span: Span): boolean => {
        if (!this.done && this.#wants(span)) this.#show(span, bytes);
        kept?.release(span.offset + span.length);
        return !this.done;
      };
      await input.family.layout(input, source, context, (span) => coverage.next(span).every(show));
      if (!this.done) coverage.end(source.size ?? 0).every(show);
      view.endFile(source.size);
      this.#size = source.size ?? 0;
    } finally {
      source.close?.();
    }
  }

  /** Before anything is read, where the size is known. */
  #checkOffset({ name, size }: ByteSource): void {
    const offset = this.selection.at ?? this.selection.from;
    if (offset === undefined || size === undefined || offset < size) return;
    throw pastTheEnd(offset, name, size);
  }

  #wants(span: Span): boolean {
    const { record, at, from, to } = this.selection;
    this.#isRecord = span.damage === undefined && !FRAME.test(span.name);
    if (this.#isRecord) this.#records++;
    if (record !== undefined) return this.#isRecord && this.#records === record;
    const { offset } = span;
    const end = offset + span.length;
    if (at !== undefined) return offset <= at && at < end;
    if (to !== undefined && offset >= to) {
      this.done = true;
      return false;
    }
    return from === undefined || end > from;
  }

  #show(span: Span, bytes: BytesOf): void {
    const { record, at, limit } = this.selection;
    if (limit !== undefined && this.#shown >= limit) {
      this.done = true;
      return;
    }
    this.#shown++;
    if (hasDamage(span)) this.damaged = true;
    this.view.span(span, this.#isRecord ? this.#records : undefined, bytes);
    if (record !== undefined || at !== undefined) this.done = true;
  }

  /** One that was asked for by number or offset has to be there. */
  checkFound(): void {
    const { record, at } = this.selection;
    if (this.#shown > 0 || this.done) return;
    const { path } = this.input.set;
    if (record !== undefined) {
      throw new DdiaError(
        'no-such-record',
        `record ${record} is past the last: ${path} has ${this.#records} intact records`,
      );
    }
    if (at !== undefined) throw pastTheEnd(at, path, this.#size);
  }
}

function pastTheEnd(offset: number, name: string, size: number): DdiaError {
  return new DdiaError(
    'offset-past-end',
    `offset ${offset} is past the end: ${name} has ${size} bytes`,
    size > 0 ? `the last byte is at ${size - 1}` : undefined,
  );
}

function bytesOf(source: ByteSource, kept: KeptSource | undefined): BytesOf {
  return (target, length, position) => {
    if (kept) return kept.again(target, 0, length, position);
    const got = source.read(target, 0, length, position);
    // Sources that can be read anywhere answer at once; what cannot is shown without its bytes.
    return typeof got === 'number' ? got : 0;
  };
}

function hasDamage({ damage, children }: Span): boolean {
  return damage !== undefined || (children?.some(hasDamage) ?? false);
}
