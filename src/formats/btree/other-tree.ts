/**
 * The tree of the other meta page, of files that have two: where the live one is damaged, a leaf
 * that only the other leads to, and that counts as free by now, may hold rows that are nowhere
 * else. Where a row is in the live tree too, the live one's is newer.
 */
import { crc32 } from '../../shared/crc32.ts';
import type { Check } from './check.ts';
import { type BtreeFile, type BtreeRow, KIND, type RowVisitor, type Steps } from './model.ts';

export interface OtherTree {
  /** Of an earlier transaction; else its meta page is damaged, and may have been the later one. */
  readonly older: boolean;
  rows(visitor: RowVisitor): Steps;
}

/** Rows are told apart by their keys up to so many; those beyond are all kept. */
const ROWS_MAX = 1_000_000;

/** Whether a leaf on this page was left to be used again: all others are read already. */
export function isLeftOver(check: Check, page: number): boolean {
  return [KIND.free, KIND.freelist, KIND.unused].some((kind) => kind === check.kindOf(page));
}

/**
 * Of a meta page that nothing is left of: any leaf that the live tree has left over may be of its
 * tree, which may be the later one.
 */
export function leftOverTree(file: BtreeFile, check: Check): OtherTree {
  function* rows(visitor: RowVisitor): Steps {
    for (let page = 2; page < file.pageCount; page++) {
      if (isLeftOver(check, page)) file.loose(page, visitor);
      if (page % 1024 === 0) yield page;
    }
  }
  return { older: false, rows };
}

export class OtherRows {
  readonly #keys = new Set<string>();
  /** Those that were met in the live tree, or in a leaf that it has lost. */
  readonly #met = new Set<string>();
  conflicts = 0;

  constructor(
    readonly tree: OtherTree,
    readonly check: Check,
  ) {}

  /** Before any other row is read: which ones there are. */
  collect(): Steps {
    return this.#walk((row) => {
      if (this.#keys.size >= ROWS_MAX) return;
      this.#keys.add(this.#inTree(row));
      this.#keys.add(exactly('', row));
    });
  }

  /** A row of the live tree, or of a leaf that nobody leads to: then it has none. */
  meet(row: BtreeRow, loose: boolean): void {
    if (this.#keys.size === 0) return;
    this.#note(exactly('', row));
    if (!loose) this.#note(this.#inTree(row));
  }

  #note(key: string): void {
    if (this.#keys.has(key)) this.#met.add(key);
  }

  /** Those that were not met. */
  left(tell: (row: BtreeRow) => void): Steps {
    return this.#walk((row) => {
      const known = this.#met.has(this.#inTree(row)) || this.#met.has(exactly('', row));
      if (known) this.conflicts++;
      else tell(row);
    });
  }

  *#walk(tell: (row: BtreeRow) => void): Steps {
    yield* this.tree.rows({
      parts: true,
      row: (row) => {
        if (isLeftOver(this.check, row.page)) tell(row);
      },
      finding() {},
      done: () => false,
    });
  }

  #inTree(row: BtreeRow): string {
    const tree = `${row.tree}\0`;
    // A value that lies elsewhere than its key may be one of several that the key has.
    const single = row.bytes === row.valueBytes;
    return this.tree.older && single ? `${tree}${keyOf(row)}` : exactly(tree, row);
  }
}

function keyOf({ bytes, keyStart, keyEnd }: BtreeRow): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + keyStart, keyEnd - keyStart).toString(
    'latin1',
  );
}

/** With its value: the same row, and not only the same key. */
function exactly(tree: string, row: BtreeRow): string {
  const { valueBytes, valueStart, valueEnd } = row;
  const sum = crc32.of(valueBytes, valueStart, valueEnd);
  return `${tree}${keyOf(row)}\0=${valueEnd - valueStart}:${sum}`;
}
