/** From a walk through a datum to the spans of its bytes. */
import type { Span } from '../format.ts';
import type { WalkVisitor } from './codec/walk.ts';

interface Open {
  name: string;
  offset: number;
  children: Span[];
}

/** Makes spans of a walk; offsets in the walked buffer are moved by `shift`. */
export class SpanBuilder {
  readonly done: Span[] = [];
  readonly #open: Open[] = [];
  /** Behind the last bytes that have a meaning of their own. */
  reached = 0;
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
    this.reached = span.offset + span.length;
  }

  #close(end: number): void {
    const { name, offset, children } = this.#open.pop()!;
    this.#add({ name, offset, length: end - offset, children });
  }

  /** A datum was left in its middle: what was read of it is kept. */
  abandon(): void {
    while (this.#open.length > 0) this.#close(this.reached);
  }

  /** A datum was left in its middle: nothing of it is kept. */
  reset(): void {
    this.#open.length = 0;
    this.done.length = 0;
  }

  take(): Span[] {
    return this.done.splice(0);
  }
}

function jsonable(value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
