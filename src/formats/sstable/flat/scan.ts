/**
 * Reads a textbook table front to back. The stretch between two index entries is one block: it is
 * yielded when its entries lead exactly to its end, else as much of it as can be told apart.
 */
import { viewOf } from '../../bytes/read-fully.ts';
import { Window } from '../../bytes/window.ts';
import type { ByteSource } from '../../format.ts';
import { compareBytes, EntryBlock } from '../entry-block.ts';
import type { TableDamage, TableScanContext, TableVisitor } from '../model.ts';
import { FlatCounts } from './counts.ts';
import { brokenStretch, cutEntry, explainLength } from './damage.ts';
import { IndexAhead, type IndexEntry } from './index-cursor.ts';
import { type Resync, resyncBackwards, resyncForwards } from './resync.ts';
import { type FlatSpec, FOOTER_BYTES } from './spec.ts';
import { type FlatTail, readTail } from './tail.ts';

/** A stretch longer than this is not searched through for what is left of it. */
const RESYNC_BYTES_MAX = 1024 * 1024;
/** Entries of a block where no index divides them. */
const RUN_ENTRIES = 64;
const ALL = Number.POSITIVE_INFINITY;

export async function scanFlat(
  spec: FlatSpec,
  source: ByteSource,
  context: TableScanContext,
  visitor: TableVisitor,
): Promise<void> {
  await new FlatScan(spec, source, context, visitor).run();
}

class FlatScan {
  readonly #window: Window;
  readonly #block = new EntryBlock();
  readonly #scratch = new EntryBlock();
  readonly #counts: FlatCounts;
  #lastKey: Uint8Array = new Uint8Array(0);
  #stopped = false;
  #number = 0;

  constructor(
    readonly spec: FlatSpec,
    readonly source: ByteSource,
    readonly context: TableScanContext,
    readonly visitor: TableVisitor,
  ) {
    this.#window = new Window(source, context);
    for (const block of [this.#block, this.#scratch]) {
      block.file = source.name;
      block.unique = true;
      if (spec.hasTimestamp) block.withTimestamps();
      block.reserve(RUN_ENTRIES, true);
    }
    this.#counts = new FlatCounts(spec, source.name, (damage) => this.#damage(damage));
  }

  async run(): Promise<void> {
    const { spec, source, context, visitor } = this;
    const size = source.size ?? 0;
    const tail = await readTail(spec, source, context);
    if (spec.headerBytes > 0) {
      await this.#window.fill(0, spec.headerBytes);
      const { view, count } = this.#window;
      const code = this.#counts.header(view, Math.min(count, spec.headerBytes), tail);
      visitor.frame?.('header', 0, Math.min(size, spec.headerBytes), code);
    }
    const from = Math.min(size, spec.headerBytes);
    if (tail.indexSound) await this.#indexed(from, tail);
    let reached = tail.entriesEnd;
    if (!tail.indexSound) reached = await this.#run(from, reached ?? size, reached === undefined);
    if (this.#stopped) return;
    const { entriesEnd = reached!, footerAt, indexSound, footerSound } = tail;
    if (entriesEnd < footerAt) {
      const found = tail.entriesEnd !== undefined;
      const code = indexSound ? undefined : found ? 'index-mismatch' : 'bad-footer';
      visitor.frame?.('index', entriesEnd, footerAt - entriesEnd, code);
    }
    if (footerAt + FOOTER_BYTES <= size) {
      visitor.frame?.('footer', footerAt, FOOTER_BYTES, footerSound ? undefined : 'bad-footer');
    }
    this.#counts.end();
    for (const damage of tail.damage) this.#damage(damage);
  }

  /** Stretch by stretch, as the index divides them. */
  async #indexed(from: number, tail: FlatTail): Promise<void> {
    const { context } = this;
    const end = tail.entriesEnd!;
    const index = new IndexAhead(this.spec, this.source, context, end, tail.footerAt);
    let at = from;
    let entry = await index.take();
    while (at < end && !this.#stopped) {
      const next = await index.peek(0);
      let stop = next?.target ?? end;
      const before = this.#counts.entries;
      let last = next === undefined;
      if (stop - at > context.limits.recordBytes) await this.#run(at, stop, stop === end);
      else if (next && (await this.#bridges(at, next, (await index.peek(1))?.target ?? end))) {
        // The entries lead past where the index points, to where it points next: the index is
        // wrong.
        this.#counts.wrongTarget(next.at, next.key.length, next.target);
        await index.take();
        stop = (await index.peek(0))?.target ?? end;
        last = true;
        await this.#stretch(at, stop, false);
      } else await this.#stretch(at, stop, last);
      if (this.#stopped) return;
      const count = this.#counts.entries - before;
      if (entry) this.#counts.stretch(entry.key, entry.at, at, count, last);
      this.#number++;
      at = stop;
      entry = await index.take();
    }
  }

  /**
   * Whether the entries from `start` pass over where the index points next, no entry with the key
   * that it names being there, and lead exactly to `further`.
   */
  async #bridges(start: number, { target, key }: IndexEntry, further: number): Promise<boolean> {
    const window = this.#window;
    await window.fill(start, target - start);
    const stop = Math.min(target, window.end) - window.base;
    const landed = this.#parse(start - window.base, stop, ALL);
    if (landed === target - window.base || further - start > RESYNC_BYTES_MAX) return false;
    await window.fill(start, further - start);
    const { view, bytes, base } = window;
    const end = Math.min(further, window.end) - base;
    if (this.spec.entry(view, target - base, end, this.#scratch, 0) >= 0) {
      const { keyStart, keyEnd } = this.#scratch;
      if (compareBytes(bytes, keyStart[0]!, keyEnd[0]!, key, 0, key.length) === 0) return false;
    }
    return this.#parse(start - base, end, ALL) === end;
  }

  /** A whole stretch in the window at once. */
  async #stretch(start: number, stop: number, last: boolean): Promise<void> {
    const { spec } = this;
    const window = this.#window;
    await window.fill(start, stop - start);
    const { view, base, bytes } = window;
    const p0 = start - base;
    const end = Math.min(stop, window.end) - base;
    const parsed = this.#parse(p0, end, ALL);
    if (parsed === end) {
      this.#yield(start);
      return;
    }
    const block = this.#block;
    const count = block.count;
    const starts = Array.from({ length: count }, (_, i) => block.offsets![i]! - base);
    if (count === 0) starts.push(p0);
    const expected = this.#counts.expected(last);
    let found: Resync = { before: count, from: parsed, to: end };
    if (end - p0 <= RESYNC_BYTES_MAX) {
      const stretch = { bytes, view, start: p0, end, expected };
      found = resyncBackwards(spec, stretch, starts, count, this.#scratch);
    }
    const explained = explainLength(spec, view, found, starts, count, this.#scratch);
    if (explained.from < found.from)
      found = { ...found, from: explained.from, before: found.before - 1 };
    this.#parse(p0, found.from, found.before);
    const kept = block.count;
    this.#yield(start);
    const broken = brokenStretch(this.source.name, base, found, end, spec, expected, kept);
    this.#parse(found.to, end, ALL);
    const lost = expected === undefined ? undefined : Math.max(1, expected - kept - block.count);
    this.#damage({
      ...broken,
      ...(lost !== undefined && { entriesAtMost: lost }),
      ...(explained.diagnosis && { diagnosis: explained.diagnosis }),
    });
    this.#counts.lost(lost);
    if (block.count > 0) this.#yield(base + found.to);
  }

  /**
   * Entries as they come, where nothing says beforehand where a stretch ends. Returns where they
   * do.
   */
  async #run(start: number, stop: number, openEnd: boolean): Promise<number> {
    const { spec, context } = this;
    const window = this.#window;
    let at = start;
    while (at < stop && !this.#stopped) {
      if (openEnd && this.#counts.complete) return at;
      await window.fill(at, 16);
      let end = Math.min(stop, window.end) - window.base;
      let parsed = this.#parse(at - window.base, end, RUN_ENTRIES);
      if (this.#block.count === 0 && window.base + end < stop) {
        // The first entry is longer than the window: how long is it?
        const head = Math.min(stop - at, 64 * 1024 + 32);
        await window.fill(at, head);
        end = Math.min(stop, window.end) - window.base;
        const need = spec.entryBytes(window.view, at - window.base, end);
        if (need > 0 && need <= Math.min(stop - at, context.limits.recordBytes)) {
          await window.fill(at, need);
        }
        end = Math.min(stop, window.end) - window.base;
        parsed = this.#parse(at - window.base, end, RUN_ENTRIES);
      }
      if (this.#block.count > 0) {
        const next = window.base + parsed;
        this.#yield(at);
        this.#number++;
        at = next;
        continue;
      }
      at = await this.#lostRun(at, stop);
    }
    return at;
  }

  /** Nothing parses at `at`: where does it go on? Tells what is lost in between. */
  async #lostRun(at: number, stop: number): Promise<number> {
    const { spec, source } = this;
    const window = this.#window;
    await window.fill(at, Math.min(stop - at, RESYNC_BYTES_MAX));
    const { bytes, view, base } = window;
    const end = Math.min(stop, window.end) - base;
    const stretch = { bytes, view, start: at - base, end, expected: undefined };
    const atEnd = base + end === stop;
    const found = resyncForwards(spec, stretch, at - base, this.#lastKey, atEnd, this.#scratch);
    const next = found < 0 ? stop : base + found;
    const cut = found < 0 && stop === source.size;
    this.#damage(cutEntry(source.name, at, next - at, cut, spec));
    this.#counts.lost(undefined);
    return next;
  }

  /** Entries from `p` on, at most so many, into the block. Returns where the last one ends. */
  #parse(p: number, end: number, most: number): number {
    const { spec } = this;
    const window = this.#window;
    const { view, base } = window;
    const block = this.#block;
    block.keyBytes = window.bytes;
    block.valueBytes = window.bytes;
    let i = 0;
    while (p < end && i < most) {
      if (i >= block.keyStart.length) block.reserve(i + 1, true);
      const next = spec.entry(view, p, end, block, i);
      if (next < 0) break;
      block.offsets![i] = base + p;
      block.lengths![i] = next - p;
      p = next;
      i++;
    }
    block.count = i;
    return p;
  }

  #yield(offset: number): void {
    const block = this.#block;
    const { count } = block;
    if (count === 0) return;
    block.number = this.#number;
    block.offset = offset;
    block.length = block.offsets![count - 1]! + block.lengths![count - 1]! - offset;
    block.rawBytes = block.length;
    this.#counts.block(block);
    this.visitor.block(block);
    this.#lastKey = block.key(count - 1).slice();
    if (this.visitor.done?.()) this.#stopped = true;
  }

  #damage(damage: TableDamage): void {
    // The index against the entries is what verify asks for.
    if (this.context.depth === 'read' && damage.severity === 'info') return;
    this.visitor.damage(damage);
    if (this.visitor.done?.()) this.#stopped = true;
  }
}

/** One stretch of a table that was read into memory. */
export function parseStretch(
  spec: FlatSpec,
  bytes: Uint8Array,
  offset: number,
  block: EntryBlock,
): number {
  const view = viewOf(bytes);
  block.keyBytes = bytes;
  block.valueBytes = bytes;
  block.unique = true;
  if (spec.hasTimestamp) block.withTimestamps();
  block.reserve(RUN_ENTRIES, true);
  let p = 0;
  let i = 0;
  while (p < bytes.length) {
    if (i >= block.keyStart.length) block.reserve(i + 1, true);
    const next = spec.entry(view, p, bytes.length, block, i);
    if (next < 0) break;
    block.offsets![i] = offset + p;
    block.lengths![i] = next - p;
    p = next;
    i++;
  }
  block.count = i;
  block.offset = offset;
  block.length = p;
  block.rawBytes = p;
  return p;
}
