/** The fields of a page as spans that tile it: what no field claims is unused space. */
import type { Span } from '../format.ts';

export class PageSpans {
  readonly #fields: Span[] = [];

  constructor(
    readonly name: string,
    /** Of the page in the file. */
    readonly offset: number,
    readonly length: number,
    readonly value?: unknown,
    readonly damage?: string,
  ) {}

  /** `at` within the page. */
  field(name: string, at: number, length: number, value?: unknown, children?: Span[]): this {
    const span: Span = {
      name,
      offset: this.offset + at,
      length,
      ...(value !== undefined && { value }),
      ...(children && children.length > 0 && { children }),
    };
    this.#fields.push(span);
    return this;
  }

  /** `unused`: what bytes are called that no field claims. */
  done(unused = 'unused'): Span {
    const { name, offset, length, value, damage } = this;
    const children: Span[] = [];
    let at = offset;
    const end = offset + length;
    const fields = this.#fields.sort((a, b) => a.offset - b.offset || a.length - b.length);
    for (const field of fields) {
      // Cells that overlap: the first has the bytes, and fsck tells of it.
      if (field.offset < at || field.offset + field.length > end) continue;
      if (field.offset > at) children.push({ name: unused, offset: at, length: field.offset - at });
      children.push(field);
      at = field.offset + field.length;
    }
    if (at < end) children.push({ name: unused, offset: at, length: end - at });
    return {
      name,
      offset,
      length,
      ...(value !== undefined && { value }),
      ...(damage !== undefined && { damage }),
      children,
    };
  }
}
