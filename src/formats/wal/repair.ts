/**
 * repair of the family. The plan is made from the same scan that verify reads; applying it copies
 * what is kept, puts in what is mended, and writes nothing else. Where records do not stand alone
 * in the file (blocks and fragments), a segment with a hole is written anew from its records.
 */
import type {
  ByteSource,
  LedgerSpan,
  RepairOptions,
  RepairOutput,
  RepairPlan,
  ScanContext,
} from '../format.ts';
import { Ledger } from '../ledger.ts';
import type {
  WalDamage,
  WalDialect,
  WalOpened,
  WalRecord,
  WalRewrite,
  WalScanContext,
} from './model.ts';
import { scanLog } from './reader.ts';
import { inOrder, LogChecker } from './verify.ts';

const COPY_BYTES = 1024 * 1024;
/** How many losses are told one by one. */
const CONSEQUENCES_MAX = 20;

export async function planLogRepair(
  input: WalOpened,
  options: RepairOptions,
  context: WalScanContext,
): Promise<Omit<RepairPlan, 'inputs'>> {
  const checker = new LogChecker(input, context.limits.findings);
  const ledger = new Ledger();
  const losses = new Losses(input.dialect);
  await scanLog(input, context, {
    segment: (file) => ledger.begin(file.name, file.size ?? 0),
    record(record) {
      checker.record(record);
      if (record.index === 0) ledger.add(keptSpan(record, input.dialect));
      losses.record(record);
    },
    damage(damage) {
      checker.damage(damage);
      account(ledger, damage, options);
      losses.damage(damage, options);
    },
  });
  ledger.close();
  checker.end();
  const { findings } = checker;
  return {
    ddiaPlan: 1,
    path: input.set.path,
    family: 'wal',
    dialect: input.dialect.id,
    ledger: ledger.spans,
    findings: inOrder(findings.kept, input.files),
    counts: findings.counts,
    consequences: losses.told(),
  };
}

function keptSpan(record: WalRecord, dialect: WalDialect) {
  const { offset, length } = record;
  const seq = dialect.hasSeq && record.extra === undefined ? record.seqText : undefined;
  const fate = record.salvaged ? ('salvaged' as const) : ('kept' as const);
  return { offset, length, fate, records: 1, firstSeq: seq, lastSeq: seq };
}

function account(ledger: Ledger, damage: WalDamage, options: RepairOptions): void {
  const { offset, length, code, lost, mend, records } = damage;
  const reason = damage.diagnosis ?? damage.message;
  if (!lost) {
    const last = ledger.spans.at(-1);
    if (damage.distrust) ledger.condemn(offset, length, code, damage.message);
    else if (mend && last?.fate === 'salvaged' && last.offset === offset) {
      Object.assign(last, { code, reason, mend });
    }
    return;
  }
  if (length === 0) return;
  const mended = options.mend && mend !== undefined;
  const span = { offset, length, code, reason };
  if (mended) ledger.add({ ...span, fate: 'salvaged', records: 1, mend });
  else ledger.add({ ...span, fate: 'dropped', records: Number.isFinite(records) ? records : 0 });
}

/** What the loss may bring back, in words. */
class Losses {
  readonly #told: string[] = [];
  #more = 0;
  #lastSeq = '';
  #mendable = 0;
  #pending: string | undefined;

  constructor(readonly dialect: WalDialect) {}

  record(record: WalRecord): void {
    if (this.#pending) {
      const before = this.#lastSeq === '' ? 'the start' : `seq ${this.#lastSeq}`;
      const range = this.dialect.hasSeq ? ` (between ${before} and seq ${record.seqText})` : '';
      this.#tell(this.#pending + range);
      this.#pending = undefined;
    }
    if (this.dialect.hasSeq) this.#lastSeq = record.seqText;
  }

  damage(damage: WalDamage, options: RepairOptions): void {
    if (damage.distrust) {
      this.#tell(
        `${damage.file} @ ${damage.offset}: the page image is not applied; see its finding`,
      );
      return;
    }
    if (!damage.lost || damage.length === 0) return;
    const { mend, file, offset, length, code, subject } = damage;
    if (mend && options.mend) return;
    if (mend) this.#mendable++;
    if (this.#pending) this.#tell(this.#pending);
    const place = `${file} @ ${offset} +${length}`;
    this.#pending =
      code === 'torn-tail'
        ? `${place}: the last write is not whole; if it was never synced, it was never acknowledged`
        : subject
          ? `${place}: ${subject} (as far as it can be read) is lost: an older value shows, or what it deleted comes back`
          : `${place}: what these bytes wrote or deleted is lost: older values show, deleted keys come back`;
  }

  told(): string[] {
    if (this.#pending) this.#tell(this.#pending);
    this.#pending = undefined;
    if (this.#more > 0) this.#told.push(`… and ${this.#more} more losses, see the ledger`);
    if (this.#mendable > 0) {
      this.#told.push(
        `${this.#mendable} of the lost records can be made whole: their damage has one explanation, see --mend`,
      );
    }
    return this.#told;
  }

  #tell(what: string): void {
    if (this.#told.length < CONSEQUENCES_MAX) this.#told.push(what);
    else this.#more++;
  }
}

export async function applyLogRepair(
  input: WalOpened,
  plan: RepairPlan,
  context: WalScanContext,
  output: RepairOutput,
): Promise<void> {
  const { rewrite } = input.dialect;
  const writer = rewrite?.open();
  let anew = false;
  for (const [index, file] of input.files.entries()) {
    const spans = plan.ledger.filter((span) => span.file === file.name);
    // Behind a segment that is written anew, those that continue it are, too.
    anew =
      hasHole(spans) || (anew && rewrite?.chained === true) || startsAnew(input, plan, rewrite);
    const source = input.set.open(file.name);
    try {
      if (writer && anew) {
        const last = index === input.files.length - 1;
        await writeAnew(input, source, spans, context, output, writer, last);
      } else await copySpans(source, spans, context, output);
    } finally {
      source.close?.();
    }
  }
}

/**
 * A chained log is written anew from its first segment on, or not at all: a new log has a new
 * identity.
 */
function startsAnew(input: WalOpened, plan: RepairPlan, rewrite: WalRewrite | undefined): boolean {
  if (!rewrite?.chained) return false;
  const last = input.files.at(-1)?.name;
  return input.files.some(({ name }) => {
    const spans = plan.ledger.filter((span) => span.file === name);
    const dropped = spans.some(({ fate }) => fate === 'dropped');
    return (
      hasHole(spans) ||
      (dropped && name !== last) ||
      plan.findings.some(({ code }) => code.startsWith('bad-'))
    );
  });
}

/** True if something is kept behind what is dropped. */
function hasHole(spans: readonly LedgerSpan[]): boolean {
  const first = spans.findIndex(({ fate }) => fate === 'dropped');
  return (
    first >= 0 && spans.slice(first).some(({ fate, records }) => fate !== 'dropped' && records)
  );
}

async function copySpans(
  source: ByteSource,
  spans: readonly LedgerSpan[],
  context: ScanContext,
  output: RepairOutput,
): Promise<void> {
  const target = output.create(source.name);
  const buffer = new Uint8Array(COPY_BYTES);
  for (const { offset, length, fate, mend } of spans) {
    if (fate === 'dropped') continue;
    for (let done = 0; done < length; ) {
      context.signal?.throwIfAborted();
      const got = await source.read(buffer, 0, Math.min(COPY_BYTES, length - done), offset + done);
      if (got <= 0) throw new Error(`${source.name} ended at ${offset + done} while it was copied`);
      if (mend) patch(buffer, offset + done, got, mend);
      target.write(buffer, 0, got);
      done += got;
    }
  }
  target.finish();
}

/** Puts the mended bytes where they fall into a piece of the file. */
function patch(
  buffer: Uint8Array,
  at: number,
  length: number,
  mend: { offset: number; hex: string },
): void {
  const bytes = Buffer.from(mend.hex, 'hex');
  for (let i = 0; i < bytes.length; i++) {
    const index = mend.offset + i - at;
    if (index >= 0 && index < length) buffer[index] = bytes[i]!;
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
  await dialect.scan(source, context, {
    record(record) {
      while (next < dropped.length && end(dropped[next]!) <= record.offset) next++;
      if (next < dropped.length && dropped[next]!.offset === record.offset) return;
      append(writer.record(record));
    },
    damage() {},
  });
  append(writer.end(last));
  target.finish();
}

function end(span: LedgerSpan): number {
  return span.offset + span.length;
}
