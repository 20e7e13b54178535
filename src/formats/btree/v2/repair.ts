/**
 * Repair of our own B+tree: a new file from every leaf that can be read (salvage.ts). Nothing is
 * mended in its place, since every pointer holds a checksum. Pages that cannot be read go to
 * quarantine whole.
 */
import { Findings } from '../../findings.ts';
import type { Finding, RepairOutput, RepairPlan } from '../../format.ts';
import { Ledger } from '../../ledger.ts';
import { Check } from '../check.ts';
import { type BtreeContext, KIND } from '../model.ts';
import { run } from '../steps.ts';
import { buildFile } from './build.ts';
import type { V2File } from './file.ts';
import { HEADER_BYTES, LEAF_CELL_BYTES, META_PAGES, SLOT_BYTES } from './layout.ts';
import { V2Page } from './page.ts';
import { V2Salvage } from './salvage.ts';

const COPY_BYTES = 64 * 1024;

export type V2PlanBody = Pick<
  RepairPlan,
  'ledger' | 'rewrite' | 'consequences' | 'findings' | 'counts'
>;

export async function planV2(file: V2File, context: BtreeContext): Promise<V2PlanBody> {
  const findings = new Findings(context.limits.findings);
  const causes = new Map<number, Finding>();
  let wrong = false;
  const check = new Check(file, file.pageCount, (finding) => {
    findings.add(finding);
    if (finding.severity === 'info') return;
    wrong = true;
    const { page } = finding;
    if (page !== undefined && !causes.has(page)) causes.set(page, finding);
  });
  await run(file.check(check, {}), context, file);
  const { kept, counts } = findings;
  if (!wrong) {
    const ledger = new Ledger();
    ledger.begin(file.name, file.size);
    const records = file.live.keys;
    ledger.add({ offset: 0, length: file.size, fate: 'kept', records });
    ledger.close();
    return { ledger: ledger.spans, rewrite: [], consequences: [], findings: kept, counts };
  }
  const salvage = new V2Salvage(file);
  await run(salvage.collect(), context, file);
  const ledger = ledgerOf(file, salvage, causes);
  const consequences = consequencesOf(salvage);
  return { ledger, rewrite: [file.name], consequences, findings: kept, counts };
}

function consequencesOf(salvage: V2Salvage): string[] {
  const { liveKeys, orphanKeys, olderKeys, superseded, choices, conflicts, lost, root, newer } =
    salvage;
  const told = [
    `the tree is built anew: ${liveKeys} keys from the live tree, ${orphanKeys} from orphan leaves, ${olderKeys} from older copies in free pages, ${conflicts} conflicts`,
    ...choices,
  ];
  if (conflicts > choices.length) told.push(`… and ${conflicts - choices.length} more of these`);
  if (superseded > 0) {
    told.push(`${superseded} keys of older copies in free pages gave way to what is later`);
  }
  if (newer !== undefined) {
    told.push(
      `the live meta page is older than pages of the file: the tree is that of transaction ${newer}`,
    );
  }
  if (root !== undefined) {
    told.push(
      `no meta page can be used: the tree is the one below page ${root}, the latest that there is`,
    );
  }
  if (lost.length > 0) {
    told.push(
      `${lost.length} ranges of keys could not be read in the tree; what no other leaf has of them is lost, and a key of an older copy may be one that was deleted`,
    );
  }
  return told;
}

function ledgerOf(
  file: V2File,
  salvage: V2Salvage,
  causes: ReadonlyMap<number, Finding>,
): RepairPlan['ledger'] {
  const { pageSize } = file;
  const ledger = new Ledger();
  ledger.begin(file.name, file.size);
  const end = Math.floor(file.size / pageSize);
  const hasDropped = (page: number) => salvage.losers.has(page) || salvage.lostSlots.has(page);
  for (let page = 0; page < end; page++) {
    const offset = page * pageSize;
    const kind = salvage.check.kindOf(page);
    const cause = causes.get(page);
    const records = salvage.taken.get(page) ?? (hasDropped(page) ? 0 : undefined);
    if (records !== undefined) {
      addLeaf(ledger, file, page, records, salvage);
      continue;
    }
    const unread = page >= META_PAGES && !(file.load(page) && file.isWhole);
    const free = kind === KIND.free || kind === KIND.unused;
    const code = cause?.code ?? 'meta-bad';
    const said = { offset, length: pageSize, records: 0, code };
    if (unread && !free) {
      const recordsAtMost = Math.floor((pageSize - HEADER_BYTES) / (LEAF_CELL_BYTES + SLOT_BYTES));
      const reason = cause?.message ?? 'a page that cannot be read, and that nobody leads to';
      ledger.add({ ...said, fate: 'dropped', reason, recordsAtMost });
    } else {
      const reason = cause?.message ?? 'part of the old structure, which is built anew';
      ledger.add({ ...said, fate: 'salvaged', reason });
    }
  }
  if (end * pageSize < file.size) {
    const length = file.size - end * pageSize;
    const said = { offset: end * pageSize, length, records: 0, code: 'file-tail' };
    ledger.add({ ...said, fate: 'dropped', reason: 'less than a page' });
  }
  ledger.close();
  return ledger.spans;
}

/** A leaf whose keys are taken over, but those whose value is lost. */
function addLeaf(
  ledger: Ledger,
  file: V2File,
  page: number,
  records: number,
  salvage: V2Salvage,
): void {
  const { pageSize } = file;
  const offset = page * pageSize;
  const losers = salvage.losers.get(page);
  const orphan = salvage.orphans.has(page) || losers !== undefined || records === 0;
  const reason = orphan
    ? 'a leaf that the tree no longer leads to'
    : 'taken over into the new tree';
  const code = orphan ? 'page-leaked' : 'meta-bad';
  let uncounted = records;
  const keep = (from: number, to: number) => {
    const span = { offset: offset + from, length: to - from, records: uncounted };
    if (to <= from) return;
    ledger.add({ ...span, fate: 'salvaged', code, reason });
    uncounted = 0;
  };
  const lost = new Set([...(salvage.lostSlots.get(page) ?? []), ...(losers?.keys() ?? [])]);
  let from = 0;
  for (const { slot, at, end } of cellsOf(file, page, lost)) {
    keep(from, at);
    const loser = losers?.get(slot);
    const said = {
      code: loser === undefined ? 'overflow-broken' : 'key-conflict',
      reason: loser ?? 'the value of this key cannot be read',
    };
    const span = { offset: offset + at, length: end - at, records: 1 };
    ledger.add({ ...span, ...said, fate: 'dropped' });
    from = end;
  }
  keep(from, pageSize);
}

/** Where cells lie within their page, in ascending order. */
function cellsOf(
  file: V2File,
  page: number,
  slots: ReadonlySet<number>,
): { slot: number; at: number; end: number }[] {
  if (slots.size === 0 || !file.load(page)) return [];
  const { bytes, view, start, pageSize } = file.pages;
  const leaf = new V2Page();
  leaf.parse(bytes, view, start, pageSize);
  return [...slots]
    .map((slot) => ({ slot, at: leaf.at[slot]! - start, end: leaf.end[slot]! - start }))
    .sort((a, b) => a.at - b.at);
}

export async function applyV2(
  file: V2File,
  plan: RepairPlan,
  context: BtreeContext,
  output: RepairOutput,
): Promise<void> {
  const target = output.create(file.name);
  if (plan.rewrite.includes(file.name)) {
    const salvage = new V2Salvage(file);
    await run(salvage.collect(), context, file);
    const { pageSize, storeId, fault } = file.live;
    // What a meta page that is not valid says may be anything.
    const txn = fault === '' ? file.live.txn : 1;
    const write = (page: Uint8Array) => target.write(page, 0, page.length);
    buildFile({ pageSize, storeId, txn: txn + 2 }, () => salvage.entries(), write);
  } else {
    const buffer = new Uint8Array(COPY_BYTES);
    for (let at = 0; at < file.size; at += COPY_BYTES) {
      const length = Math.min(COPY_BYTES, file.size - at);
      await file.source.read(buffer, 0, length, at);
      target.write(buffer, 0, length);
    }
  }
  target.finish();
}
