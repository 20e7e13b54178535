/** A layout as one JSON document, written piece by piece: memory does not grow with the file. */
import type { Span } from '../formats/format.ts';
import type { Output } from './output.ts';
import { type BytesOf, leafAt, type SpanView } from './span-view.ts';

export interface SpanJsonOptions {
  /** The path, when it is a directory: the files become a list. */
  directory: string | undefined;
  family: string;
  dialect: string;
  /** How many levels below the top are told. */
  depth: number;
}

export class SpanJson implements SpanView {
  #files = 0;
  #spans = 0;

  constructor(
    readonly out: Output,
    readonly options: SpanJsonOptions,
  ) {
    const { directory } = options;
    if (directory !== undefined) out.text(`{"path":${JSON.stringify(directory)},"files":[`);
  }

  beginFile(name: string, size: number | undefined): void {
    if (this.#files++ > 0) this.out.text(',\n');
    this.#spans = 0;
    const { family, dialect } = this.options;
    const head = JSON.stringify({
      file: name,
      family,
      dialect,
      ...(size !== undefined && { size }),
    });
    this.#unsized = size === undefined;
    this.out.text(`${head.slice(0, -1)},"spans":[`);
  }

  /** The size of a stream is known, and told, at its end. */
  #unsized = false;

  span(span: Span): void {
    this.out.text(
      `${this.#spans++ > 0 ? ',' : ''}\n${JSON.stringify(trimmed(span, this.options.depth))}`,
    );
  }

  endFile(size: number | undefined): void {
    const late = this.#unsized && size !== undefined ? `,"size":${size}` : '';
    this.out.text(`\n]${late}}`);
  }

  end(): void {
    this.out.text(this.options.directory === undefined ? '\n' : ']}\n');
    this.out.flush();
  }
}

/** The one span that was asked for. */
export class OneSpanJson implements SpanView {
  #file = '';

  constructor(
    readonly out: Output,
    readonly depth: number,
    readonly at: number | undefined,
  ) {}

  beginFile(name: string): void {
    this.#file = name;
  }

  span(span: Span, record: number | undefined, _bytes: BytesOf): void {
    const { at } = this;
    const leaf = at === undefined ? undefined : leafAt(span, at);
    const document = {
      file: this.#file,
      ...(record !== undefined && { record }),
      ...trimmed(span, this.depth),
      ...(leaf && { at, leaf: trimmed(leaf, 0) }),
    };
    this.out.text(`${JSON.stringify(document, null, 2)}\n`);
  }

  endFile(): void {}

  end(): void {
    this.out.flush();
  }
}

/** Without what lies deeper than `depth` levels below it. */
function trimmed(span: Span, depth: number): Span {
  const { children, ...own } = span;
  if (!children) return span;
  if (depth < 1) return own;
  return { ...own, children: children.map((child) => trimmed(child, depth - 1)) };
}
