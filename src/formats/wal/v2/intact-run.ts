/** The fragments of which nearly all logs consist: whole records, intact, one behind the other. */
import { crc32c } from '../../../shared/crc32.ts';
import type { WalRecord, WalVisitor } from '../model.ts';
import { FRAGMENT_BYTES_MIN, FRAGMENT_HEADER_BYTES, FULL } from './layout.ts';
import { continuesPlainly, visitOperations } from './payload.ts';

export class IntactRun {
  /** The crc of the last fragment; what the first continues, if there is none. */
  chain = 0;

  constructor(
    readonly record: WalRecord,
    readonly visitor: WalVisitor,
    /** Told what is wrong with the operations of the record just visited. */
    readonly undecodable: (problem: string) => void,
  ) {}

  /** Visits what continues `chain` in [start, end). Returns where that ends. */
  visit(
    bytes: Uint8Array,
    view: DataView,
    base: number,
    start: number,
    end: number,
    chain: number,
  ): number {
    const { record, visitor } = this;
    const counts = visitor.run !== undefined;
    let crc = chain | 0;
    let p = start;
    // Of a row of plain records: how many, where they begin and where the last one does.
    let plain = 0;
    let first = p;
    let last = p;
    // The number that continues it, and whether there is one.
    let low = 0;
    let high = 0;
    let begun = false;
    while (p + FRAGMENT_BYTES_MIN <= end) {
      const length = view.getUint16(p + 4, true);
      const next = p + FRAGMENT_HEADER_BYTES + length;
      if (bytes[p + 6] !== FULL || length === 0 || next > end) break;
      const computed = ~crc32c.update(~crc, bytes, view, p + 4, next);
      if (computed !== view.getInt32(p, true)) break;
      crc = computed;
      const payload = p + FRAGMENT_HEADER_BYTES;
      if (begun && continuesPlainly(bytes, view, payload, next, low, high)) {
        plain++;
        last = p;
      } else {
        if (plain > 0) visitor.run?.(plain, base + first, base + last, base + p);
        plain = 0;
        record.offset = base + p;
        record.length = next - p;
        const problem = visitOperations(bytes, view, payload, next, record, visitor);
        if (problem) this.undecodable(problem);
        first = next;
        begun = counts && !problem;
        low = record.seqLow | 0;
        high = record.seqHigh | 0;
        if (visitor.done?.()) {
          p = next;
          break;
        }
      }
      low = (low + 1) | 0;
      if (low === 0) high = (high + 1) | 0;
      p = next;
    }
    if (plain > 0) visitor.run?.(plain, base + first, base + last, base + p);
    this.chain = crc >>> 0;
    return p;
  }
}
