/**
 * Every byte belongs to exactly one field: holds a layout's spans to that promise while they
 * stream by. What a layout leaves out becomes a span named `unaccounted`; what it claims twice
 * stays with the span that claimed it first. Both are marked as damage, so that nobody takes them
 * for part of the format.
 */
import type { Span } from './format.ts';

export const UNACCOUNTED = 'unaccounted';
export const OVERLAP = 'overlap';

/**
 * What is wrong with a row of spans that should tile [from, to), at every level; empty if nothing
 * is.
 */
export function coverageFaults(spans: readonly Span[], from: number, to: number): string[] {
  const faults: string[] = [];
  let at = from;
  for (const span of spans) {
    const { name, offset, length, children } = span;
    if (offset !== at) faults.push(`${name} begins at ${offset}, expected ${at}`);
    at = offset + length;
    if (children && children.length > 0) faults.push(...coverageFaults(children, offset, at));
  }
  if (at !== to) faults.push(`the spans end at ${at}, expected ${to}`);
  return faults;
}

/** The same without words: nearly every row is in order. */
function tiles(spans: readonly Span[], from: number, to: number): boolean {
  let at = from;
  for (const { offset, length, children } of spans) {
    if (offset !== at) return false;
    at += length;
    if (children && children.length > 0 && !tiles(children, offset, at)) return false;
  }
  return at === to;
}

/**
 * `span` with children that tile their parents at every level. The same object when they did
 * already.
 */
export function tileChildren(span: Span): Span {
  const { children, offset, length } = span;
  if (!children || children.length === 0) return span;
  const end = offset + length;
  return tiles(children, offset, end)
    ? span
    : { ...span, children: tileRow(children, offset, end) };
}

/** Spans, in order, that tile [from, to). */
export function tileRow(spans: readonly Span[], from: number, to: number): readonly Span[] {
  const row = new Coverage(from, to);
  const tiled = spans.flatMap((span) => row.next(span));
  return [...tiled, ...row.end(to)];
}

/** Holds one row of spans, of a file or of a parent, to the promise as they come. */
export class Coverage {
  /** All bytes before this are accounted for. */
  #at: number;

  constructor(
    from = 0,
    /** Where the row ends; a file's size, if it is known. */
    readonly to = Number.POSITIVE_INFINITY,
  ) {
    this.#at = from;
  }

  /** The spans to show for the next one of the layout: usually itself alone. */
  next(given: Span): readonly Span[] {
    const span = tileChildren(given);
    const end = Math.min(span.offset + span.length, this.to);
    if (span.offset === this.#at && end === span.offset + span.length) {
      this.#at = end;
      return [span];
    }
    const shown = [...this.#gap(Math.min(span.offset, this.to))];
    // All of its bytes are taken, or beyond the end: nothing of it is left to show.
    if (end < this.#at || (end === this.#at && span.length > 0)) return shown;
    shown.push(this.#clipped(span, end));
    this.#at = end;
    return shown;
  }

  /** What is left of a row that ends at `to`. */
  end(to: number): readonly Span[] {
    return this.#gap(to);
  }

  #gap(to: number): Span[] {
    const from = this.#at;
    if (to <= from) return [];
    this.#at = to;
    const value = 'the layout names no field for these bytes';
    return [{ name: UNACCOUNTED, offset: from, length: to - from, value, damage: UNACCOUNTED }];
  }

  /** The part of `span` in [at, end); as it is, if that is all of it. */
  #clipped(span: Span, end: number): Span {
    const { name, offset, length, damage } = span;
    const from = this.#at;
    if (offset === from && offset + length === end) return span;
    const value = `claims ${length} bytes at ${offset}; ${from} to ${end} are left for it`;
    return { name, offset: from, length: end - from, value, damage: damage ?? OVERLAP };
  }
}
