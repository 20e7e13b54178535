/** The ledger of a log's repair, out of its scan, and which segments cannot be mended in place. */
import { Bookkeeper } from '../bookkeeper.ts';
import type { RepairOptions } from '../format.ts';
import type { WalDamage, WalOpened, WalRecord } from './model.ts';

export class LogBookkeeper extends Bookkeeper {
  constructor(
    readonly input: WalOpened,
    options: RepairOptions,
  ) {
    super(options);
  }

  /** Files to be written anew; of a log whose segments continue each other, all or none. */
  rewrite(): string[] {
    const { rewrite } = this.input.dialect;
    if (!rewrite || this.spoilt.size === 0) return [];
    const names = this.input.files.map(({ name }) => name);
    return rewrite.chained ? names : names.filter((name) => this.spoilt.has(name));
  }

  record(record: WalRecord): void {
    if (record.index > 0) return;
    const seq = this.input.dialect.hasSeq && record.numbered ? record.seqText : undefined;
    this.kept(record.offset, record.length, record.salvaged, seq);
  }

  damage(damage: WalDamage): void {
    // A place between two files, not in one.
    if (!damage.lost && damage.code === 'segment-gap') return;
    // What is cut off the end of the last segment leaves the rest as it is.
    const isLast = damage.file === this.input.files.at(-1)?.name;
    this.damaged(damage, damage.code !== 'torn-tail' || !isLast);
  }
}
