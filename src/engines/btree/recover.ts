/**
 * What is done to a file that nobody closed. The tree of the live meta page is whole: its pages
 * were durable before its meta page was written. But a transaction behind it may have begun to
 * write, into free pages and behind the end. And where a sync has failed, the meta page may be in
 * the cache of the system alone, where no later sync takes it to disk: it is written once more.
 */
import type { ReadMeta } from '../../formats/btree/v2/meta.ts';
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
    if (pager.isWhole(page)) continue;
    pager.blank(page);
    blanked++;
  }
  if (blanked > 0) {
    recovered.push(`${blanked} free pages that a commit had begun to write are blank now`);
  }
  if (!otherIsWhole) {
    recovered.push(`meta page ${other.page} is written anew: ${other.fault || 'it is older'}`);
  }
  pager.writeMeta(meta);
}
