/**
 * All entries of a column family, merged: of one key a newer entry must not lie in a lower level
 * than an older one, or a reader stops at the older. And none has a number beyond the last.
 */
import { turn } from '../../shared/turns.ts';
import type { Finding, ScanContext } from '../format.ts';
import { keyText } from '../key-text.ts';
import { compareBytes } from '../sstable/entry-block.ts';
import { EntryCopy } from '../sstable/entry-copy.ts';
import { orderIfKnown } from './check-levels.ts';
import type { ColumnFamily, Database } from './model.ts';
import type { EntryCursor } from './table-cursor.ts';
import { walkFamily } from './walk.ts';

const BREATH_MASK = 0xffff;

export async function checkSequence(
  database: Database,
  family: ColumnFamily,
  context: ScanContext,
  tell: (finding: Finding) => void,
): Promise<void> {
  // Tables that were found, not named, may hold anything in any order.
  if (database.guessed || typeof orderIfKnown(family) === 'string') return;
  const walk = { range: {}, reverse: false, context, tell };
  const { merge } = await walkFamily(database, family, walk);
  const check = new SequenceCheck(database, tell);
  try {
    for (let n = 1; ; n++) {
      const cursor = merge.ready() ?? (await merge.next());
      if (!cursor) break;
      check.entry(cursor);
      if ((n & BREATH_MASK) !== 0) continue;
      await turn(context);
    }
  } finally {
    merge.close();
  }
}

class SequenceCheck {
  readonly #last = new EntryCopy();
  #level = 0;
  #lastFile = '';
  #any = false;
  readonly #maxHigh: number;
  readonly #maxLow: number;

  constructor(
    readonly database: Database,
    readonly tell: (finding: Finding) => void,
  ) {
    const most = database.version.lastSequence;
    this.#maxHigh = most === undefined ? 0xffff_ffff : Number(most >> 32n);
    this.#maxLow = most === undefined ? 0xffff_ffff : Number(most & 0xffff_ffffn);
  }

  entry({ block, index, level }: EntryCursor): void {
    const last = this.#last.block;
    const { keyBytes, keyStart, keyEnd } = block;
    const again =
      this.#any &&
      compareBytes(
        keyBytes,
        keyStart[index]!,
        keyEnd[index]!,
        last.keyBytes,
        0,
        last.keyEnd[0]!,
      ) === 0;
    const high = block.seqHigh[index]!;
    const low = block.seqLow[index]!;
    // A log that was flushed holds what a table has too.
    const same = again && high === last.seqHigh[0] && low === last.seqLow[0];
    if (again && !same && level < this.#level) {
      this.#tell(
        'stale-above',
        block,
        `the entry of ${keyText(block.key(index))} with seq ${high * 2 ** 32 + low} lies in ` +
          `level ${level}, a newer one in level ${this.#level}, in ${this.#lastFile}: ` +
          'a reader stops at the older',
      );
    }
    // What the logs hold is newer than the MANIFEST.
    if (level >= 0 && (high > this.#maxHigh || (high === this.#maxHigh && low > this.#maxLow))) {
      const most = this.#maxHigh * 2 ** 32 + this.#maxLow;
      const message = `an entry has seq ${high * 2 ** 32 + low}, the MANIFEST's last one is ${most}`;
      this.#tell('sequence-mismatch', block, message);
    }
    this.#last.takeKey(block, index);
    this.#any = true;
    this.#level = level;
    this.#lastFile = block.file;
  }

  #tell(code: string, block: EntryCursor['block'], message: string): void {
    const { file, offset, length } = block;
    this.tell({ code, severity: 'error', file, offset, length, message });
  }
}
