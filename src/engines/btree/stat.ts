/** What a store tells of itself. */
import type { Pager } from './pager.ts';
import type { Tree } from './tree.ts';

export interface BtreeStat {
  keys: number;
  height: number;
  pageSize: number;
  /** Of the file, meta pages and free ones included. */
  pages: number;
  freePages: number;
  /** Pages that hold the free list. */
  listPages: number;
  bytes: number;
  transaction: number;
  /** Changed pages that are not committed yet. */
  dirtyBytes: number;
  cachedPages: number;
  pagesRead: number;
  pagesWritten: number;
  syncs: number;
  snapshots: number;
}

export function statOf(pager: Pager, tree: Tree, snapshots: number): BtreeStat {
  return {
    keys: tree.keys,
    height: tree.height,
    pageSize: pager.pageSize,
    pages: pager.high,
    freePages: pager.free.size,
    listPages: pager.free.listPages,
    bytes: pager.high * pager.pageSize,
    transaction: pager.meta.txn,
    dirtyBytes: pager.dirtyBytes,
    cachedPages: pager.cachedPages,
    pagesRead: pager.pagesRead,
    pagesWritten: pager.pagesWritten,
    syncs: pager.syncs,
    snapshots,
  };
}
