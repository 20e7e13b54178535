/**
 * Reads a hint file of Erlang Bitcask. One CRC-32 at the end covers all entries, so whether they
 * can be believed is only known there: a file is read twice, first for that, then for its entries.
 * Of a stream, entries are told as they come.
 */
import { explainFlips } from '../../../shared/bit-flip.ts';
import { CRC_INITIAL, crc32 } from '../../../shared/crc32.ts';
import { hex32 } from '../../../shared/hex.ts';
import { Window } from '../../bytes/window.ts';
import type { ByteSource, Finding } from '../../format.ts';
import { type BitcaskScanContext, HintEntry, type HintVisitor } from '../model.ts';
import {
  CRC_ENTRY_OFFSET_HIGH,
  CRC_ENTRY_OFFSET_LOW,
  HINT_HEAD_BYTES,
  HINT_KEY_SIZE_AT,
  HINT_OFFSET_AT,
  HINT_TOMBSTONE,
  HINT_TOTAL_SIZE_AT,
  hintFile,
} from './layout.ts';

const REBUILD = 'make the hint again from its data file';

export async function scanHintRiak(
  source: ByteSource,
  context: BitcaskScanContext,
  visitor: HintVisitor,
): Promise<void> {
  if (source.forwardOnly || source.size === undefined) {
    const only = new HintPass(source, context, visitor);
    await only.run();
    if (!only.stopped && only.finding) visitor.damage(only.finding);
    return;
  }
  const first = new HintPass(source, context, undefined);
  await first.run();
  const second = new HintPass(source, { ...context, progress: undefined }, visitor, first.old);
  if (first.believed > 0) await second.run(first.believed);
  if (!second.stopped && first.finding) visitor.damage(first.finding);
}

/** True for the head of the entry that holds the checksum, whatever its tombstone bit. */
export function isCrcEntry(view: DataView, p: number): boolean {
  return (
    view.getUint32(p) === 0 &&
    view.getUint16(p + HINT_KEY_SIZE_AT) === 0 &&
    (view.getUint32(p + HINT_OFFSET_AT) & CRC_ENTRY_OFFSET_HIGH) === CRC_ENTRY_OFFSET_HIGH &&
    view.getUint32(p + HINT_OFFSET_AT + 4) === CRC_ENTRY_OFFSET_LOW
  );
}

/** Where the record begins that the entry at `p` tells of. */
export function entryPosition(view: DataView, p: number): number {
  const high = view.getUint32(p + HINT_OFFSET_AT) & ~HINT_TOMBSTONE;
  return high * 0x1_0000_0000 + view.getUint32(p + HINT_OFFSET_AT + 4);
}

class HintPass {
  /** What is wrong with the file, after run(). */
  finding: Finding | undefined;
  /** Entries that end at or before this offset can be believed. */
  believed = 0;
  stopped = false;
  /** Of a version before 1.7, whose offsets have all 64 bits: the CRC entry's is the highest. */
  old = false;
  readonly #window: Window;
  readonly #entry = new HintEntry();
  /** The checksum's register over all entries read, and over all but the last one. */
  #register = CRC_INITIAL;
  #registerBefore = CRC_INITIAL;
  #entries = 0;
  #lastAt = 0;
  /** Where the next entry's record should begin: a hint leaves none out. */
  #next = 0;
  /** The first entry whose record is not followed by the record of the next one. */
  #breakAt = -1;

  constructor(
    readonly source: ByteSource,
    readonly context: BitcaskScanContext,
    readonly visitor: HintVisitor | undefined,
    old = false,
  ) {
    this.#entry.tellsDeletion = !old;
    this.#window = new Window(source, context);
    this.#entry.file = source.name;
    this.#entry.dataFile = hintFile(source.name) ?? 0;
  }

  /** Takes the entries up to the file's end, or those that end at or before `upTo`. */
  async run(upTo = Number.POSITIVE_INFINITY): Promise<void> {
    const window = this.#window;
    let at = 0;
    for (;;) {
      await this.#need(at, HINT_HEAD_BYTES);
      at = this.#wholeEntries(at, upTo);
      if (this.stopped) return;
      await this.#need(at, HINT_HEAD_BYTES);
      if (window.end < at + HINT_HEAD_BYTES) break;
      const p = at - window.base;
      if (isCrcEntry(window.view, p)) {
        await this.#need(at, HINT_HEAD_BYTES + 1);
        this.#crcEntry(at);
        return;
      }
      const length = HINT_HEAD_BYTES + window.view.getUint16(p + HINT_KEY_SIZE_AT);
      if (at + length > upTo) return;
      await this.#need(at, length);
      if (window.end < at + length) break;
    }
    this.#noCrcEntry(at);
  }

  /** The entry before is kept: at the end it may turn out to be more than it seemed. */
  async #need(at: number, length: number): Promise<void> {
    await this.#window.fill(this.#lastAt, at - this.#lastAt + length);
  }

  /** Takes the entries that are whole inside the window. Returns where that ends. */
  #wholeEntries(from: number, upTo: number): number {
    const { bytes, view, base, count } = this.#window;
    const entry = this.#entry;
    const visitor = this.visitor;
    const last = Math.min(count, upTo - base);
    entry.bytes = bytes;
    let p = from - base;
    while (p + HINT_HEAD_BYTES <= last) {
      const length = HINT_HEAD_BYTES + view.getUint16(p + HINT_KEY_SIZE_AT);
      if (p + length > last || isCrcEntry(view, p)) break;
      const position = entryPosition(view, p);
      const size = view.getUint32(p + HINT_TOTAL_SIZE_AT);
      if (position !== this.#next && this.#breakAt < 0) this.#breakAt = this.#lastAt;
      this.#next = position + size;
      this.#registerBefore = this.#register;
      this.#register = crc32.update(this.#register, bytes, view, p, p + length);
      this.#lastAt = base + p;
      this.#entries++;
      if (visitor) {
        entry.offset = base + p;
        entry.length = length;
        entry.position = position;
        entry.size = size;
        entry.timestamp = view.getUint32(p);
        entry.deleted = (view.getUint32(p + HINT_OFFSET_AT) & HINT_TOMBSTONE) !== 0;
        entry.keyStart = p + HINT_HEAD_BYTES;
        entry.keyEnd = p + length;
        visitor.entry(entry);
        this.stopped = visitor.done?.() ?? false;
      }
      p += length;
      if (this.stopped) break;
    }
    return base + p;
  }

  /** The entries lead to the CRC entry, at `at`. */
  #crcEntry(at: number): void {
    const { end, base, view } = this.#window;
    const computed = ~this.#register >>> 0;
    const stored = view.getUint32(at - base + HINT_TOTAL_SIZE_AT);
    this.old = (view.getUint32(at - base + HINT_OFFSET_AT) & HINT_TOMBSTONE) !== 0;
    if (end > at + HINT_HEAD_BYTES) {
      this.believed = stored === computed ? at : 0;
      const message = 'the CRC entry, which is the last one of a hint, and more bytes behind it';
      this.finding = this.#corrupt(at, HINT_HEAD_BYTES, message);
    } else if (stored === computed) this.believed = at;
    else this.#mismatch(at, stored, computed);
  }

  /** The file ends at `at`, or in an entry that begins there. */
  #noCrcEntry(at: number): void {
    const { bytes, view, base, end } = this.#window;
    // A damaged key_size may have led past the CRC entry, and the CRC entry may itself be hit.
    const lastAt = end - HINT_HEAD_BYTES;
    const [from, register] =
      at <= lastAt ? [at, this.#register] : [this.#lastAt, this.#registerBefore];
    if (from >= base && from <= lastAt) {
      const computed = ~crc32.update(register, bytes, view, from - base, lastAt - base) >>> 0;
      const stored = view.getUint32(lastAt - base + HINT_TOTAL_SIZE_AT);
      const isOne = isCrcEntry(view, lastAt - base);
      if (isOne && stored !== computed) {
        this.#mismatch(lastAt, stored, computed);
        return;
      }
      if (stored === computed) {
        this.believed = from;
        const [offset, message] = isOne
          ? [from, 'the entry leads past the CRC entry, whose checksum holds']
          : [
              lastAt,
              'the CRC entry is hit: its checksum holds, its other fields are not 0, 0, 2^63-1',
            ];
        this.finding = this.#corrupt(offset, end - offset, message);
        return;
      }
    }
    if (this.#breakAt >= 0) {
      this.believed = this.#breakAt;
      const message = 'no CRC entry at the end, and the entry here does not lead to the next one';
      this.finding = this.#corrupt(this.#breakAt, end - this.#breakAt, message);
      return;
    }
    this.believed = at;
    const cut = end > at ? `, ${end - at} bytes of another one` : '';
    this.finding = {
      ...this.#corrupt(at, end - at, `${this.#entries} entries${cut}, and no CRC entry at the end`),
      // What every crash leaves: the CRC entry is written when the data file is closed.
      code: 'torn-tail',
      severity: 'warning',
      evidence: 'the file ends here; Bitcask reads the data file in its place',
    };
  }

  /** All entries up to `at` are covered by a checksum that does not hold. */
  #mismatch(at: number, stored: number, computed: number): void {
    const message = `stored ${hex32(stored)}, computed ${hex32(computed)} over the ${at} bytes of the entries`;
    this.finding = this.#corrupt(0, at + HINT_HEAD_BYTES, message);
    const flips = explainFlips(crc32, stored, computed, at);
    if (flips === undefined || flips.kind === 'two') return;
    const inStored = flips.kind === 'stored';
    const byte = inStored
      ? at + HINT_TOTAL_SIZE_AT + 3 - (flips.bit >>> 3)
      : at - 1 - flips.at.byteFromEnd;
    const bit = inStored ? flips.bit & 7 : flips.at.bit;
    const where = inStored ? ' (the stored checksum)' : '';
    this.finding.diagnosis = `bit ${bit} of the byte at ${byte}${where} is flipped`;
    this.believed = Math.min(byte, at);
  }

  #corrupt(offset: number, length: number, message: string): Finding {
    const code = 'hint-corrupt';
    const { name } = this.source;
    return { code, severity: 'error', file: name, offset, length, message, repair: REBUILD };
  }
}
