/** What shows the spans of a file as they are found: annotated hex, or JSON. */
import type { Span } from '../formats/format.ts';

/** Fills target[0, length) with the bytes at `position`; returns how many there were. */
export type BytesOf = (target: Uint8Array, length: number, position: number) => number;

export interface SpanView {
  beginFile(name: string, size: number | undefined): void;
  /** `record`: its number, if the span is a record. */
  span(span: Span, record: number | undefined, bytes: BytesOf): void;
  endFile(size: number | undefined): void;
}

/** The leaf of `span` that holds the byte at `offset`. */
export function leafAt(span: Span, offset: number): Span {
  for (const child of span.children ?? []) {
    if (child.offset <= offset && offset < child.offset + child.length) {
      return leafAt(child, offset);
    }
  }
  return span;
}
