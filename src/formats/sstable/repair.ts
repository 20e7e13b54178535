/**
 * repair of the family: by block. What is intact is kept, the entries of a damaged block are
 * dropped, and index, filter, properties and footer are written anew.
 */

import { Findings } from '../findings.ts';
import type {
  ByteSource,
  FileEntry,
  RepairOptions,
  RepairOutput,
  RepairPlan,
  ScanContext,
} from '../format.ts';
import { Ledger, type LedgerEntry } from '../ledger.ts';
import { type KeyBounds, LostKeys } from './lost-keys.ts';
import { findingOf, type TableDamage, type TableOpened } from './model.ts';
import { OrderChecker } from './order.ts';
import { rewriteTable } from './rewrite.ts';
import { openSeekable } from './seekable.ts';

const COPY_BYTES = 1024 * 1024;

export async function planTableRepair(
  input: TableOpened,
  _options: RepairOptions,
  context: ScanContext,
  boundsOf: (file: string) => KeyBounds | undefined = () => undefined,
): Promise<Omit<RepairPlan, 'inputs'>> {
  const { dialect, set, files } = input;
  const findings = new Findings(context.limits.findings);
  const ledger = new Ledger();
  const lost = new LostKeys(input, context);
  const rewrite: string[] = [];
  for (const file of files) {
    const before = findings.total;
    const source = await openSeekable(input, file, context.limits);
    try {
      lost.begin(file.name, boundsOf(file.name));
      await planFile(input, source, file, context, findings, ledger, lost);
    } finally {
      source.close?.();
    }
    if (findings.total > before) rewrite.push(file.name);
  }
  return {
    ddiaPlan: 1,
    path: set.path,
    family: 'sstable',
    dialect: dialect.id,
    ledger: ledger.spans,
    rewrite,
    findings: findings.kept,
    counts: findings.counts,
    consequences: await lost.told(),
  };
}

async function planFile(
  input: TableOpened,
  source: ByteSource,
  file: FileEntry,
  context: ScanContext,
  findings: Findings,
  ledger: Ledger,
  lost: LostKeys,
): Promise<void> {
  const spans: LedgerEntry[] = [];
  const told: TableDamage[] = [];
  const tell = (damage: TableDamage): void => {
    findings.add(findingOf(damage));
    if (damage.severity !== 'info') told.push(damage);
    if (!damage.lost || damage.length === 0) return;
    lost.damage(damage);
    const { offset, length, code, message, diagnosis, entriesAtMost } = damage;
    const most = Number.isFinite(entriesAtMost) ? entriesAtMost : undefined;
    spans.push({
      offset,
      length,
      fate: 'dropped',
      records: 0,
      code,
      reason: diagnosis ?? message,
      recordsAtMost: most,
    });
  };
  const order = new OrderChecker(tell);
  await input.dialect.scan(
    source,
    { ...context, depth: 'full' },
    {
      block(block) {
        const { offset, length, count } = block;
        spans.push({ offset, length, fate: 'kept', records: count });
        if (block.rangeDeletions) return;
        order.block(block);
        lost.block(block);
      },
      damage: tell,
      frame(name, offset, length, code) {
        if (!code) spans.push({ offset, length, fate: 'kept', records: 0 });
        else {
          const reason = `${name} is written anew from the entries`;
          spans.push({ offset, length, fate: 'salvaged', records: 0, code, reason });
        }
      },
    },
  );
  lost.end();
  ledger.begin(file.name, source.size ?? 0);
  spans.sort((a, b) => a.offset - b.offset);
  for (const span of spans) if (span.length > 0) ledger.add(clipped(span, ledger.reached));
  ledger.close();
}

/** Entries may share the bytes of one block: they are accounted for once. */
function clipped(span: LedgerEntry, reached: number): LedgerEntry {
  if (span.offset >= reached) return span;
  const end = Math.max(reached, span.offset + span.length);
  return { ...span, offset: reached, length: end - reached };
}

export async function applyTableRepair(
  input: TableOpened,
  plan: RepairPlan,
  context: ScanContext,
  output: RepairOutput,
): Promise<void> {
  const anew = new Set(plan.rewrite);
  for (const file of input.files) {
    const source = await openSeekable(input, file, context.limits);
    const target = output.create(file.name);
    try {
      if (!anew.has(file.name)) await copy(source, context, target);
      else {
        const sized = { write: (b: Uint8Array, s: number, e: number) => target.write(b, s, e) };
        await rewriteTable(input.dialect, source, context, sized);
      }
    } finally {
      source.close?.();
    }
    target.finish();
  }
}

async function copy(
  source: ByteSource,
  context: ScanContext,
  target: { write(bytes: Uint8Array, start: number, end: number): void },
): Promise<void> {
  const buffer = new Uint8Array(COPY_BYTES);
  const size = source.size ?? 0;
  for (let done = 0; done < size; ) {
    context.signal?.throwIfAborted();
    const got = await source.read(buffer, 0, Math.min(COPY_BYTES, size - done), done);
    if (got <= 0) throw new Error(`${source.name} ended at ${done} while it was copied`);
    target.write(buffer, 0, got);
    done += got;
  }
}
