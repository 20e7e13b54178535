/** bitcask merge without --out: a store of ours, by its own engine, under its lock. */
import type { MergeReport } from '../engines/bitcask/merge.ts';
import { count } from '../ui/count.ts';
import type { DdiaCommand } from './base-command.ts';
import { withStore } from './bitcask-engine.ts';

export type StoreMergeReport = MergeReport & { dir: string };

export async function mergeInPlace(
  command: DdiaCommand,
  dir: string,
  which: 'all' | 'worth',
  fileBytes: number | undefined,
): Promise<StoreMergeReport> {
  const options = { create: false, ...(fileBytes !== undefined && { fileBytes }) };
  return withStore(command, dir, options, async (store) => {
    command.signal.addEventListener('abort', () => void store.close().catch(() => {}), {
      once: true,
    });
    return { dir, ...(await store.merge(which)) };
  });
}

export function storeMergeText(report: StoreMergeReport): string {
  const { dir, inputs, outputs, kept, replaced, expired, deletionsDropped, deletionsKept } = report;
  if (inputs.length === 0) return `${dir}: nothing to merge`;
  const still = deletionsKept > 0 ? ` (${count(deletionsKept, 'deletion')} among them)` : '';
  const left = [`${replaced} superseded`, `${count(deletionsDropped, 'deletion')}`];
  if (expired > 0) left.push(`${expired} expired`);
  return [
    `${dir}: ${count(inputs.length, 'data file')} merged into ${outputs.length}, ` +
      `${count(kept, 'record')}${still} kept`,
    `  ${report.bytesRead} bytes read, ${report.bytesWritten} written, ` +
      `${report.bytesReclaimed} reclaimed; left out: ${left.join(', ')}`,
  ].join('\n');
}
