/**
 * Reads the physical layer: fragments, trailers, and the gaps between them. Intact fragments pass
 * in one tight loop over the window; whatever ends that loop is put to the examiner (examine.ts),
 * one place at a time.
 */
import { Window } from '../../bytes/window.ts';
import type { ByteSource } from '../../format.ts';
import type { WalScanContext } from '../model.ts';
import { BLOCK_BYTES, HEADER_BYTES, RECYCLABLE_HEADER_BYTES, TYPE_AT } from './constants.ts';
import { Examiner, type SubjectOf } from './examine.ts';
import type { FragmentSink } from './gap.ts';
import { computeCrc, dataBytes, type HeaderTable, isRecyclable, unmask } from './header.ts';
import { LogIdentity } from './identity.ts';
import { firstNonZero } from './search.ts';

export class FragmentReader {
  readonly #window: Window;
  readonly #identity: LogIdentity;
  readonly #examiner: Examiner;
  readonly #from: number;

  constructor(
    source: ByteSource,
    context: WalScanContext,
    readonly headers: HeaderTable,
    readonly sink: FragmentSink,
    subjectOf?: SubjectOf,
  ) {
    this.#window = new Window(source, context);
    this.#identity = new LogIdentity(source.name, headers);
    const diagnosesMax = context.limits.findings;
    this.#examiner = new Examiner(
      this.#window,
      headers,
      this.#identity,
      sink,
      diagnosesMax,
      subjectOf,
    );
    this.#from = context.from ?? 0;
  }

  async run(): Promise<void> {
    const window = this.#window;
    const { sink } = this;
    let at = this.#from;
    for (;;) {
      await window.fill(at, HEADER_BYTES);
      const before = at;
      at = this.#intactRun(at);
      if (sink.stopped) return;
      // A run that moved may just have come to the end of the window.
      if (at !== before && !window.atEnd) continue;
      if (window.atEnd && at === window.end) break;
      at = await this.#step(at);
      if (sink.stopped) return;
    }
    sink.end(window.end);
  }

  /** A place where a run did not move: the fragment needs more of the file, or there is none. */
  async #step(at: number): Promise<number> {
    const window = this.#window;
    const rest = BLOCK_BYTES - (at % BLOCK_BYTES);
    // Only as much as the fragment needs, so that a log that is still being piped in shows at
    // once.
    await window.fill(at, Math.min(rest, this.#fragmentBytes(at)));
    const moved = this.#intactRun(at);
    if (moved !== at || this.sink.stopped) return moved;
    await window.fill(at, rest);
    return this.#examiner.examine(at);
  }

  /** Bytes of the fragment at `at` by its header. */
  #fragmentBytes(at: number): number {
    const { bytes, base, end } = this.#window;
    if (end < at + HEADER_BYTES) return HEADER_BYTES;
    const p = at - base;
    return (this.headers[bytes[p + TYPE_AT]!]! || HEADER_BYTES) + dataBytes(bytes, p);
  }

  /**
   * Visits fragments as long as they are intact and inside the window. Returns where that ends.
   */
  #intactRun(at: number): number {
    const { bytes, view, base, count } = this.#window;
    const { headers, sink } = this;
    const identity = this.#identity;
    let p = at - base;
    let blockEnd = p + BLOCK_BYTES - (at % BLOCK_BYTES);
    for (;;) {
      if (blockEnd - p < HEADER_BYTES) {
        if (blockEnd > count || firstNonZero(bytes, p, blockEnd) < blockEnd) break;
        if (blockEnd > p) sink.filler(base + p, blockEnd - p, false);
        p = blockEnd;
        blockEnd += BLOCK_BYTES;
        continue;
      }
      if (p + HEADER_BYTES > count) break;
      const type = bytes[p + TYPE_AT]!;
      const headerBytes = headers[type]!;
      const next = p + headerBytes + dataBytes(bytes, p);
      if (headerBytes === 0 || next > blockEnd || next > count) break;
      if (unmask(view.getInt32(p, true)) !== computeCrc(bytes, view, p, next)) break;
      const own =
        headerBytes === RECYCLABLE_HEADER_BYTES ? identity.owns(view, p) : !identity.inStale;
      if (!own) {
        this.#examiner.stale(p, next);
        p = next;
        continue;
      }
      if (!identity.known) identity.learn(type, isRecyclable(type));
      sink.fragment(bytes, p + headerBytes, next, base + p, headerBytes, type, -1);
      p = next;
      if (sink.stopped) break;
    }
    return base + p;
  }
}
