/**
 * repair of containers: every intact block is kept as it is, a marker that was hit is put right,
 * and of a block whose data are damaged those before the damage, and those found again behind it,
 * are written anew.
 */

import { Findings } from '../../findings.ts';
import type { ByteSource, Finding, Opened, RepairPlan, ScanContext } from '../../format.ts';
import { Ledger } from '../../ledger.ts';
import { BlockData, type BlockOutcome, type DatumReader } from './block-data.ts';
import type { Header } from './header.ts';
import { checkingReader } from './readers.ts';
import { tornBlock } from './rebuild.ts';
import { type Block, type Damage, scanContainer } from './scan.ts';
import { findingOf } from './verify.ts';

const CONSEQUENCES_MAX = 20;

export async function planContainerRepair(
  input: Opened,
  context: ScanContext,
): Promise<Omit<RepairPlan, 'inputs'>> {
  const findings = new Findings(context.limits.findings);
  const books = new Books(findings);
  const rewrite: string[] = [];
  for (const file of input.files) {
    const source = input.set.open(file.name);
    books.ledger.begin(file.name, file.size ?? 0);
    let data: BlockData | undefined;
    let reader: DatumReader | undefined;
    let torn: Damage | undefined;
    try {
      await scanContainer(source, context, {
        async header(header) {
          data = BlockData.open(header, file.name, context.limits.recordBytes);
          reader = data && checkingReader(data.type);
          books.header(header);
        },
        block(block) {
          books.block(block, data, data && reader && data.read(block, reader));
        },
        damage(damage) {
          if (damage.begun && data?.yieldsParts) torn = damage;
          else books.damage(damage);
        },
      });
      if (torn) await books.torn(torn, source, data!, reader!);
    } finally {
      source.close?.();
    }
    if (books.rewritten) rewrite.push(file.name);
    books.rewritten = false;
  }
  books.ledger.close();
  return {
    ddiaPlan: 1,
    path: input.set.path,
    family: 'avro',
    dialect: input.dialect.id,
    ledger: books.ledger.spans,
    rewrite,
    findings: findings.kept,
    counts: findings.counts,
    consequences: books.consequences(),
  };
}

/** A count that has no room is no count of what is lost. */
function lostOf(code: string, missing: number): number {
  return code === 'bad-datum-count' ? 0 : Math.max(0, missing);
}

/** Turns what a scan tells into spans of the ledger. */
class Books {
  readonly ledger = new Ledger();
  rewritten = false;
  readonly #losses: string[] = [];
  #more = 0;
  /** A mend that belongs to what comes next. */
  #mend: Damage | undefined;

  constructor(readonly findings: Findings) {}

  #tell(what: string): void {
    if (this.#losses.length < CONSEQUENCES_MAX) this.#losses.push(what);
    else this.#more++;
  }

  consequences(): string[] {
    const more = this.#more > 0 ? [`… and ${this.#more} more losses, see the ledger`] : [];
    return [...this.#losses, ...more];
  }

  header({ length, faults }: Header): void {
    const magic = faults.find(({ code }) => code === 'bad-magic');
    const cause = magic && {
      code: magic.code,
      reason: magic.message,
      mends: [{ offset: 0, hex: '4f626a01' }],
    };
    this.ledger.add({ offset: 0, length, fate: magic ? 'salvaged' : 'kept', records: 0, ...cause });
  }

  damage(damage: Damage): void {
    this.findings.add(findingOf(damage));
    if (!damage.lost) {
      if (damage.code === 'bad-marker') this.#mend = damage;
      return;
    }
    const { offset, length, code, message: reason, file } = damage;
    // A header that cannot be read takes the file with it, from its front.
    const start = Math.min(offset, this.ledger.reached);
    const span = { offset: start, length: offset + length - start };
    this.ledger.add({ ...span, fate: 'dropped', records: 0, code, reason });
    const what =
      code === 'torn-tail'
        ? 'the last block is not whole; a writer that was told it was durable has lost it'
        : 'the data of the block are lost';
    this.#tell(`${file} @ ${offset} +${length}: ${what}`);
  }

  block(block: Block, data: BlockData | undefined, outcome: BlockOutcome | undefined): void {
    const { offset, length, count } = block;
    const mend = this.#mend;
    this.#mend = undefined;
    for (const finding of outcome?.findings ?? []) this.findings.add(finding);
    const fault = outcome?.findings.find(({ severity }) => severity === 'error');
    if (!fault) {
      const cause = mend && { code: mend.code, reason: mend.message, mends: [mend.mend!] };
      const fate = mend ? ('salvaged' as const) : ('kept' as const);
      this.ledger.add({ offset, length, fate, records: count, ...cause });
      return;
    }
    this.#partial(block, data!, outcome!, fault);
  }

  /** The data before the damage, and behind it, are written anew; the rest goes to quarantine. */
  #partial(block: Block, data: BlockData, outcome: BlockOutcome, fault: Finding): void {
    const { offset, length, count } = block;
    const { read } = outcome;
    const { code, message: reason, file } = fault;
    if (read > 0) this.rewritten = true;
    if (data.plain) this.#runs(block, outcome);
    else {
      const head = read > 0 ? block.dataOffset - offset : 0;
      const kept = { offset, length: head, fate: 'salvaged' as const, records: read };
      if (read > 0) this.ledger.add({ ...kept, code, reason });
      const rest = { offset: offset + head, length: length - head };
      const records = lostOf(code, count - read);
      this.ledger.add({ ...rest, fate: 'dropped', records, code, reason });
    }
    const lost = lostOf(code, count - read) || 'what else it held';
    const at = `${file} @ ${offset} +${length}`;
    // Past the place that was hit, and before the break, may be what was never written.
    const doubt =
      code === 'bad-compression' && read > 0
        ? '; nothing vouches for those kept: check the last of them'
        : '';
    this.#tell(`${at}: ${read} data of the block are kept, ${lost} are lost${doubt}`);
  }

  /** Of data that are not compressed each run and what lies behind it are spans of the file. */
  #runs(block: Block, { runs, findings }: BlockOutcome): void {
    const { offset, length, count, dataOffset } = block;
    const errors = findings.filter(({ severity }) => severity === 'error');
    let reached = offset;
    for (const [i, run] of runs.entries()) {
      const { code, message: reason } = errors[Math.min(i, errors.length - 1)]!;
      const cause = { code, reason };
      const next = runs[i + 1];
      const whole = !next && run.end === block.end - block.start;
      // The marker goes with the last of the data, if they are whole up to it.
      const end = whole ? offset + length : dataOffset + run.end;
      if (run.records > 0) {
        const kept = { fate: 'salvaged' as const, records: run.records };
        this.ledger.add({ offset: reached, length: end - reached, ...kept, ...cause });
        reached = end;
      }
      const start = next ? dataOffset + next.start : offset + length;
      if (start === reached) continue;
      const missing = (next?.index ?? count) - run.index - run.records;
      const dropped = { fate: 'dropped' as const, records: lostOf(code, missing) };
      this.ledger.add({ offset: reached, length: start - reached, ...dropped, ...cause });
      reached = start;
    }
  }

  /** A block that was not finished, of data that are not compressed: those that are whole. */
  async torn(
    damage: Damage,
    source: ByteSource,
    data: BlockData,
    reader: DatumReader,
  ): Promise<void> {
    const { offset, length, begun } = damage;
    const block = await tornBlock(source, damage);
    const outcome = data.read(block, reader);
    if (outcome.read === 0 || !begun) {
      this.damage(damage);
      return;
    }
    this.findings.add(findingOf(damage));
    const { code, message: reason, file } = damage;
    const end = data.plain ? outcome.runs.at(-1)!.end : 0;
    const head = begun.dataOffset - offset + end;
    this.rewritten = true;
    const kept = { offset, length: head, fate: 'salvaged' as const, records: outcome.read };
    this.ledger.add({ ...kept, code, reason });
    const lost = Math.max(0, begun.count - outcome.read);
    const rest = { offset: offset + head, length: length - head };
    this.ledger.add({ ...rest, fate: 'dropped', records: 0, recordsAtMost: lost, code, reason });
    this.#tell(
      `${file} @ ${offset} +${length}: ${outcome.read} data of the unfinished block are kept; ${lost} more were to be in it`,
    );
  }
}
