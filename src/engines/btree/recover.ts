/**
 * What is done to a file that nobody closed. The tree of the live meta page is whole: it was durable
 * before its meta page was written. But a transaction behind it may have begun to write, into free
 * pages and behind the end. And where a sync has failed, the last transaction may be in the cache of
 * the system alone, where no later sync takes it to disk: it is written once more.
 */
import { IN_OVERFLOW, INTERIOR, LEAF, LEAF_CELL_BYTES } from '../../formats/btree/v2/layout.ts';
import type { ReadMeta } from '../../formats/btree/v2/meta.ts';
import type { Frame } from './frame.ts';
import { chain } from './overflow.ts';
import type { Pager } from './pager.ts';

export function recover(
  pager: Pager,
  other: ReadMeta,
  otherIsWhole: boolean,
  free: readonly number[],
  recovered: string[],
): void {
  const { meta, file, pageSize } = pager;
  const end = meta.pages * pageSize;
  const size = file.size();
  if (size > end) {
    file.truncate(end);
    recovered.push(`${size - end} bytes behind the last page cut off: a commit that did not end`);
  }
  let blanked = 0;
  for (const page of free) {
    const txn = pager.transactionOf(page);
    if (txn === meta.txn) pager.rewrite(page);
    if (txn >= 0) continue;
    pager.blank(page);
    blanked++;
  }
  if (blanked > 0) {
    recovered.push(`${blanked} free pages that a commit had begun to write are blank now`);
  }
  if (!otherIsWhole) {
    recovered.push(`meta page ${other.page} is written anew: ${other.fault || 'it is older'}`);
  }
  if (meta.root !== 0) rewriteTree(pager, meta.root, meta.rootCrc);
  for (const page of pager.free.chain()) pager.rewrite(page);
  file.dataSync();
  pager.writeMeta(meta);
}

/** Only pages of the last transaction lead to pages of it. */
function rewriteTree(pager: Pager, page: number, crc: number): void {
  const frame = pager.get(page, crc);
  if (frame.txn !== pager.meta.txn) return;
  pager.rewrite(page);
  const { kind } = frame;
  if (kind === LEAF) for (let i = 0; i < frame.count; i++) rewriteValue(pager, frame, i);
  if (kind !== INTERIOR) return;
  for (let i = 0; i <= frame.count; i++) rewriteTree(pager, frame.child(i), frame.childCrc(i));
}

function rewriteValue(pager: Pager, leaf: Frame, slot: number): void {
  const { view } = leaf;
  const at = leaf.cell(slot);
  if (view.getUint16(at + 2, true) !== IN_OVERFLOW) return;
  const first = view.getUint32(at + LEAF_CELL_BYTES + view.getUint16(at, true) + 4, true);
  for (const frame of chain(pager, leaf, slot)) {
    // A value is written at once, and never changed.
    if (frame.page === first && frame.txn !== pager.meta.txn) return;
    pager.rewrite(frame.page);
  }
}
