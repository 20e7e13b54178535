/**
 * The loss ledger: what becomes of every byte of the input. Spans are taken in file order; whatever
 * lies between them is framing that goes with what it frames (block trailers, fill). The spans of a
 * file must add up to its size, or the repair is wrong and fails.
 */
import { DdiaError } from '../shared/errors.ts';
import type { Fate, LedgerSpan } from './format.ts';

/** A ledger this long would no longer be read by anyone, and must not eat the memory. */
const SPANS_MAX = 1_000_000;

export interface LedgerEntry {
  offset: number;
  length: number;
  fate: Fate;
  records: number;
  firstSeq?: string | undefined;
  lastSeq?: string | undefined;
  code?: string | undefined;
  reason?: string | undefined;
  recordsAtMost?: number | undefined;
  mends?: { offset: number; hex: string }[] | undefined;
}

export class Ledger {
  readonly spans: LedgerSpan[] = [];
  #file = '';
  #size = 0;
  #end = 0;
  #last: LedgerSpan | undefined;

  /** Offset up to which the file is accounted for. */
  get reached(): number {
    return this.#end;
  }

  /** Begins a file; the one before is closed. */
  begin(file: string, size: number): void {
    this.close();
    this.#file = file;
    this.#size = size;
    this.#end = 0;
    this.#last = undefined;
  }

  /** Accounts for the next span. Spans that continue a kept one are joined to it. */
  add(entry: LedgerEntry): void {
    if (entry.offset < this.#end) {
      throw new DdiaError(
        'ledger-mismatch',
        `${this.#file}: a span at ${entry.offset} overlaps the one that ends at ${this.#end}`,
      );
    }
    this.#framing(entry.offset);
    this.#end = entry.offset + entry.length;
    const last = this.#last;
    if (entry.fate === 'kept' && last?.fate === 'kept') {
      last.length = this.#end - last.offset;
      last.records += entry.records;
      if (entry.firstSeq !== undefined) last.firstSeq ??= entry.firstSeq;
      if (entry.lastSeq !== undefined) last.lastSeq = entry.lastSeq;
      return;
    }
    this.#push(entry);
  }

  /** Changes the fate of the span added last, which must be the one at `offset`. */
  condemn(offset: number, length: number, code: string, reason: string): void {
    const last = this.#last;
    if (!last || last.offset + last.length !== offset + length) return;
    if (last.offset === offset) {
      this.spans.pop();
    } else {
      // The record is the end of a longer kept span.
      last.length -= length;
      last.records--;
    }
    this.#push({ offset, length, fate: 'dropped', records: 1, code, reason });
  }

  close(): void {
    if (this.#file === '') return;
    this.#framing(this.#size);
    if (this.#end !== this.#size) {
      throw new DdiaError(
        'ledger-mismatch',
        `${this.#file}: the spans add up to ${this.#end} bytes, the file has ${this.#size}`,
      );
    }
    this.#file = '';
  }

  /** Bytes up to `offset` that no record and no damage claims. */
  #framing(offset: number): void {
    if (offset <= this.#end) return;
    const length = offset - this.#end;
    if (this.#last?.fate === 'kept') this.#last.length += length;
    else this.#push({ offset: this.#end, length, fate: 'kept', records: 0 });
    this.#end = offset;
  }

  #push(entry: LedgerEntry): void {
    if (this.spans.length >= SPANS_MAX) {
      throw new DdiaError(
        'too-damaged',
        `${this.#file}: more than ${SPANS_MAX} separate spans at offset ${entry.offset}`,
        'dump reads what is left: ddia dump PATH --json',
      );
    }
    const span: LedgerSpan = { file: this.#file, ...definedOnly(entry) };
    this.spans.push(span);
    this.#last = span;
  }
}

function definedOnly(entry: LedgerEntry): Omit<LedgerSpan, 'file'> {
  return Object.fromEntries(
    Object.entries(entry).filter(([, value]) => value !== undefined),
  ) as unknown as Omit<LedgerSpan, 'file'>;
}

export interface LedgerTotals {
  kept: { bytes: number; records: number };
  salvaged: { bytes: number; records: number };
  /** Of stretches that could not be read, only how many records they can have held is known. */
  dropped: { bytes: number; records: number; recordsAtMost: number };
}

export function ledgerTotals(spans: readonly LedgerSpan[]): LedgerTotals {
  const none = () => ({ bytes: 0, records: 0 });
  const totals: LedgerTotals = {
    kept: none(),
    salvaged: none(),
    dropped: { ...none(), recordsAtMost: 0 },
  };
  for (const { fate, length, records, recordsAtMost } of spans) {
    totals[fate].bytes += length;
    totals[fate].records += records;
    if (fate === 'dropped') totals.dropped.recordsAtMost += recordsAtMost ?? records;
  }
  return totals;
}
