/**
 * Writes a textbook B+tree front to back from entries in key order: metadata, leaves, then each
 * level of internal pages, the root last. The entries are gone through twice, since the metadata
 * stands in front: once for the lengths, once for the bytes.
 */
import { DdiaError } from '../../../shared/errors.ts';
import {
  COUNT_AT,
  FREE_HEAD_AT,
  HEADER_BYTES,
  HEIGHT_AT,
  INTERNAL_CELL_BYTES,
  KEYS_AT,
  LEAF_CELL_BYTES,
  LINK_AT,
  NEXT_FREE_AT,
  NO_PAGE,
  ROOT_AT,
  TYPE_INTERNAL,
  TYPE_LEAF,
} from './layout.ts';

/** A key and a value as spans; whoever yields it may reuse it. */
export interface Entry {
  bytes: Uint8Array;
  keyStart: number;
  keyEnd: number;
  valueStart: number;
  valueEnd: number;
}

/** A page of an internal level: its children, and the key in front of each but the first. */
interface Internal {
  children: number[];
  keys: Uint8Array[];
}

interface Plan {
  keys: number;
  /** Entries by leaf. */
  leaves: number[];
  /** From the bottom up. */
  levels: Internal[][];
  pages: number;
  root: number;
}

export function bulkLoad(
  pageSize: number,
  entries: () => Iterable<Entry>,
  write: (page: Uint8Array) => void,
): { keys: number; pages: number; height: number } {
  const plan = planPages(pageSize, entries());
  const page = new Uint8Array(pageSize);
  const view = new DataView(page.buffer);
  view.setUint32(ROOT_AT, plan.root);
  view.setUint32(HEIGHT_AT, plan.levels.length + 1);
  view.setUint32(KEYS_AT, plan.keys);
  view.setUint32(NEXT_FREE_AT, plan.pages);
  view.setUint32(FREE_HEAD_AT, NO_PAGE);
  write(page);
  writeLeaves(plan, entries(), page, view, write);
  for (const level of plan.levels) for (const one of level) writeInternal(one, page, view, write);
  return { keys: plan.keys, pages: plan.pages, height: plan.levels.length + 1 };
}

function planPages(pageSize: number, entries: Iterable<Entry>): Plan {
  const leaves: number[] = [];
  const firstKeys: Uint8Array[] = [];
  let count = 0;
  let used = HEADER_BYTES;
  let keys = 0;
  for (const entry of entries) {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = entry;
    const cell = LEAF_CELL_BYTES + keyEnd - keyStart + valueEnd - valueStart;
    if (HEADER_BYTES + cell > pageSize) throw tooLong(cell, pageSize);
    if (used + cell > pageSize) {
      leaves.push(count);
      count = 0;
      used = HEADER_BYTES;
    }
    if (count === 0) firstKeys.push(bytes.slice(keyStart, keyEnd));
    count++;
    keys++;
    used += cell;
  }
  // A tree without keys is one empty leaf.
  if (count > 0 || leaves.length === 0) leaves.push(count);
  const levels: Internal[][] = [];
  let below = leaves.map((_, i) => ({ page: 1 + i, key: firstKeys[i] ?? new Uint8Array(0) }));
  let next = 1 + leaves.length;
  while (below.length > 1) {
    const { level, heads } = planLevel(pageSize, below, next);
    levels.push(level);
    next += level.length;
    below = heads;
  }
  return { keys, leaves, levels, pages: next, root: below[0]!.page };
}

interface Head {
  page: number;
  /** The least key below. */
  key: Uint8Array;
}

function planLevel(pageSize: number, below: Head[], first: number) {
  const level: Internal[] = [];
  const heads: Head[] = [];
  let used = 0;
  for (const { page, key } of below) {
    const cell = INTERNAL_CELL_BYTES + key.length;
    const last = level.at(-1);
    if (last === undefined || used + cell > pageSize) {
      heads.push({ page: first + level.length, key });
      level.push({ children: [page], keys: [] });
      used = HEADER_BYTES;
    } else {
      last.children.push(page);
      last.keys.push(key);
      used += cell;
    }
  }
  lendChild(level, heads);
  return { level, heads };
}

/** An internal page without keys is a free page by its bytes: it gets one of its neighbour. */
function lendChild(level: Internal[], heads: Head[]): void {
  const last = level.at(-1)!;
  const before = level.at(-2);
  if (last.keys.length > 0 || before === undefined || before.keys.length < 2) return;
  last.keys.unshift(heads.at(-1)!.key);
  last.children.unshift(before.children.pop()!);
  heads.at(-1)!.key = before.keys.pop()!;
}

function writeLeaves(
  plan: Plan,
  entries: Iterable<Entry>,
  page: Uint8Array,
  view: DataView,
  write: (page: Uint8Array) => void,
): void {
  const stream = entries[Symbol.iterator]();
  for (let leaf = 0; leaf < plan.leaves.length; leaf++) {
    page.fill(0);
    page[0] = TYPE_LEAF;
    const count = plan.leaves[leaf]!;
    view.setUint16(COUNT_AT, count);
    view.setUint32(LINK_AT, leaf + 1 < plan.leaves.length ? leaf + 2 : NO_PAGE);
    let p = HEADER_BYTES;
    for (let i = 0; i < count; i++) {
      const { bytes, keyStart, keyEnd, valueStart, valueEnd } = stream.next().value as Entry;
      view.setUint16(p, keyEnd - keyStart);
      page.set(bytes.subarray(keyStart, keyEnd), p + 2);
      p += 2 + keyEnd - keyStart;
      view.setUint16(p, valueEnd - valueStart);
      page.set(bytes.subarray(valueStart, valueEnd), p + 2);
      p += 2 + valueEnd - valueStart;
    }
    write(page);
  }
}

function writeInternal(
  { children, keys }: Internal,
  page: Uint8Array,
  view: DataView,
  write: (page: Uint8Array) => void,
): void {
  page.fill(0);
  page[0] = TYPE_INTERNAL;
  view.setUint16(COUNT_AT, keys.length);
  view.setUint32(LINK_AT, children[0]!);
  let p = HEADER_BYTES;
  keys.forEach((key, i) => {
    view.setUint16(p, key.length);
    page.set(key, p + 2);
    view.setUint32(p + 2 + key.length, children[i + 1]!);
    p += INTERNAL_CELL_BYTES + key.length;
  });
  write(page);
}

function tooLong(cell: number, pageSize: number): DdiaError {
  return new DdiaError(
    'too-long',
    `key and value need ${cell} bytes of a page, it has ${pageSize - HEADER_BYTES} for them`,
    'a larger page size has room for them',
  );
}
