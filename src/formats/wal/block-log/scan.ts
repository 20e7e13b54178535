/** The scan of a block log: fragments, records, operations. Each layer is a file of its own. */
import type { ByteSource } from '../../format.ts';
import type { WalDamage, WalScanContext, WalVisitor } from '../model.ts';
import { Assembler } from './assemble.ts';
import { batchSubject } from './batch.ts';
import { BatchVisitor } from './batch-visit.ts';
import { EditVisitor } from './edit-visit.ts';
import { finding } from './findings.ts';
import { isData } from './header.ts';
import { kindOfName, kindOfPayload, type PayloadKind } from './kind.ts';
import { FragmentReader } from './reader.ts';
import { BlockRecord, type LogicalRecord, type LogicalSink } from './record.ts';
import type { BlockLogSpec } from './spec.ts';

export async function scanBlockLog(
  spec: BlockLogSpec,
  source: ByteSource,
  context: WalScanContext,
  visitor: WalVisitor,
): Promise<void> {
  const scan = new BlockLogScan(spec, source.name, visitor);
  const assembler = new Assembler(source.name, spec.headers, context.limits.recordBytes, scan);
  const subjectOf = scan.subjectOf.bind(scan);
  await new FragmentReader(source, context, spec.headers, assembler, subjectOf).run();
}

class BlockLogScan implements LogicalSink {
  stopped = false;
  readonly #record = new BlockRecord();
  readonly #batch: BatchVisitor;
  readonly #edit: EditVisitor;
  #kind: PayloadKind | undefined;
  #compression: string | undefined;

  constructor(
    readonly spec: BlockLogSpec,
    file: string,
    readonly visitor: WalVisitor,
  ) {
    this.#record.file = file;
    this.#kind = kindOfName(file);
    this.#batch = new BatchVisitor(spec.batch, this.#record, visitor);
    this.#edit = new EditVisitor(spec.edit, this.#record, visitor);
  }

  record(logical: LogicalRecord): void {
    if (!isData(logical.type)) this.#special(logical);
    else if (this.#compression !== undefined) this.#compressed(logical);
    else {
      if (this.#kind === undefined) this.#decide(logical);
      const visit = this.#kind === 'edit' ? this.#edit : this.#batch;
      this.stopped = visit.visit(logical);
    }
  }

  /** The first record decides; one that is neither is told as the batch that it should be. */
  #decide(logical: LogicalRecord): void {
    const { batch, edit } = this.spec;
    const { bytes, start, end } = logical;
    this.#kind = kindOfPayload(batch, edit, bytes, start, end) ?? 'batch';
  }

  /** What a damaged record seems to hold: the first operation of its batch. */
  subjectOf(bytes: Uint8Array, start: number, end: number): string | undefined {
    return this.#kind === 'edit' || this.#compression !== undefined
      ? undefined
      : batchSubject(this.spec.batch, bytes, start, end);
  }

  /** A record type of RocksDB that carries no user data: named, with its fields. */
  #special(logical: LogicalRecord): void {
    const { special } = this.spec;
    if (!special) return;
    const record = this.#blank(logical);
    const wrong = special.describe(logical, record);
    if (wrong !== '') {
      const { offset, length } = logical;
      const message = `${record.op}: ${wrong}`;
      this.damage(finding(record.file, 'bad-length', offset, offset + length, message));
      return;
    }
    this.#compression ??= special.compression(logical);
    this.#visit(record);
  }

  /** The payload is a compressed stream, which stays one: what is in it is not looked at. */
  #compressed(logical: LogicalRecord): void {
    const record = this.#blank(logical);
    record.op = 'compressed';
    record.extra = { compression: this.#compression, bytes: logical.end - logical.start };
    this.#visit(record);
  }

  unknownType(logical: LogicalRecord): void {
    const record = this.#blank(logical);
    const { type, offset, length } = logical;
    if (this.spec.special && type & 0x80) {
      // kRecordTypeSafeIgnoreMask: a reader that does not know it goes on.
      record.op = 'unknown-type';
      record.extra = { type, length: logical.end - logical.start };
      this.#visit(record);
      return;
    }
    const message = `record type ${type} is unknown; the checksum holds`;
    this.damage(finding(record.file, 'bad-op', offset, offset + length, message));
  }

  damage(damage: WalDamage): void {
    this.visitor.damage(damage);
    if (this.visitor.done?.()) this.stopped = true;
  }

  filler(): void {}

  #blank(logical: LogicalRecord): BlockRecord {
    const record = this.#record;
    record.offset = logical.offset;
    record.length = logical.length;
    record.sequenced = false;
    record.extra = undefined;
    record.seqHigh = 0;
    record.seqLow = 0;
    record.columnFamily = -1;
    record.index = 0;
    record.batchSize = 1;
    record.bytes = logical.bytes;
    record.keyStart = record.keyEnd = record.valueStart = record.valueEnd = -1;
    record.salvaged = logical.salvaged;
    record.type = logical.type;
    record.payloadStart = logical.start;
    record.payloadEnd = logical.end;
    record.countRight = -1;
    return record;
  }

  #visit(record: BlockRecord): void {
    this.visitor.record(record);
    this.stopped = this.visitor.done?.() ?? false;
  }
}
