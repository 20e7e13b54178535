/**
 * Reads the B+tree's redo log: page images, checked by their checksums, with page numbers that are
 * checked against all that is known of the tree. The layout is drawn in layout.ts.
 */
import { CRC_INITIAL, crc32 } from '../../../shared/crc32.ts';
import { Window } from '../../bytes/window.ts';
import type { ByteSource } from '../../format.ts';
import { type WalDamage, WalRecord, type WalScanContext, type WalVisitor } from '../model.ts';
import {
  badPage,
  cutEntry,
  describe,
  explainMismatch,
  type Head,
  lengthHit,
  lostSpan,
  mismatch,
  oddLength,
} from './damage.ts';
import {
  CRC_BYTES,
  DATA_LENGTH_AT,
  IMAGE_AT,
  isPageSize,
  OVERHEAD_BYTES,
  PAGE_AT,
  PAGE_BYTES_MAX,
  PAGE_BYTES_MIN,
  SEQ_AT,
  TREE_NAME,
} from './layout.ts';
import { type Doubt, type Guess, PageCheck } from './page-check.ts';
import { EntryChecker } from './search.ts';
import { TreeFile } from './tree-file.ts';

export async function scanBtreeV1(
  source: ByteSource,
  context: WalScanContext,
  visitor: WalVisitor,
): Promise<void> {
  const tree = new TreeFile(context);
  try {
    await new RedoScan(source, context, visitor, tree).run();
  } finally {
    tree.close();
  }
}

class RedoScan {
  readonly #window: Window;
  readonly #checker: EntryChecker;
  readonly #pages: PageCheck;
  readonly #record = new WalRecord();
  /** Printed with each record; one object for all. */
  readonly #extra: Record<string, unknown> = { page: 0 };
  /** Of the intact entries; 0 until there was one. */
  #pageSize = 0;
  #stopped = false;
  /** How many more times the cause of damage is looked for. */
  #diagnoses: number;

  constructor(
    readonly source: ByteSource,
    readonly context: WalScanContext,
    readonly visitor: WalVisitor,
    readonly tree: TreeFile,
  ) {
    this.#window = new Window(source, context);
    this.#checker = new EntryChecker(this.#window, context.limits.recordBytes);
    this.#pages = new PageCheck(tree, (pageSize) =>
      Math.ceil((source.size ?? Number.POSITIVE_INFINITY) / (OVERHEAD_BYTES + pageSize)),
    );
    const record = this.#record;
    record.file = source.name;
    record.op = 'page';
    record.extra = this.#extra;
    record.sequenced = true;
    this.#diagnoses = context.limits.findings;
  }

  async run(): Promise<void> {
    const window = this.#window;
    let at = 0;
    while (!this.#stopped) {
      const needed = OVERHEAD_BYTES + (this.#pageSize || PAGE_BYTES_MIN);
      if (window.end < at + needed && !window.atEnd) await window.fill(at, needed);
      if (window.atEnd && at === window.end) return;
      const size = this.#intactSize(at);
      if (size > 0) {
        if (!this.#visitPlain(at, size)) await this.#visit(at, size);
        at += OVERHEAD_BYTES + size;
      } else at = await this.#examine(at);
    }
  }

  /** The page size of the entry at `at` if it is intact and in the window; else 0. */
  #intactSize(at: number): number {
    const { bytes, view, base, count } = this.#window;
    const p = at - base;
    if (p + OVERHEAD_BYTES > count) return 0;
    const size = view.getUint32(p + DATA_LENGTH_AT);
    const crcAt = p + IMAGE_AT + size;
    if (!isPageSize(size) || crcAt + CRC_BYTES > count) return 0;
    const register = crc32.update(CRC_INITIAL, bytes, view, p + IMAGE_AT, crcAt);
    return ~register === view.getInt32(crcAt) ? size : 0;
  }

  /**
   * Decides about an entry that is not simply intact: it reaches beyond the window, its data_length
   * alone is hit, it is damaged but keeps its frame, or a stretch must be searched through. Returns
   * where reading goes on.
   */
  async #examine(at: number): Promise<number> {
    const window = this.#window;
    const checker = this.#checker;
    const result = await checker.check(at);
    if (result === 'intact') {
      await this.#visit(at, checker.dataLength);
      return at + checker.total;
    }
    const head = describe(checker, this.source.name, at, result);

    // 1. With another page size in place of data_length the checksum holds.
    const size = head.whole ? await checker.sizeThatHolds(at, this.#pageSize) : undefined;
    if (size !== undefined) {
      await this.#visit(at, size, lengthHit(head, size));
      return at + OVERHEAD_BYTES + size;
    }
    if (result === 'odd') {
      await this.#visit(at, head.dataLength, oddLength(head, this.#pageSize));
      return at + OVERHEAD_BYTES + head.dataLength;
    }
    // 2. The image or its checksum is hit, and what stands behind them bears the frame out.
    if (result === 'crc-mismatch' && isPageSize(head.dataLength)) {
      const end = at + OVERHEAD_BYTES + head.dataLength;
      const what = await this.#whatFollows(at, end, head);
      if (what !== undefined) {
        this.#damage(await this.#diagnosed(head, mismatch(head, what === 'end')));
        return end;
      }
    }
    // 3. Nothing bears anything out: search.
    checker.zerosOnly = true;
    const found = await checker.find(at);
    const likely = this.#pageSize || PAGE_BYTES_MIN;
    if (found !== undefined) this.#damage(lostSpan(head, found, likely));
    else this.#damage(cutEntry(head, window.end, checker.zerosOnly, likely));
    return found ?? window.end;
  }

  /**
   * Yields an entry that is as those before, and of which nothing is in doubt; false if there is
   * more to it.
   */
  #visitPlain(at: number, size: number): boolean {
    if (size !== this.#pageSize) return false;
    const page = this.#pageOf(at);
    const loaded = this.tree.load(page, size);
    if (typeof loaded !== 'boolean' || this.#doubt(at, size, page, loaded)) return false;
    this.#yield(at, size, page, false);
    if (this.visitor.done?.()) this.#stopped = true;
    return true;
  }

  /** Yields an entry, and what is wrong with it all the same. */
  async #visit(at: number, size: number, remark?: WalDamage): Promise<void> {
    const page = this.#pageOf(at);
    const before = this.#pageSize;
    let doubt: Doubt | undefined;
    let guess: Guess | undefined;
    if (isPageSize(size)) {
      if (before === 0) await this.#pages.begin(size);
      doubt = this.#doubt(at, size, page, await this.tree.load(page, size));
      guess = doubt && (await this.#pages.guess(page, size, doubt.strength));
      this.#pageSize = size;
    }
    const wrong = doubt !== undefined && (guess !== undefined || doubt.strength === 'proven');
    // Marked, so that nobody applies it before its damage is told.
    this.#yield(at, size, page, wrong || remark?.mend !== undefined);
    const entry = { file: this.source.name, offset: at, page, dataLength: size };
    if (remark) this.#damage(remark);
    else if (before > 0 && size !== before) this.#damage(oddLength(entry, before));
    if (doubt && wrong) this.#damage(badPage(entry, doubt, guess));
    if (this.visitor.done?.()) this.#stopped = true;
  }

  #yield(at: number, size: number, page: number, salvaged: boolean): void {
    const { bytes, view, base } = this.#window;
    const record = this.#record;
    const p = at - base;
    record.bytes = bytes;
    record.offset = at;
    record.length = OVERHEAD_BYTES + size;
    record.seqLow = view.getUint32(p + SEQ_AT);
    record.valueStart = p + IMAGE_AT;
    record.valueEnd = p + IMAGE_AT + size;
    record.salvaged = salvaged;
    this.#extra['page'] = page;
    this.visitor.record(record);
  }

  #pageOf(at: number): number {
    return this.#window.view.getUint32(at - this.#window.base + PAGE_AT);
  }

  /** `loaded`: the tree's page of that number is. */
  #doubt(at: number, size: number, page: number, loaded: boolean): Doubt | undefined {
    const { bytes, view, base } = this.#window;
    return this.#pages.doubt(bytes, view, at - base + IMAGE_AT, size, page, loaded);
  }

  /**
   * `entry`: an entry begins at `end`, intact but for its data_length perhaps, or with a header
   * that continues the damaged one's; `end`: the file ends there; undefined: neither.
   */
  async #whatFollows(at: number, end: number, head: Head): Promise<'entry' | 'end' | undefined> {
    const window = this.#window;
    const checker = this.#checker;
    const result = await checker.check(end, at, PAGE_BYTES_MAX);
    if (window.atEnd && window.end === end) return 'end';
    if (result === 'intact' || result === 'odd') return 'entry';
    if (window.end < end + OVERHEAD_BYTES) return undefined;
    if (checker.seq === head.seq + 1 && checker.dataLength === head.dataLength) return 'entry';
    const size = await checker.sizeThatHolds(end, this.#pageSize, at);
    return size === undefined ? undefined : 'entry';
  }

  /**
   * Looks for the one explanation, for as many findings as are shown: each costs a pass over the
   * image.
   */
  async #diagnosed(head: Head, damage: WalDamage): Promise<WalDamage> {
    if (this.#diagnoses-- <= 0) return damage;
    const { bytes, base } = this.#window;
    const found = explainMismatch(head, (offset) => bytes[offset - base]!);
    if (found) return { ...damage, ...found };
    const { page, dataLength } = head;
    if (!(await this.tree.load(page, dataLength))) return damage;
    if (crc32.of(this.tree.bytes, 0, dataLength) !== head.stored) return damage;
    const diagnosis =
      `page ${page} of ${TREE_NAME} holds the image with the stored checksum: ` +
      'it was applied before it was hit';
    return { ...damage, diagnosis };
  }

  #damage(damage: WalDamage): void {
    this.visitor.damage(damage);
    if (this.visitor.done?.()) this.#stopped = true;
  }
}
