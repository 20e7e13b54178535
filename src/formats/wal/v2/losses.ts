/**
 * What a scan of the hardened log cannot use, joined into spans. Whether a span is a hole or the
 * tail is known only when something intact follows, or the file ends; until then it is held back.
 */
import { explainFlips } from '../../../shared/bit-flip.ts';
import { crc32c } from '../../../shared/crc32.ts';
import type { Mend } from '../../damage.ts';
import type { WalDamage, WalVisitor } from '../model.ts';

/** Bytes of the smallest record: fragment header, seq, synced, count, op, key length. */
export const RECORD_BYTES_MIN = 20;

/** A mismatch, and where its bytes are, for the search for flipped bits. */
export interface Mismatch {
  stored: number;
  computed: number;
  crcAt: number;
  dataAt: number;
  dataBytes: number;
}

export class Losses {
  #pending:
    | { code: string; offset: number; end: number; message: string; diagnosis?: string }
    | undefined;
  /** Since where there are only zeros; -1: there are none. */
  #zeroFrom = -1;
  #queued: WalDamage[] = [];
  #diagnoses: number;

  constructor(
    readonly file: string,
    readonly visitor: WalVisitor,
    diagnosesMax: number,
  ) {
    this.#diagnoses = diagnosesMax;
  }

  /** True while bytes are given up and nothing intact has followed yet. */
  get pending(): boolean {
    return this.#pending !== undefined || this.#zeroFrom >= 0;
  }

  /** Bytes that yield no record. */
  add(code: string, offset: number, end: number, message: string, diagnosis?: string): void {
    const pending = this.#pending;
    if (pending) {
      pending.end = Math.max(pending.end, end);
      // Pieces of a record that are left over are a consequence: what took the rest is the cause.
      if (pending.code === 'fragment' && code !== 'fragment') {
        Object.assign(pending, { code, message, ...(diagnosis && { diagnosis }) });
      }
      return;
    }
    const from = this.#zeroFrom >= 0 ? Math.min(this.#zeroFrom, offset) : offset;
    this.#pending = { code, offset: from, end, message, ...(diagnosis && { diagnosis }) };
  }

  addFlips(code: string, offset: number, end: number, message: string, mismatch: Mismatch): void {
    this.add(code, offset, end, message, this.#explain(mismatch)?.diagnosis);
  }

  /** Zeros where a fragment or a block could stand. */
  zeros(from: number, _end: number): void {
    if (this.#zeroFrom < 0) this.#zeroFrom = from;
  }

  /** Something intact stands at `offset`: what was held back is a hole. */
  settle(offset: number): void {
    if (!this.pending) return;
    const pending = this.#pending ?? {
      code: 'zero-hole',
      offset: this.#zeroFrom,
      end: offset,
      message: `${offset - this.#zeroFrom} zero bytes between intact fragments`,
    };
    this.#pending = undefined;
    this.#zeroFrom = -1;
    this.#emit(pending, offset, false, `an intact fragment follows at ${offset}`);
    this.#flushQueue();
  }

  endOfFile(end: number): void {
    const pending = this.#pending;
    this.#pending = undefined;
    // Zeros up to the end were allocated ahead: nothing is wrong with them.
    if (pending) this.#emit(pending, end, true, 'nothing intact follows in this file');
    this.#flushQueue();
  }

  /** Something wrong that costs no record. */
  note(
    code: string,
    offset: number,
    length: number,
    message: string,
    more: Partial<WalDamage> = {},
  ): void {
    const damage: WalDamage = {
      code,
      severity: 'error',
      file: this.file,
      offset,
      length,
      message,
      records: 0,
      tail: false,
      lost: false,
      ...more,
    };
    if (this.#pending) this.#queued.push(damage);
    else this.visitor.damage(damage);
  }

  noteFlips(
    code: string,
    offset: number,
    length: number,
    message: string,
    mismatch: Mismatch,
  ): void {
    this.note(code, offset, length, message, this.#explain(mismatch) ?? {});
  }

  #emit(
    {
      code,
      offset,
      message,
      diagnosis,
    }: { code: string; offset: number; message: string; diagnosis?: string },
    end: number,
    tail: boolean,
    evidence: string,
  ): void {
    const length = end - offset;
    this.visitor.damage({
      code,
      severity: 'error',
      file: this.file,
      offset,
      length,
      message,
      evidence,
      ...(diagnosis && { diagnosis }),
      repair: 'drop these bytes, keep them in quarantine',
      records: Math.max(1, Math.floor(length / RECORD_BYTES_MIN)),
      tail,
      lost: true,
    });
  }

  #flushQueue(): void {
    const queued = this.#queued;
    this.#queued = [];
    for (const damage of queued) this.visitor.damage(damage);
  }

  #explain(mismatch: Mismatch): { diagnosis: string; mend?: Mend } | undefined {
    if (this.#diagnoses-- <= 0) return undefined;
    const { stored, computed, crcAt, dataAt, dataBytes } = mismatch;
    const flips = explainFlips(crc32c, stored, computed, dataBytes);
    if (!flips) return undefined;
    if (flips.kind === 'stored') {
      const at = crcAt + (flips.bit >>> 3);
      return {
        diagnosis: `bit ${flips.bit & 7} of the byte at ${at} (the stored checksum) is flipped`,
      };
    }
    const place = (byteFromEnd: number) => dataAt + dataBytes - 1 - byteFromEnd;
    if (flips.kind === 'one') {
      return {
        diagnosis: `bit ${flips.at.bit} of the byte at ${place(flips.at.byteFromEnd)} is flipped`,
      };
    }
    const [a, b] = flips.at;
    const one = `bit ${b.bit} of the byte at ${place(b.byteFromEnd)}`;
    const two = `bit ${a.bit} of the byte at ${place(a.byteFromEnd)}`;
    return { diagnosis: `two bits are flipped: ${one} and ${two}` };
  }
}
