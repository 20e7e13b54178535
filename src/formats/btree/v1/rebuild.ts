/** The plan of a tree that is built anew: what becomes of each byte of the old one. */
import type { Finding, RepairPlan } from '../../format.ts';
import { Ledger } from '../../ledger.ts';
import type { BtreeContext } from '../model.ts';
import { run } from '../steps.ts';
import type { V1File } from './file.ts';
import { META_BYTES } from './layout.ts';
import { V1Page } from './page.ts';
import { Salvage } from './salvage.ts';

/** Choices between values that are told one by one. */
const CHOICES_MAX = 100;

export type RebuildBody = Pick<RepairPlan, 'ledger' | 'rewrite' | 'consequences'> & {
  /** Keys of the result. */
  keys: number;
};

export async function planRebuild(
  file: V1File,
  context: BtreeContext,
  broken: readonly Finding[],
): Promise<RebuildBody> {
  const salvage = new Salvage(file);
  await run(salvage.collect(), context, file);
  const causes = new Map<number, Finding>();
  for (const finding of broken) {
    if (finding.page !== undefined && !causes.has(finding.page)) causes.set(finding.page, finding);
  }
  const ledger = ledgerOfRebuild(file, salvage, causes);
  const choices = salvage.choices();
  const consequences = [
    `the tree is built anew: ${salvage.liveKeys} keys from the live tree, ${salvage.orphanKeys} from orphan leaves, ${choices.length} conflicts`,
    ...choices.slice(0, CHOICES_MAX),
  ];
  if (choices.length > CHOICES_MAX) {
    consequences.push(`… and ${choices.length - CHOICES_MAX} more conflicts, see the ledger`);
  }
  const unread = ledger.filter(({ fate, code }) => fate === 'dropped' && code !== 'key-conflict');
  if (unread.length > 0) {
    consequences.push(
      `keys that lay in pages that cannot be read are lost, ${unread.length} stretches of bytes`,
    );
  }
  if (salvage.orphanKeys > 0) {
    consequences.push('keys of orphan leaves may be ones that were deleted, or older values');
  }
  const keys = salvage.liveKeys + salvage.orphanKeys;
  return { ledger, rewrite: [file.name], consequences, keys };
}

function ledgerOfRebuild(
  file: V1File,
  salvage: Salvage,
  causes: ReadonlyMap<number, Finding>,
): RebuildBody['ledger'] {
  const ledger = new Ledger();
  const { pageSize, pages } = file;
  const lost = new Map<number, Map<number, { same: boolean }>>();
  for (const { page, slot, same } of salvage.losers) {
    const slots = lost.get(page) ?? new Map();
    lost.set(page, slots.set(slot, { same }));
  }
  const leaf = new V1Page();
  const live = new Set(salvage.stream);
  ledger.begin(file.name, file.size);
  for (let page = 0; page < Math.floor(file.size / pageSize); page++) {
    const offset = page * pageSize;
    const used = live.has(page) || salvage.disordered.has(page) || salvage.orphans.has(page);
    if (used && pages.load(page)) {
      leaf.parse(pages.bytes, pages.view, pages.start, pageSize, true);
      addLeaf(ledger, leaf, offset, pageSize, lost.get(page), salvage.orphans.has(page));
      continue;
    }
    const cause = causes.get(page);
    const loaded = pages.load(page);
    const empty = !loaded || isBlank(pages.bytes, pages.start, pageSize);
    const structure = page === 0 || empty || structural(pages.bytes[pages.start]!, cause);
    const reason = cause?.message ?? 'part of the old structure, which is built anew';
    const fate = structure ? 'salvaged' : 'dropped';
    ledger.add({
      offset,
      length: pageSize,
      fate,
      records: 0,
      code: cause?.code ?? 'meta-bad',
      reason,
      ...(fate === 'dropped' && { recordsAtMost: Math.floor((pageSize - META_BYTES) / 4) }),
    });
  }
  const end = Math.floor(file.size / pageSize) * pageSize;
  if (end < file.size) {
    const reason = 'less than a page';
    const length = file.size - end;
    ledger.add({ offset: end, length, fate: 'dropped', records: 0, code: 'file-tail', reason });
  }
  ledger.close();
  return ledger.spans;
}

/** Separators and links alone, with no damage of its own: nothing of it is lost. */
function structural(type: number, cause: Finding | undefined): boolean {
  return type === 0 && cause === undefined;
}

function isBlank(bytes: Uint8Array, start: number, size: number): boolean {
  for (let at = start; at < start + size; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** A leaf whose keys are taken over, but those that another page's value won over. */
function addLeaf(
  ledger: Ledger,
  leaf: V1Page,
  offset: number,
  pageSize: number,
  lost: ReadonlyMap<number, { same: boolean }> | undefined,
  orphan: boolean,
): void {
  const reason = orphan ? 'a leaf that no page leads to any more' : 'taken over into the new tree';
  const code = orphan ? 'page-leaked' : 'meta-bad';
  const keep = (from: number, to: number, records: number) => {
    if (to > from) {
      const span = { offset: offset + from, length: to - from, records };
      ledger.add({ ...span, fate: 'salvaged', code, reason });
    }
  };
  let from = 0;
  let records = 0;
  for (let slot = 0; slot < leaf.cells; slot++) {
    const loser = lost?.get(slot);
    if (!loser || loser.same) {
      // The same key and value in two pages are one record.
      if (!loser) records++;
      continue;
    }
    const at = leaf.keyStart[slot]! - 2 - leaf.start;
    const end = leaf.fourth[slot]! - leaf.start;
    keep(from, at, records);
    ledger.add({
      offset: offset + at,
      length: end - at,
      fate: 'dropped',
      records: 1,
      code: 'key-conflict',
      reason: 'another page has the key with another value, which is kept',
    });
    from = end;
    records = 0;
  }
  // What cannot be read of an overfull page is set aside.
  if (leaf.cells < leaf.count) {
    keep(from, leaf.used, records);
    ledger.add({
      offset: offset + leaf.used,
      length: pageSize - leaf.used,
      fate: 'dropped',
      records: 0,
      recordsAtMost: leaf.count - leaf.cells,
      code: 'page-overflow',
      reason: `cells from ${leaf.cells} on lead out of the page`,
    });
  } else keep(from, pageSize, records);
}
