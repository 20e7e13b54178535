/**
 * repair of the family. The plan is made from the same scan that verify reads; applying it copies
 * what is kept, puts in what is mended, and writes nothing else. Where records do not stand alone
 * in the file (blocks and fragments), a segment with a hole is written anew from its records.
 */
import { copyFile, copySpans, mendedSource, spanEnd } from '../copy-spans.ts';
import { inFileOrder } from '../findings.ts';
import type { ByteSource, LedgerSpan, RepairOptions, RepairOutput, RepairPlan } from '../format.ts';
import { ToldList } from '../told-list.ts';
import { LogBookkeeper } from './bookkeeper.ts';
import { LogChecker } from './log-checker.ts';
import type {
  WalDamage,
  WalDialect,
  WalOpened,
  WalRecord,
  WalRewrite,
  WalScanContext,
} from './model.ts';
import { scanLog } from './reader.ts';

/** How many losses are told one by one. */
const CONSEQUENCES_MAX = 20;

export async function planLogRepair(
  input: WalOpened,
  options: RepairOptions,
  context: WalScanContext,
): Promise<Omit<RepairPlan, 'inputs'>> {
  const checker = new LogChecker(input, context.limits.findings);
  const books = new LogBookkeeper(input, options);
  const losses = new Losses(input.dialect);
  await scanLog(input, context, {
    segment: (file) => books.begin(file),
    record(record) {
      checker.record(record);
      books.record(record);
      losses.record(record);
    },
    resume: (previous, base) => checker.resume(previous, base),
    damage(damage) {
      checker.damage(damage);
      books.damage(damage);
      losses.damage(damage, options);
    },
  });
  books.end();
  checker.end();
  const { findings } = checker;
  return {
    ddiaPlan: 1,
    path: input.set.path,
    family: 'wal',
    dialect: input.dialect.id,
    ledger: books.ledger.spans,
    rewrite: books.rewrite(),
    findings: inFileOrder(findings.kept, input.files),
    counts: findings.counts,
    consequences: losses.told(),
  };
}

/** What the loss may bring back, in words. */
class Losses {
  readonly #told = new ToldList(CONSEQUENCES_MAX);
  #lastSeq = '';
  #mendable = 0;
  #pending: string | undefined;

  constructor(readonly dialect: WalDialect) {}

  record(record: WalRecord): void {
    if (this.#pending) {
      const before = this.#lastSeq === '' ? 'the start' : `seq ${this.#lastSeq}`;
      const numbered = this.dialect.hasSeq && record.numbered;
      const range = numbered ? ` (between ${before} and seq ${record.seqText})` : '';
      this.#told.add(this.#pending + range);
      this.#pending = undefined;
    }
    if (record.numbered && this.dialect.hasSeq) this.#lastSeq = record.seqText;
  }

  damage(damage: WalDamage, options: RepairOptions): void {
    if (damage.distrust) {
      this.#told.add(
        `${damage.file} @ ${damage.offset}: the page image is not applied; see its finding`,
      );
      return;
    }
    const { mend, file, offset, length, code, subject, message } = damage;
    if (damage.records > 0 && length === 0) {
      const lost = 'what stood there is lost: older values show, deleted keys come back';
      this.#told.add(`${message}: ${lost}`);
    }
    if (!damage.lost || length === 0) return;
    if (mend && options.mend) return;
    if (mend) this.#mendable++;
    if (this.#pending) this.#told.add(this.#pending);
    const place = `${file} @ ${offset} +${length}`;
    this.#pending =
      code === 'torn-tail'
        ? `${place}: the last write is not whole; if it was never synced, it was never acknowledged`
        : subject
          ? `${place}: ${subject} (as far as it can be read) is lost: an older value shows, or what it deleted comes back`
          : `${place}: what these bytes wrote or deleted is lost: older values show, deleted keys come back`;
  }

  told(): string[] {
    if (this.#pending) this.#told.add(this.#pending);
    this.#pending = undefined;
    const told = this.#told.told('losses, see the ledger');
    if (this.#mendable > 0) {
      told.push(
        `${this.#mendable} of the lost records can be made whole: their damage has one explanation, see --mend`,
      );
    }
    return told;
  }
}

export async function applyLogRepair(
  input: WalOpened,
  plan: RepairPlan,
  context: WalScanContext,
  output: RepairOutput,
): Promise<void> {
  const { rewrite, companions = [] } = input.dialect;
  const anew = new Set(plan.rewrite);
  const writer = rewrite?.open();
  const last = input.files.at(-1)?.name;
  for (const file of input.files) {
    const spans = plan.ledger.filter((span) => span.file === file.name);
    const source = input.set.open(file.name);
    try {
      if (writer && anew.has(file.name)) {
        await writeAnew(input, source, spans, context, output, writer, file.name === last);
      } else await copySpans(source, spans, context, output);
    } finally {
      source.close?.();
    }
  }
  if (!input.set.isDirectory) return;
  if (writer?.companions) {
    for (const { name, bytes } of writer.companions(input.set)) {
      const target = output.create(name);
      target.write(bytes, 0, bytes.length);
      target.finish();
    }
    return;
  }
  for (const { name } of input.set.files) {
    if (!companions.includes(name)) continue;
    const source = input.set.open(name);
    await copyFile(source, context, output);
    source.close?.();
  }
}

async function writeAnew(
  input: WalOpened,
  source: ByteSource,
  spans: readonly LedgerSpan[],
  context: WalScanContext,
  output: RepairOutput,
  writer: ReturnType<WalRewrite['open']>,
  last: boolean,
): Promise<void> {
  const { dialect } = input;
  const target = output.create(source.name);
  const append = (bytes: Uint8Array) => {
    if (bytes.length > 0) target.write(bytes, 0, bytes.length);
  };
  writer.segment(dialect.segmentNumber(source.name) ?? 0);
  const dropped = spans.filter(({ fate }) => fate === 'dropped');
  let next = 0;
  const mends = spans.flatMap((span) => span.mends ?? []);
  await dialect.scan(mendedSource(source, mends), context, {
    record(record) {
      while (next < dropped.length && spanEnd(dropped[next]!) <= record.offset) next++;
      if (next < dropped.length && dropped[next]!.offset === record.offset) return;
      append(writer.record(record));
    },
    damage() {},
  });
  append(writer.end(last));
  target.finish();
}
