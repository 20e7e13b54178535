/**
 * Reads the hint files of the textbook stores: entries back to back, each a header of fixed size
 * and a key, no checksum. What such a file can show by itself is an entry that is cut or whose
 * sizes are impossible; nothing tells where the next one begins, so reading ends there.
 */
import { Window } from '../bytes/window.ts';
import type { ByteSource } from '../format.ts';
import { type BitcaskScanContext, HintEntry, type HintVisitor } from './model.ts';

/** How one dialect's entry is read. */
export interface PlainHint {
  /** Bytes of an entry beside its key. */
  readonly headerBytes: number;
  /** Where in its header the key's size stands, and how. */
  keySize(view: DataView, start: number): number;
  /** Fills in what the header says, all of which is there. Answers why that cannot be, if so. */
  read(entry: HintEntry, view: DataView, start: number, keySize: number): string | undefined;
}

export async function scanPlainHint(
  shape: PlainHint,
  source: ByteSource,
  context: BitcaskScanContext,
  visitor: HintVisitor,
): Promise<void> {
  const window = new Window(source, context);
  const entry = new HintEntry();
  entry.file = source.name;
  const { headerBytes } = shape;
  const keyBytesMax = context.limits.recordBytes;
  let at = context.from ?? 0;
  for (;;) {
    await window.fill(at, headerBytes);
    if (window.atEnd && at === window.end) return;
    let why: string | undefined;
    const { bytes, view, base, count } = window;
    entry.bytes = bytes;
    let p = at - base;
    let needed = headerBytes;
    while (p + headerBytes <= count) {
      const keySize = shape.keySize(view, p);
      needed = headerBytes + keySize;
      if (keySize > keyBytesMax) why = `key_size is ${keySize}, the limit is ${keyBytesMax}`;
      else why = shape.read(entry, view, p, keySize);
      if (why !== undefined || p + needed > count) break;
      entry.offset = base + p;
      entry.length = needed;
      entry.keyStart = p + headerBytes;
      entry.keyEnd = p + needed;
      visitor.entry(entry);
      if (visitor.done?.()) return;
      p += needed;
      needed = headerBytes;
    }
    at = base + p;
    if (why === undefined && !window.atEnd) {
      await window.fill(at, needed);
      if (window.end >= at + needed) continue;
    }
    if (window.atEnd && at === window.end) return;
    await tellCorrupt(window, at, why, needed, headerBytes, visitor);
    return;
  }
}

async function tellCorrupt(
  window: Window,
  at: number,
  why: string | undefined,
  needed: number,
  headerBytes: number,
  visitor: HintVisitor,
): Promise<void> {
  // How much is left of a stream shows at its end only.
  while (!window.atEnd && window.source.size === undefined) await window.fill(window.end, 1);
  const end = window.source.size ?? window.end;
  const there = end - at;
  const cut =
    there < headerBytes
      ? `${there} bytes at the end, an entry has at least ${headerBytes}`
      : `the entry has ${needed} bytes by its key_size, ${there} are there`;
  visitor.damage({
    code: 'hint-corrupt',
    severity: 'error',
    file: window.source.name,
    offset: at,
    length: there,
    message: why ?? cut,
    evidence: why ? 'nothing tells where the next entry begins' : 'the file ends here',
    repair: 'write the hint file anew from its data file: no data is lost',
  });
}
