/**
 * Repair of a textbook B+tree. As long as the tree itself is whole, fields are mended: free list,
 * leaf chain, counts, a page's type. Where it is not, or leaves of it lie outside, a new tree is
 * built from every leaf that can be read (salvage.ts). Pages that cannot be used go to quarantine
 * whole.
 */
import { Findings } from '../../findings.ts';
import type { Finding, RepairOutput, RepairPlan } from '../../format.ts';
import { Ledger } from '../../ledger.ts';
import { encodeEntry } from '../../wal/btree-v1/encode.ts';
import { Check } from '../check.ts';
import { type BtreeContext, KIND } from '../model.ts';
import { run } from '../steps.ts';
import { bulkLoad } from './bulk-load.ts';
import type { V1File } from './file.ts';
import {
  FREE_HEAD_AT,
  HEIGHT_AT,
  KEYS_AT,
  LINK_AT,
  NO_PAGE,
  REDO_NAME,
  TYPE_LEAF,
} from './layout.ts';
import { hasLostLeaf } from './lost-leaf.ts';
import { V1Page } from './page.ts';
import { planRebuild, type RebuildBody } from './rebuild.ts';
import { listOfPages } from './redo.ts';
import { Salvage } from './salvage.ts';
import { V1Walk } from './walk.ts';

const FREE_HEADER = '000000';
/** What can be put right by setting a field, as long as all else holds. */
const MENDABLE = new Set([
  'sibling-broken',
  'sibling-cycle',
  'free-cycle',
  'free-in-tree',
  'free-range',
  'free-type',
  'page-leaked',
  'key-count',
  'file-tail',
  'log-applied',
  'log-unfinished',
]);

export type PlanBody = Omit<RebuildBody, 'keys'> &
  Pick<RepairPlan, 'findings' | 'counts' | 'log' | 'pageSize'>;

interface Mend {
  offset: number;
  hex: string;
}

export async function planV1(file: V1File, context: BtreeContext): Promise<PlanBody> {
  const findings = new Findings(context.limits.findings);
  const broken: Finding[] = [];
  const siblings = new Set<unknown>();
  const note = (finding: Finding) => {
    findings.add(finding);
    if (finding.code === 'sibling-broken') siblings.add(finding.actual);
    const typeOnly = finding.code === 'page-type' && finding.diagnosis !== undefined;
    const heightOnly = finding.code === 'depth' && finding.page === 0;
    if (!MENDABLE.has(finding.code) && !typeOnly && !heightOnly) broken.push(finding);
  };
  for (const one of file.notes) note(one);
  const check = new Check(file, file.pageCount, note);
  await run(file.check(check), context, file);
  const { overlay, unseenLog } = file;
  const whole = broken.length === 0 && !check.lossy && !hasLostLeaf(file, check, siblings);
  const mended = whole ? await new Mender(file, check, findings).plan(context) : undefined;
  const { keys, ...body } = mended ?? (await planRebuild(file, context, broken));
  if (overlay) {
    body.rewrite.push(REDO_NAME);
    // Pages that the file has not grown by yet are in the log alone.
    const inFile = body.ledger.filter(({ fate }) => fate !== 'dropped');
    const alone = keys - inFile.reduce((sum, { records }) => sum + records, 0);
    body.ledger.push(...ledgerOfLog(overlay, alone));
    const pages = listOfPages(overlay.pages);
    body.consequences.push(
      `${REDO_NAME}: its images of pages ${pages} are part of the result, and the log is emptied: replayed once more they would undo the repair`,
    );
  } else if (unseenLog > 0 && body.ledger.some(({ fate }) => fate !== 'kept')) {
    body.rewrite.push(REDO_NAME);
    body.ledger.push(...ledgerOfLog({ source: { size: unseenLog }, end: 0 }, 0));
    body.consequences.push(
      `${REDO_NAME}: an operation without its end is set aside: beside another tree than it began with it would be seen`,
    );
  }
  const plan = { ...body, findings: findings.kept, counts: findings.counts };
  return body.rewrite.includes(REDO_NAME) ? { ...plan, log: REDO_NAME } : plan;
}

/** What of the log is not seen is set aside. */
function ledgerOfLog(
  { source, end }: { source: { size?: number | undefined }; end: number },
  records: number,
): RebuildBody['ledger'] {
  const ledger = new Ledger();
  const { size = end } = source;
  ledger.begin(REDO_NAME, size);
  const seen = {
    offset: 0,
    length: end,
    code: 'log-applied',
    reason: 'images, now in their pages',
  };
  if (end > 0) ledger.add({ ...seen, fate: 'salvaged', records });
  if (end < size) {
    const reason = 'damage, or an operation that did not end';
    const rest = { offset: end, length: size - end, code: 'log-unfinished', reason };
    ledger.add({ ...rest, fate: 'dropped', records: 0 });
  }
  ledger.close();
  return ledger.spans;
}

class Mender {
  readonly #mends = new Map<number, Mend[]>();
  readonly #causes = new Map<number, { code: string; reason: string }>();
  readonly #dropped = new Set<number>();
  readonly #keys = new Map<number, number>();

  constructor(
    readonly file: V1File,
    readonly check: Check,
    readonly findings: Findings,
  ) {}

  /** Undefined where that is not enough. */
  async plan(context: BtreeContext): Promise<RebuildBody | undefined> {
    const { findings } = this;
    for (const { page, code, message } of findings.kept) {
      if (page !== undefined && !this.#causes.has(page)) {
        this.#causes.set(page, { code, reason: message });
      }
    }
    await this.#leaves(context);
    const { counts } = findings;
    const freeListWrong = ['free-cycle', 'free-in-tree', 'free-range', 'free-type', 'page-leaked'];
    if (freeListWrong.some((code) => counts[code])) this.#freeList();
    // Pages that the log alone has are no bytes of the file, of which the plan accounts for each.
    const pages = Math.floor(this.file.size / this.file.pageSize);
    if ([...this.#mends.keys()].some((page) => page >= pages)) return undefined;
    const keys = [...this.#keys.values()].reduce((sum, count) => sum + count, 0);
    return { ledger: this.#ledger(), rewrite: [], consequences: this.#consequences(), keys };
  }

  /** Types, the chain, height and count, out of one more walk. */
  async #leaves(context: BtreeContext): Promise<void> {
    const { file } = this;
    const order: number[] = [];
    const check = new Check(file, file.pageCount, ({ code, page, expected }) => {
      if (code !== 'page-type' || page === undefined) return;
      const type = String(expected).startsWith(String(TYPE_LEAF)) ? '01' : '00';
      this.#mend(page, 0, type);
    });
    const walk = new V1Walk(file, check, undefined, undefined, {
      leaf: ({ page }) => order.push(page),
    });
    await run(walk.run(), context, file);
    const leaf = new V1Page();
    order.forEach((page, i) => {
      if (!file.pages.load(page)) return;
      const { bytes, view, start, pageSize } = file.pages;
      leaf.parse(bytes, view, start, pageSize, true);
      this.#keys.set(page, leaf.cells);
      const next = order[i + 1] ?? NO_PAGE;
      if (leaf.link !== next) this.#mend(page, LINK_AT, u32(next));
    });
    if (walk.height !== file.meta.height) this.#mend(0, HEIGHT_AT, u32(walk.height));
    if (walk.stat.keys !== file.meta.totalKeys) this.#mend(0, KEYS_AT, u32(walk.stat.keys));
  }

  /** Every page that the tree does not use, the highest first. */
  #freeList(): void {
    const { file, check } = this;
    const end = Math.min(file.meta.nextFree, file.pageCount);
    let next = NO_PAGE;
    for (let page = 1; page < end; page++) {
      const kind = check.kindOf(page);
      if (kind !== KIND.free && kind !== KIND.unknown) continue;
      if (!file.pages.load(page)) continue;
      const { bytes, view, start } = file.pages;
      const header = bytes[start]! | bytes[start + 1]! | bytes[start + 2]!;
      if (header !== 0) this.#dropped.add(page);
      if (header !== 0 || view.getUint32(start + LINK_AT) !== next) {
        this.#mend(page, 0, FREE_HEADER + u32(next));
      }
      next = page;
    }
    if (file.meta.freeHead !== next) this.#mend(0, FREE_HEAD_AT, u32(next));
  }

  #mend(page: number, at: number, hex: string): void {
    const mends = this.#mends.get(page) ?? [];
    mends.push({ offset: page * this.file.pageSize + at, hex });
    this.#mends.set(page, mends);
  }

  #ledger(): RebuildBody['ledger'] {
    const { file } = this;
    const { pageSize } = file;
    const ledger = new Ledger();
    ledger.begin(file.name, file.size);
    const end = Math.min(Math.max(file.meta.nextFree, 2), Math.floor(file.size / pageSize));
    for (let page = 0; page < end; page++) {
      const mends = this.#mends.get(page);
      const span = {
        offset: page * pageSize,
        length: pageSize,
        records: this.#keys.get(page) ?? 0,
      };
      const logged = file.overlay?.has(page) ?? false;
      if (mends === undefined && !logged) {
        ledger.add({ ...span, fate: 'kept' });
        continue;
      }
      const { code, reason } = this.#causes.get(page) ?? {
        code: logged ? 'log-applied' : 'free-cycle',
        reason: logged
          ? `page ${page}: its newer image in ${REDO_NAME} takes its place`
          : `page ${page}: a link of the free list, which is built anew`,
      };
      const fate = this.#dropped.has(page) ? 'dropped' : 'salvaged';
      ledger.add({ ...span, fate, code, reason, mends: mends ?? [] });
    }
    const rest = file.size - end * pageSize;
    if (rest > 0) {
      const reason = `${rest} bytes behind the last page that was ever used`;
      const offset = end * pageSize;
      ledger.add({ offset, length: rest, fate: 'dropped', records: 0, code: 'file-tail', reason });
    }
    ledger.close();
    return ledger.spans;
  }

  #consequences(): string[] {
    const count = this.#dropped.size;
    return count === 0
      ? []
      : [
          `${count} pages that belonged to nobody are free now; what they held was in no tree, and is in quarantine`,
        ];
  }
}

export async function applyV1(
  file: V1File,
  plan: RepairPlan,
  context: BtreeContext,
  output: RepairOutput,
): Promise<void> {
  let make = (write: PageWriter) => copyMended(file, plan, write);
  if (plan.rewrite.includes(file.name)) {
    const salvage = new Salvage(file);
    await run(salvage.collect(), context, file);
    make = (write) => void bulkLoad(file.pageSize, () => salvage.entries(), write);
  }
  const target = output.create(file.name);
  make((page) => target.write(page, 0, page.length));
  target.finish();
  if (!plan.rewrite.includes(REDO_NAME)) return;
  const log = output.create(REDO_NAME);
  if (context.options?.['in-place'] === true) writeLog(make, log);
  log.finish();
}

type PageWriter = (page: Uint8Array) => void;

/**
 * All pages as one operation. In place, a crash must leave neither the old log beside the new tree,
 * to which it would be applied, nor the old tree without its log, to which rows would be put: so
 * this log comes first, which beside either tree is the new one.
 */
function writeLog(
  make: (write: PageWriter) => void,
  log: ReturnType<RepairOutput['create']>,
): void {
  let seq = 0;
  let meta: Uint8Array | undefined;
  const add = (page: number, image: Uint8Array) => {
    const entry = encodeEntry(++seq, page, image);
    log.write(entry, 0, entry.length);
  };
  make((page) => {
    add(seq, page);
    meta ??= page.slice();
  });
  if (meta) add(0, meta);
}

function copyMended(file: V1File, plan: RepairPlan, write: PageWriter): void {
  const { pageSize } = file;
  const page = new Uint8Array(pageSize);
  for (const { file: name, offset, length, fate, mends = [] } of plan.ledger) {
    if (name !== file.name) continue;
    if (fate === 'dropped' && mends.length === 0) continue;
    for (let at = offset; at < offset + length; at += pageSize) {
      if (!file.pages.load(at / pageSize)) continue;
      const { bytes, start } = file.pages;
      if (fate === 'dropped') page.fill(0);
      else page.set(bytes.subarray(start, start + pageSize));
      for (const mend of mends) {
        if (mend.offset >= at && mend.offset < at + pageSize) {
          page.set(Buffer.from(mend.hex, 'hex'), mend.offset - at);
        }
      }
      write(page);
    }
  }
  // The log has pages that the file has not grown by yet.
  for (let at = Math.floor(file.size / pageSize); at < file.meta.nextFree; at++) {
    if (!file.pages.load(at)) return;
    const { bytes, start } = file.pages;
    write(bytes.subarray(start, start + pageSize));
  }
}

function u32(value: number): string {
  return value.toString(16).padStart(8, '0');
}
