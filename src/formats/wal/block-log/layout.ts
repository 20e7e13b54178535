/**
 * The layout of a block log: every fragment with its fields, and what lies between, each byte in
 * one leaf.
 */
import type { ByteSource, Span } from '../../format.ts';
import type { WalDamage, WalScanContext } from '../model.ts';
import { Assembler } from './assemble.ts';
import { BATCH_HEADER_BYTES } from './constants.ts';
import { isData } from './header.ts';
import { kindOfName, kindOfPayload, type PayloadKind } from './kind.ts';
import { layoutBatch, layoutEdit } from './layout-payload.ts';
import { FragmentReader } from './reader.ts';
import type { LogicalRecord, LogicalSink } from './record.ts';
import { FragmentSpans } from './spans.ts';
import type { BlockLogSpec } from './spec.ts';

export async function layoutBlockLog(
  spec: BlockLogSpec,
  source: ByteSource,
  context: WalScanContext,
  visit: (span: Span) => boolean,
): Promise<void> {
  const layout = new BlockLogLayout(spec, source.name, visit);
  const assembler = new Assembler(source.name, spec.headers, context.limits.recordBytes, layout);
  await new FragmentReader(source, context, spec.headers, assembler).run();
  layout.end();
}

class BlockLogLayout implements LogicalSink {
  stopped = false;
  #kind: PayloadKind | undefined;
  #compressed = false;
  /** Fillings that are known before the record or the damage that they lie in. */
  #fillers: Span[] = [];

  constructor(
    readonly spec: BlockLogSpec,
    file: string,
    readonly visit: (span: Span) => boolean,
  ) {
    this.#kind = kindOfName(file);
  }

  record(logical: LogicalRecord): void {
    const { bytes, start, end, type } = logical;
    const { spec } = this;
    const out = new FragmentSpans(logical, (span) => this.#fragment(span));
    if (!isData(type)) {
      const compression = spec.special?.compression(logical);
      if (compression !== undefined) this.#compressed = true;
      out.leaf('data', end, compression);
    } else if (this.#compressed) out.leaf('compressed', end);
    else {
      this.#kind ??= kindOfPayload(spec.batch, spec.edit, bytes, start, end) ?? 'batch';
      if (this.#kind === 'edit') layoutEdit(spec.edit, logical, out);
      else if (end - start < BATCH_HEADER_BYTES) out.leaf('data', end, undefined, 'bad-length');
      else layoutBatch(spec.batch, logical, out);
    }
    out.finish();
  }

  unknownType(logical: LogicalRecord): void {
    const ignorable = this.spec.special !== undefined && (logical.type & 0x80) !== 0;
    const out = new FragmentSpans(logical, (span) => this.#fragment(span));
    out.leaf('data', logical.end, undefined, ignorable ? undefined : 'bad-op');
    out.finish();
  }

  damage(damage: WalDamage): void {
    const { offset, length, code, message } = damage;
    if (!damage.lost || length === 0) return;
    this.#before(offset);
    const end = offset + length;
    this.#fillers = this.#fillers.filter((filler) => filler.offset >= end);
    this.#emit({ name: 'damaged', offset, length, value: message, damage: code });
  }

  filler(name: string, offset: number, length: number, damage?: string): void {
    const end = offset + length;
    const span: Span = { name, offset, length, ...(damage !== undefined && { damage }) };
    if ((this.#fillers.at(-1)?.offset ?? -1) < offset) {
      this.#fillers.push(span);
      return;
    }
    // One that is known late only, such as a FIRST that begins nothing, goes in front, and covers
    // what is in it.
    const before = this.#fillers.filter((filler) => filler.offset < offset);
    const behind = this.#fillers.filter((filler) => filler.offset >= end);
    this.#fillers = [...before, span, ...behind];
  }

  end(): void {
    this.#before(Number.POSITIVE_INFINITY);
  }

  #fragment(span: Span): void {
    this.#before(span.offset);
    this.#emit(span);
  }

  /** Emits the fillings in front of `offset`. */
  #before(offset: number): void {
    if (this.#fillers.length === 0 || this.#fillers[0]!.offset >= offset) return;
    const fillers = this.#fillers;
    this.#fillers = fillers.filter((filler) => filler.offset >= offset);
    for (const filler of fillers) if (filler.offset < offset) this.#emit(filler);
  }

  #emit(span: Span): void {
    if (!this.stopped && !this.visit(span)) this.stopped = true;
  }
}
