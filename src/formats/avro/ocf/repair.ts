/**
 * repair of containers: every intact block is kept as it is, a marker that was hit is put right,
 * and of a block whose data are damaged those before the damage are written anew.
 */

import { Findings } from '../../findings.ts';
import type {
  ByteSource,
  Finding,
  LedgerSpan,
  Opened,
  RepairOutput,
  RepairPlan,
  ScanContext,
} from '../../format.ts';
import { Ledger } from '../../ledger.ts';
import { Writer } from '../codec/writer.ts';
import { BlockData, type BlockOutcome, type DatumReader } from './block-data.ts';
import type { Header } from './header.ts';
import { checkingReader } from './readers.ts';
import { Block, type Damage, scanContainer } from './scan.ts';
import { findingOf } from './verify.ts';

const COPY_BYTES = 1024 * 1024;
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
          data = await BlockData.open(header, file.name, context.limits.recordBytes);
          reader = data && checkingReader(data.type);
          books.header(header);
        },
        block(block) {
          books.block(block, data, data && reader && data.read(block, reader));
        },
        damage(damage) {
          if (damage.begun && data?.plain) torn = damage;
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

  /** The data before the damage are written anew; the rest goes to quarantine. */
  #partial(block: Block, data: BlockData, { read, end }: BlockOutcome, fault: Finding): void {
    const { offset, length, count, dataOffset } = block;
    const { code, message: reason, file } = fault;
    const keeps = read > 0;
    const head = keeps ? dataOffset - offset + (data.plain ? end : 0) : 0;
    if (keeps) {
      this.rewritten = true;
      this.ledger.add({ offset, length: head, fate: 'salvaged', records: read, code, reason });
    }
    const lost = Math.max(0, count - read);
    // A count that has no room is no count of what is lost.
    const records = code === 'bad-datum-count' ? 0 : lost;
    const rest = { offset: offset + head, length: length - head };
    this.ledger.add({ ...rest, fate: 'dropped', records, code, reason });
    this.#tell(
      `${file} @ ${offset} +${length}: ${read} data of the block are kept, ${records || 'what else it held'} are lost`,
    );
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
    const head = begun.dataOffset - offset + outcome.end;
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

/** As much of a block as there is, read from the file. */
async function tornBlock(source: ByteSource, damage: Damage): Promise<Block> {
  const { dataOffset, count } = damage.begun!;
  const length = damage.offset + damage.length - dataOffset;
  const block = new Block();
  block.bytes = await readSpan(source, dataOffset, length);
  block.end = block.bytes.length;
  block.offset = damage.offset;
  block.dataOffset = dataOffset;
  block.count = count;
  return block;
}

async function readSpan(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const got = await source.read(bytes, done, length - done, offset + done);
    if (got <= 0) throw new Error(`${source.name} ended at ${offset + done} while it was copied`);
    done += got;
  }
  return bytes;
}

export async function applyContainerRepair(
  input: Opened,
  plan: RepairPlan,
  context: ScanContext,
  output: RepairOutput,
): Promise<void> {
  for (const file of input.files) {
    const spans = plan.ledger.filter((span) => span.file === file.name);
    const source = input.set.open(file.name);
    try {
      const target = output.create(file.name);
      const write = (bytes: Uint8Array) => target.write(bytes, 0, bytes.length);
      const anew = spans.filter((span) => span.fate === 'salvaged' && !span.mends);
      const blocks = await rewrittenBlocks(input, source, anew, context);
      for (const span of spans) {
        if (span.fate === 'dropped') continue;
        const block = blocks.get(span.offset);
        if (block) write(block);
        else await copy(source, span, context, write);
      }
      target.finish();
    } finally {
      source.close?.();
    }
  }
}

/** The blocks of which a part is kept, as they are written anew, by their offset. */
async function rewrittenBlocks(
  input: Opened,
  source: ByteSource,
  spans: readonly LedgerSpan[],
  context: ScanContext,
): Promise<Map<number, Uint8Array>> {
  const made = new Map<number, Uint8Array>();
  if (spans.length === 0) return made;
  const wanted = new Map(spans.map((span) => [span.offset, span.records]));
  let data: BlockData | undefined;
  let reader: DatumReader | undefined;
  let marker = Buffer.alloc(0) as Buffer;
  let torn: Damage | undefined;
  const remake = (block: Block): void => {
    const records = wanted.get(block.offset);
    if (records === undefined || !data || !reader) return;
    const { end } = data.read(block, reader, (index) => index + 1 < records);
    const kept = (data.unpack(block) as Uint8Array).subarray(0, end);
    const packed = data.codec.compress(kept);
    const writer = new Writer();
    writer.long(records);
    writer.long(packed.length);
    writer.raw(packed);
    writer.raw(marker);
    made.set(block.offset, writer.written);
  };
  await scanContainer(source, context, {
    async header(header) {
      data = await BlockData.open(header, input.files[0]!.name, context.limits.recordBytes);
      reader = data && checkingReader(data.type);
      marker = header.marker;
    },
    block: remake,
    damage(damage) {
      if (damage.begun) torn = damage;
    },
  });
  if (torn) remake(await tornBlock(source, torn));
  return made;
}

async function copy(
  source: ByteSource,
  { offset, length, mends = [] }: LedgerSpan,
  context: ScanContext,
  write: (bytes: Uint8Array) => void,
): Promise<void> {
  for (let done = 0; done < length; ) {
    context.signal?.throwIfAborted();
    const part = Math.min(COPY_BYTES, length - done);
    const bytes = await readSpan(source, offset + done, part);
    for (const mend of mends) {
      const patch = Buffer.from(mend.hex, 'hex');
      for (const [i, byte] of patch.entries()) {
        const at = mend.offset + i - offset - done;
        if (at >= 0 && at < part) bytes[at] = byte;
      }
    }
    write(bytes);
    done += part;
  }
}
